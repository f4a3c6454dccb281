//! Builds of this program with LibTorch, with MPI, or with both. They cannot start on machines
//! without these libraries, so they are separate programs: built on request, they replace the plain
//! program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use brainmae_model::Precision;

use crate::cargo::{BuiltIn, cargo};
use crate::front::Front;
use crate::libtorch::{self, Half, Version};
use crate::unavailable::unavailable;
use crate::{mpi, workspace};

/// OpenMP variable for what threads do between operations. By default they spin and take the cores
/// from the fused operators and from other programs: a quick step takes 390 ms, and 262 ms if they
/// wait.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";

/// Variable that makes LibTorch's products on a GPU read only 19 bits of 32. LibTorch reads it
/// once, at its start; container images by NVIDIA set it.
const TF32: &str = "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE";

/// A build of this program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Folder of the LibTorch that the program is linked to.
    pub libtorch: Option<PathBuf>,
    /// Whether the program is one of several processes.
    pub mpi: bool,
    /// Precision of the products that the program is started for.
    pub precision: Precision,
}

/// Environment variables for cargo to build with the LibTorch in `folder`, and to start its tests.
pub fn environment(folder: &Path) -> [(&'static str, OsString); 3] {
    [
        ("LIBTORCH", folder.as_os_str().to_owned()),
        // The bindings accept only 2.9.0 exactly; this crate checks which versions fit.
        ("LIBTORCH_BYPASS_VERSION_CHECK", "1".into()),
        ("LD_LIBRARY_PATH", folder.join("lib").into_os_string()),
    ]
}

impl Program {
    /// Cargo features of the program.
    fn features(&self) -> Vec<&'static str> {
        let libtorch = self.libtorch.as_ref().map(|_| "libtorch");
        libtorch
            .into_iter()
            .chain(self.mpi.then_some("mpi"))
            .collect()
    }

    fn name(&self) -> String {
        let mut words = vec![Front::this().binary()];
        words.extend(self.features());
        words.join("-")
    }

    /// Builds the program beside the running one; returns its path. Cargo does nothing if nothing
    /// has changed, and lets one process build at a time.
    ///
    /// # Errors
    /// [`Unavailable`](crate::unavailable::Unavailable) if there is no compiler or no MPI,
    /// otherwise an error if the build fails.
    pub fn build(&self) -> Result<PathBuf> {
        let built_in = BuiltIn::this_program()?;
        let name = self.name();
        let path = built_in.programs().join(&name);
        let mut cargo = cargo(&["build"]);
        self.order(&mut cargo, &built_in);
        if !path.exists() {
            self.require_tools()?;
            eprintln!(
                "building {name}{}, some minutes the first time",
                self.with()
            );
        }
        self.finish(&mut cargo)?;
        Ok(path)
    }

    /// Builds the program with LibTorch as [`Program::build`] does, to run on another machine:
    /// stripped, and with the LibTorch that the loader finds there. Returns its path, where the
    /// next [`Program::build`] puts its own program.
    ///
    /// The program loads `libtorch.so`, which in LibTorch's builds for CUDA also loads the CUDA
    /// part. So a program linked to the CPU part has GPUs where LibTorch has them, and starts where
    /// it has none.
    ///
    /// # Errors
    /// As [`Program::build`].
    pub fn build_to_carry(&self) -> Result<PathBuf> {
        self.require_tools()?;
        let built_in = BuiltIn::this_program()?;
        let stand_in = built_in.target.join("carry").join("libtorch.so");
        empty_library(&stand_in)?;
        let mut cargo = cargo(&["rustc"]);
        self.order(&mut cargo, &built_in);
        cargo.args(["--", "-Cstrip=symbols", "-Clink-arg=-Wl,--no-as-needed"]);
        cargo.arg(format!("-Clink-arg={}", stand_in.display()));
        self.finish(&mut cargo)?;
        Ok(built_in.programs().join(self.name()))
    }

    /// Adds to `cargo` the build's arguments and environment.
    fn order(&self, cargo: &mut Command, built_in: &BuiltIn) {
        cargo
            .args(["--package", Front::this().package(), "--features"])
            .arg(self.features().join(","))
            .args(["--bin", &self.name(), "--profile", &built_in.profile])
            .arg("--target-dir")
            .arg(&built_in.target)
            .stdout(Stdio::from(std::io::stderr()));
        if let Some(folder) = &self.libtorch {
            cargo
                .envs(environment(folder))
                .env_remove("LD_LIBRARY_PATH");
        }
    }

    fn finish(&self, cargo: &mut Command) -> Result<()> {
        let status = cargo
            .status()
            .with_context(|| format!("cannot start {:?}", cargo.get_program()))?;
        if !status.success() {
            bail!(
                "{} does not build{}: cargo ended with {status}",
                self.name(),
                self.with()
            );
        }
        Ok(())
    }

    /// Libraries that the program is linked to, for messages.
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

    /// Replaces the running program by this one, with the same arguments. Returns only if that
    /// fails.
    fn take_over(&self) -> anyhow::Error {
        match self.build() {
            Ok(path) => replace_this(&path, self.precision),
            Err(error) => error,
        }
    }
}

/// Replaces this program by one that is built with this part of LibTorch and with MPI, with the
/// same arguments. This works in a clone, from which the program is built. Returns only if that
/// fails; an installed program then reports how to install it with the missing part.
pub fn replace(half: Option<Half>, mpi: bool, precision: Precision) -> anyhow::Error {
    let in_clone = Front::this() == Front::Xtask || workspace::clone_here().is_some();
    if !in_clone || BuiltIn::this_program().is_err() {
        return to_install(half.map(libtorch::found), mpi);
    }
    match half.map(libtorch::folder).transpose() {
        Ok(libtorch) => Program {
            libtorch,
            mpi,
            precision,
        }
        .take_over(),
        Err(error) => error,
    }
}

/// Installation instructions for an installed program that lacks MPI or LibTorch, whose folder may
/// be known.
fn to_install(libtorch: Option<Option<PathBuf>>, mpi: bool) -> anyhow::Error {
    let mut lacks = Vec::new();
    let mut variables = String::new();
    if let Some(folder) = libtorch {
        lacks.push("libtorch");
        let folder = folder.unwrap_or_else(|| PathBuf::from("FOLDER_OF_LIBTORCH_2.11.0"));
        variables = format!(
            "LIBTORCH={} LIBTORCH_BYPASS_VERSION_CHECK=1 ",
            folder.display()
        );
    }
    lacks.extend(mpi.then_some("mpi"));
    anyhow::anyhow!(
        "this program was installed without {}\nhint: in a clone of the repository, `{variables}cargo install --path crates/cli --features {}`",
        lacks.join(" and "),
        lacks.join(",")
    )
}

/// Writes an empty library of this name, to link in place of one that another machine has.
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

/// Checks that the compiler finds C++17 headers, from which the bindings are compiled. A compiler
/// may lack the headers of its library.
fn require_compiler() -> Result<()> {
    let compiler = compiler();
    let probe = Command::new(&compiler)
        .args(["-std=c++17", "-include", "memory", "-fsyntax-only"])
        .args(["-x", "c++", "/dev/null"])
        .output();
    let problem = match probe {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(_) => "does not compile C++17",
        Err(_) => "is not there",
    };
    Err(unavailable(format!(
        "LibTorch devices are compiled with a C++ compiler, and {} {problem}\nhint: install g++ or clang, or name one in the variable CXX",
        compiler.display()
    )))
}

/// Starts the program in place of this one, with the same arguments. Returns only if that fails.
#[cfg(unix)]
fn replace_this(program: &Path, precision: Precision) -> anyhow::Error {
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

/// LibTorch and MPI are not supported on this system.
#[cfg(not(unix))]
fn replace_this(program: &Path, _precision: Precision) -> anyhow::Error {
    anyhow::anyhow!("this system cannot start {program:?} in the place of this program")
}

/// Restarts this program if it was started for products of another precision.
///
/// # Errors
/// If the program cannot be started.
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
    fn a_program_is_called_after_its_features() {
        let mut program = Program {
            libtorch: None,
            mpi: true,
            precision: Precision::F32,
        };
        assert_eq!(program.name(), "brainmae-mpi");
        program.libtorch = Some(PathBuf::from("/l"));
        assert_eq!(program.name(), "brainmae-libtorch-mpi");
        program.mpi = false;
        assert_eq!(program.name(), "brainmae-libtorch");
    }

    #[test]
    fn an_installed_program_says_how_to_install_it_with_what_it_lacks() {
        let error = to_install(Some(Some(PathBuf::from("/l"))), true).to_string();
        assert!(error.contains("without libtorch and mpi"), "{error}");
        assert!(
            error.contains("`LIBTORCH=/l ") && error.contains("--features libtorch,mpi`"),
            "{error}"
        );
        assert!(!to_install(None, true).to_string().contains("LIBTORCH="));
    }

    #[test]
    fn cargo_is_told_where_libtorch_lies() {
        let variables = environment(Path::new("/l"));
        assert_eq!(variables[0], ("LIBTORCH", "/l".into()));
        assert_eq!(variables[2].1, OsString::from("/l/lib"));
    }
}
