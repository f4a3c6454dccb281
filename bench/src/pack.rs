//! Command `cargo xtask bench pack`: packs `bench all` for a machine that has PyTorch, but neither
//! Rust nor network.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use brainmae_machine::libtorch::{self, Half};
use brainmae_machine::program::Program;
use brainmae_machine::{code_version, workspace};
use clap::Args;

/// What starts the program on the other machine.
const SCRIPT: &str = include_str!("../../scripts/bench.sh");

/// Names of files in the package. `bench.sh` uses the same names.
const SCRIPT_NAME: &str = "bench.sh";
const PROGRAM_NAME: &str = "xtask-libtorch";
const VERSIONS_NAME: &str = "versions";

/// Largest size of a package that can be sent by mail or web.
const LARGEST_MIB: f64 = 60.0;

/// Pack `bench all` for another machine.
#[derive(Args)]
pub struct PackBench {
    /// The package: unpacked with `tar xf`, started with `./bench.sh`.
    #[arg(long, value_name = "FILE.tar.gz")]
    out: PathBuf,
}

impl PackBench {
    /// Builds the program, packs it, and prints the path of the package.
    ///
    /// # Errors
    /// If there is no LibTorch, no C++ compiler or no `tar`, or if the package is too large.
    pub fn run(self) -> Result<()> {
        let folder = libtorch::folder(Half::Cpu)?;
        let program = Program {
            libtorch: Some(folder.clone()),
            ..Program::default()
        };
        let program = program.build_to_carry()?;
        let staging = tempfile::tempdir().context("cannot make a temporary folder")?;
        let place = |name: &str| staging.path().join(name);
        std::fs::copy(&program, place(PROGRAM_NAME))
            .with_context(|| format!("cannot copy {program:?}"))?;
        write(&place(SCRIPT_NAME), SCRIPT)?;
        executable(&place(SCRIPT_NAME))?;
        write(&place(VERSIONS_NAME), &versions(&folder))?;
        let status = Command::new("tar")
            .args(["--create", "--gzip", "--owner=0", "--group=0", "--file"])
            .arg(&self.out)
            .arg("--directory")
            .arg(staging.path())
            .args([SCRIPT_NAME, PROGRAM_NAME, VERSIONS_NAME])
            .status()
            .context("cannot start tar")?;
        if !status.success() {
            bail!("tar does not write {:?}: it ended with {status}", self.out);
        }
        let bytes = std::fs::metadata(&self.out)?.len();
        let mib = bytes as f64 / f64::from(1 << 20);
        println!("{}: {mib:.1} MiB", workspace::shown(&self.out));
        anyhow::ensure!(
            mib <= LARGEST_MIB,
            "the package is larger than {LARGEST_MIB} MiB"
        );
        Ok(())
    }
}

/// Lines of shell code for the script: the version of the code, and the LibTorch that the program
/// was compiled with.
fn versions(folder: &Path) -> String {
    let code = code_version::this().unwrap_or_else(|| "unknown".to_string());
    let libtorch = libtorch::version_of(folder).unwrap_or_else(|| "unknown".to_string());
    format!("code={code}\nlibtorch={libtorch}\n")
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {path:?}"))
}

#[cfg(unix)]
fn executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {path:?} executable"))
}

/// Does nothing: LibTorch is not supported on this system, see [`libtorch::folder`].
#[cfg(not(unix))]
fn executable(_path: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_knows_what_lies_beside_it() {
        for name in [PROGRAM_NAME, VERSIONS_NAME] {
            assert!(SCRIPT.contains(&format!("$here/{name}")), "{name}");
        }
    }
}
