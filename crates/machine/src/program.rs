//! The other builds of this program: with LibTorch, with MPI, with both. They cannot start where
//! these are not, hence programs of their own, which are built when they are asked for and take the
//! place of the plain one.

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

/// What OpenMP's threads do between operations. By default they spin, and take the cores from the
/// fused operators and from whatever else is running: a quick step takes 390 ms, and 262 ms when
/// they wait.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";

/// Whether LibTorch's products on a GPU read 19 bits of 32. Read once, when LibTorch starts; images
/// of NVIDIA's set it.
const TF32: &str = "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE";

/// A build of this program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The LibTorch that it is linked to.
    pub libtorch: Option<PathBuf>,
    /// Whether it is one of several processes.
    pub mpi: bool,
    /// What its products are to be started for.
    pub precision: Precision,
}

/// The variables under which cargo builds with the LibTorch in `folder`, and under which its tests
/// start.
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
        let mut words = vec![Front::this().binary()];
        words.extend(self.features());
        words.join("-")
    }

    /// Builds it beside the program that runs; returns where it lies. Cargo does nothing where
    /// nothing changed, and lets one process build at a time.
    ///
    /// # Errors
    /// [`Unavailable`](crate::unavailable::Unavailable) without a compiler or MPI, otherwise if it
    /// does not build.
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
    /// stripped, and with whichever LibTorch the loader finds there. Returns where it lies, which
    /// is where the next [`Program::build`] puts its own.
    ///
    /// The program asks for `libtorch.so`, which in LibTorch's builds for CUDA asks for the CUDA
    /// half in its turn. So one that is linked with the CPU half has GPUs where LibTorch has them,
    /// and starts where it has none.
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

    /// What cargo is to build, and with what.
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
    fn take_over(&self) -> anyhow::Error {
        match self.build() {
            Ok(path) => replace_this(&path, self.precision),
            Err(error) => error,
        }
    }
}

/// Replaces this program with one that is built with this part of LibTorch and with MPI, with the
/// same arguments: in a clone, which it is built from. Returns only if that fails; an installed
/// program says how to install it with what it lacks.
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

/// What to do about an installed program that lacks LibTorch, which lies in a folder that may be
/// known, or MPI.
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

/// A library of a name, with nothing in it, to be linked in the place of one that another machine
/// has.
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

/// The bindings are compiled from C++17. A compiler may lack the headers of its library.
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

/// Starts it in this program's place, with this program's arguments. Returns only if that fails.
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

/// Neither LibTorch nor MPI is supported here.
#[cfg(not(unix))]
fn replace_this(program: &Path, _precision: Precision) -> anyhow::Error {
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
