//! The second build of this program, with LibTorch.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use brainmae_model::Precision;

use super::{Version, unavailable};
use crate::cargo::{BuiltIn, cargo};
use crate::workspace;

/// What OpenMP's threads do between operations. By default they spin, and take the cores from the fused operators and from
/// whatever else is running: a quick step takes 390 ms, and 262 ms when they wait.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";

/// Whether LibTorch's products on a GPU read 19 bits of 32. Read once, when LibTorch starts; images of NVIDIA's set it.
const TF32: &str = "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE";

/// Its name.
const PROGRAM: &str = "xtask-libtorch";

/// The variables under which cargo builds with the LibTorch in `folder`, and under which its tests start.
pub fn environment(folder: &Path) -> [(&'static str, OsString); 3] {
    [
        ("LIBTORCH", folder.as_os_str().to_owned()),
        // The bindings ask for 2.9.0 to the letter; which versions will do is known here.
        ("LIBTORCH_BYPASS_VERSION_CHECK", "1".into()),
        ("LD_LIBRARY_PATH", folder.join("lib").into_os_string()),
    ]
}

/// Builds it beside the program that runs; returns where it lies. Cargo does nothing where nothing changed.
///
/// # Errors
/// [`super::Unavailable`] without a C++ compiler, otherwise if it does not build.
pub fn build(folder: &Path) -> Result<PathBuf> {
    let built_in = BuiltIn::this_program()?;
    let path = built_in.programs().join(PROGRAM);
    let mut cargo = cargo(&["build"]);
    of_program(&mut cargo, &built_in, folder);
    if !path.exists() {
        require_compiler()?;
        let version = Version::of(folder).map_or(String::new(), |v| format!(" {v}"));
        eprintln!(
            "building {PROGRAM} with LibTorch{version} of {}, some minutes the first time",
            workspace::shown(folder)
        );
    }
    finish(&mut cargo, folder)?;
    Ok(path)
}

/// Builds it as [`build`] does, to run on another machine: stripped, and with whichever LibTorch the loader finds there. Returns where it
/// lies, which is where the next [`build`] puts its own.
///
/// The program asks for `libtorch.so`, which in LibTorch's builds for CUDA asks for the CUDA half in its turn. So one that is linked with
/// the CPU half has GPUs where LibTorch has them, and starts where it has none.
///
/// # Errors
/// As [`build`].
pub fn build_to_carry(folder: &Path) -> Result<PathBuf> {
    require_compiler()?;
    let built_in = BuiltIn::this_program()?;
    let stand_in = built_in.target.join("carry").join("libtorch.so");
    empty_library(&stand_in)?;
    let mut cargo = cargo(&["rustc"]);
    of_program(&mut cargo, &built_in, folder);
    cargo.args(["--", "-Cstrip=symbols", "-Clink-arg=-Wl,--no-as-needed"]);
    cargo.arg(format!("-Clink-arg={}", stand_in.display()));
    finish(&mut cargo, folder)?;
    Ok(built_in.programs().join(PROGRAM))
}

/// What cargo is to build, and with what.
fn of_program(cargo: &mut Command, built_in: &BuiltIn, folder: &Path) {
    cargo
        .args(["--package", "xtask", "--features", "libtorch"])
        .args(["--bin", PROGRAM, "--profile", &built_in.profile])
        .arg("--target-dir")
        .arg(&built_in.target)
        .envs(environment(folder))
        .env_remove("LD_LIBRARY_PATH")
        .stdout(Stdio::from(std::io::stderr()));
}

fn finish(cargo: &mut Command, folder: &Path) -> Result<()> {
    let status = cargo
        .status()
        .with_context(|| format!("cannot start {:?}", cargo.get_program()))?;
    if !status.success() {
        bail!(
            "{PROGRAM} does not build with the LibTorch in {folder:?}: cargo ended with {status}"
        );
    }
    Ok(())
}

/// A library of a name, with nothing in it, to be linked in the place of one that another machine has.
fn empty_library(path: &Path) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {folder:?}"))?;
    }
    let status = Command::new(compiler())
        .args(["-shared", "-nostdlib", &format!("-Wl,-soname,{name}")])
        .args(["-x", "c++", "/dev/null", "-o"])
        .arg(path)
        .status()
        .context("cannot start the C++ compiler")?;
    anyhow::ensure!(status.success(), "the C++ compiler makes no {path:?}");
    Ok(())
}

fn compiler() -> OsString {
    std::env::var_os("CXX").unwrap_or_else(|| "c++".into())
}

/// The bindings are compiled from C++.
fn require_compiler() -> Result<()> {
    let compiler = compiler();
    let probe = Command::new(&compiler).arg("--version").output();
    if probe.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    Err(unavailable(format!(
        "LibTorch devices are compiled with a C++ compiler, and there is no {}\nhint: install g++ or clang, or name one in the variable CXX",
        compiler.display()
    )))
}

/// Starts it in this program's place, with this program's arguments. Returns only if that fails.
#[cfg(unix)]
pub fn replace_this(program: &Path, precision: Precision) -> anyhow::Error {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1));
    if std::env::var_os(WAIT_POLICY).is_none() {
        command.env(WAIT_POLICY, "passive");
    }
    match precision {
        Precision::Tf32 => command.env(TF32, "1"),
        Precision::F32 | Precision::Bf16 => command.env_remove(TF32),
    };
    let error = command.exec();
    anyhow::Error::new(error).context(format!("cannot start {program:?}"))
}

/// LibTorch is not supported here, see [`super::folder`].
#[cfg(not(unix))]
pub fn replace_this(program: &Path, _precision: Precision) -> anyhow::Error {
    anyhow::anyhow!("this system cannot start {program:?} in the place of this program")
}

/// Starts this program anew if it was started for products of another precision.
///
/// # Errors
/// If it cannot be started.
pub fn restart_for(precision: Precision) -> Result<()> {
    let is_set = std::env::var_os(TF32).is_some_and(|value| value == "1");
    if is_set == (precision == Precision::Tf32) {
        return Ok(());
    }
    let this = std::env::current_exe().context("where this program lies")?;
    Err(replace_this(&this, precision))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_told_where_libtorch_lies() {
        let variables = environment(Path::new("/l"));
        assert_eq!(variables[0], ("LIBTORCH", "/l".into()));
        assert_eq!(variables[2].1, OsString::from("/l/lib"));
    }
}
