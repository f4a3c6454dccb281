//! The other builds of this program: with LibTorch, with MPI, with both. They cannot start where these are not, hence programs of
//! their own, which are built when they are asked for and take the place of the plain one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{BuiltIn, cargo};
use crate::libtorch::Version;
use crate::unavailable::unavailable;
use crate::{mpi, workspace};

/// What OpenMP's threads do between operations. By default they spin, and take the cores from the fused operators and from
/// whatever else is running: a quick step takes 390 ms, and 262 ms when they wait.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";

/// A build of this program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The LibTorch that it is linked to.
    pub libtorch: Option<PathBuf>,
    /// Whether it is one of several processes.
    pub mpi: bool,
}

/// The variables under which cargo builds with the LibTorch in `folder`, and under which its tests start.
pub fn environment(folder: &Path) -> [(&'static str, OsString); 3] {
    [
        ("LIBTORCH", folder.as_os_str().to_owned()),
        // The bindings ask for 2.9.0 to the letter; which versions will do is known here.
        ("LIBTORCH_BYPASS_VERSION_CHECK", "1".into()),
        ("LD_LIBRARY_PATH", folder.join("lib").into_os_string()),
    ]
}

impl Program {
    /// The features that it is built with.
    fn features(&self) -> Vec<&'static str> {
        let libtorch = self.libtorch.as_ref().map(|_| "libtorch");
        libtorch
            .into_iter()
            .chain(self.mpi.then_some("mpi"))
            .collect()
    }

    fn name(&self) -> String {
        let mut words = vec!["xtask"];
        words.extend(self.features());
        words.join("-")
    }

    /// Builds it beside the program that runs; returns where it lies. Cargo does nothing where nothing changed, and lets one
    /// process build at a time.
    ///
    /// # Errors
    /// [`Unavailable`](crate::unavailable::Unavailable) without a compiler or MPI, otherwise if it does not build.
    pub fn build(&self) -> Result<PathBuf> {
        let built_in = BuiltIn::this_program()?;
        let name = self.name();
        let path = built_in.programs().join(&name);
        let target = built_in.target.to_string_lossy().to_string();
        let features = self.features().join(",");
        let mut cargo = cargo(&["build", "--package", "xtask", "--features", &features]);
        cargo
            .args(["--bin", &name, "--profile", &built_in.profile])
            .args(["--target-dir", &target])
            .stdout(Stdio::from(std::io::stderr()));
        if let Some(folder) = &self.libtorch {
            cargo
                .envs(environment(folder))
                .env_remove("LD_LIBRARY_PATH");
        }
        if !path.exists() {
            self.require_tools()?;
            eprintln!(
                "building {name}{}, some minutes the first time",
                self.with()
            );
        }
        let status = cargo
            .status()
            .with_context(|| format!("cannot start {:?}", cargo.get_program()))?;
        if !status.success() {
            bail!(
                "{name} does not build{}: cargo ended with {status}",
                self.with()
            );
        }
        Ok(path)
    }

    /// What it is linked to, for messages.
    fn with(&self) -> String {
        let Some(folder) = &self.libtorch else {
            return String::new();
        };
        let version = Version::of(folder).map_or(String::new(), |v| format!(" {v}"));
        format!(" with LibTorch{version} of {}", workspace::shown(folder))
    }

    fn require_tools(&self) -> Result<()> {
        if self.libtorch.is_some() {
            require_compiler()?;
        }
        if self.mpi {
            mpi::require()?;
        }
        Ok(())
    }

    /// Replaces this program with that one, with the same arguments. Returns only if that fails.
    pub fn take_over(&self) -> anyhow::Error {
        match self.build() {
            Ok(path) => replace_this(&path),
            Err(error) => error,
        }
    }
}

/// The bindings are compiled from C++.
fn require_compiler() -> Result<()> {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
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
fn replace_this(program: &Path) -> anyhow::Error {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1));
    if std::env::var_os(WAIT_POLICY).is_none() {
        command.env(WAIT_POLICY, "passive");
    }
    let error = command.exec();
    anyhow::Error::new(error).context(format!("cannot start {program:?}"))
}

/// Neither LibTorch nor MPI is supported here.
#[cfg(not(unix))]
fn replace_this(program: &Path) -> anyhow::Error {
    anyhow::anyhow!("this system cannot start {program:?} in the place of this program")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_called_after_its_features() {
        let mut program = Program {
            libtorch: None,
            mpi: true,
        };
        assert_eq!(program.name(), "xtask-mpi");
        program.libtorch = Some(PathBuf::from("/l"));
        assert_eq!(program.name(), "xtask-libtorch-mpi");
        program.mpi = false;
        assert_eq!(program.name(), "xtask-libtorch");
    }

    #[test]
    fn cargo_is_told_where_libtorch_lies() {
        let variables = environment(Path::new("/l"));
        assert_eq!(variables[0], ("LIBTORCH", "/l".into()));
        assert_eq!(variables[2].1, OsString::from("/l/lib"));
    }
}
