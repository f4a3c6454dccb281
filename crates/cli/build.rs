//! Build script: embeds the shipped experiments and raw data sets, and the version of the code of a
//! program to be installed. It also sets the path of LibTorch in programs that need it, so that
//! they start without `LD_LIBRARY_PATH`; child processes such as Python would inherit that
//! variable.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

const EXPERIMENTS: &str = "experiments";
const DATASETS: &str = "../../datasets";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={EXPERIMENTS}");
    println!("cargo:rerun-if-changed={DATASETS}");
    let out = env::var_os("OUT_DIR").map(PathBuf::from);
    let out = out.ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(out.join("shipped.rs"), shipped()?)?;
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if env::var_os("CARGO_FEATURE_LIBTORCH").is_some()
        && let Ok(folder) = env::var("LIBTORCH")
    {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{folder}/lib");
    }
    // A program that is not installed asks git at run time, so it is not rebuilt after each commit.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && let Some(version) = git(&["describe", "--always", "--dirty", "--abbrev=12"])
    {
        println!("cargo:rustc-env=BRAINMAE_BUILT_FROM={version}");
        let log = git(&["rev-parse", "--git-path", "logs/HEAD"]);
        log.iter()
            .for_each(|log| println!("cargo:rerun-if-changed={log}"));
    }
    Ok(())
}

/// Source code of the two tables of shipped files.
fn shipped() -> io::Result<String> {
    let mut text = "pub static EXPERIMENTS: &[(&str, &str)] = &[\n".to_string();
    for file in sorted(Path::new(EXPERIMENTS))? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let _ = writeln!(text, "({name:?}, include_str!({})),", path(&file));
    }
    text += "];\n#[allow(clippy::type_complexity)]\n";
    text += "pub static SOURCES: &[(&str, &[(&str, &[u8])])] = &[\n";
    for folder in sorted(Path::new(DATASETS))? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(text, "({name:?}, &[");
        for file in sorted(&folder)? {
            println!("cargo:rerun-if-changed={}", file.display());
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let _ = writeln!(text, "({name:?}, include_bytes!({})),", path(&file));
        }
        text += "]),\n";
    }
    Ok(text + "];\n")
}

/// Path of a file in the source code. Several clones may share a target folder, so the compiler
/// asks for the folder of the clone that it compiles.
fn path(file: &Path) -> String {
    let file = format!("/{}", file.display());
    format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), {file:?})")
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// First line of the output of a git command.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let line = line.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_string())
}
