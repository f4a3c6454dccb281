//! LibTorch, for whoever asks for it with `--device libtorch:*`: found or fetched, linked to a second build of this program,
//! which then takes the place of this one.
//!
//! A program that is linked to LibTorch does not start without it, hence two programs. Everything said here goes to stderr.

mod fetch;
mod find;
mod program;
mod version;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use brainmae_model::Precision;
use find::Places;
use version::Version;

/// How much of LibTorch is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// What computes on the CPU.
    Cpu,
    /// The whole.
    Cuda,
}

impl Half {
    fn word(self) -> &'static str {
        match self {
            Half::Cpu => "cpu",
            Half::Cuda => "cuda",
        }
    }
}

/// Why LibTorch cannot be had on this machine; nothing is wrong with the workspace.
#[derive(Debug)]
pub struct Unavailable(String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

fn unavailable(reason: impl Into<String>) -> anyhow::Error {
    Unavailable(reason.into()).into()
}

/// The folder with `include` and `lib`: found, or fetched once.
///
/// # Errors
/// [`Unavailable`] where it cannot be had, another error for a LibTorch that was named and does not fit.
pub fn folder(half: Half) -> Result<PathBuf> {
    supported(std::env::consts::OS, std::env::consts::ARCH)?;
    if half == Half::Cuda && !find::driver() {
        return Err(unavailable(NO_DRIVER));
    }
    let places = Places::here()?;
    let folder = match places.find(half)? {
        Some(folder) => folder,
        None => fetch::fetch(half, &places.cache)?,
    };
    // Cargo runs elsewhere, and the program even more so.
    Ok(folder.canonicalize()?)
}

const NO_DRIVER: &str = "there is no NVIDIA driver on this machine (no /dev/nvidia0, no libcuda.so.1), so no libtorch:cuda\nhint: `--device libtorch:cpu` needs no GPU; in a container, start it with the GPUs (`--gpus all`, `--nv`)";

/// LibTorch's wheels are for this kind of machine.
fn supported(os: &str, arch: &str) -> Result<()> {
    if (os, arch) == ("linux", "x86_64") {
        return Ok(());
    }
    Err(unavailable(format!(
        "LibTorch devices are for Linux on x86-64, and this is {os} on {arch}\nhint: `--device cpu` works everywhere"
    )))
}

/// The version of the LibTorch that the variable `LIBTORCH` names.
pub fn named_version() -> Option<String> {
    version_of(&PathBuf::from(std::env::var_os("LIBTORCH")?))
}

/// The version of the LibTorch in `folder`.
pub fn version_of(folder: &Path) -> Option<String> {
    Version::of(folder).map(|version| version.to_string())
}

/// Builds the program that has LibTorch; returns where it lies.
///
/// # Errors
/// From [`folder`], or from the compiler.
pub fn program(half: Half) -> Result<PathBuf> {
    program::build(&folder(half)?)
}

/// Replaces this program with the one that has LibTorch, with the same arguments and set for products of this precision.
/// Returns only if that fails.
pub fn become_program(half: Half, precision: Precision) -> anyhow::Error {
    match program(half) {
        Ok(path) => program::replace_this(&path, precision),
        Err(error) => error,
    }
}

pub use program::{build_to_carry, environment, restart_for};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_systems_are_told_so() {
        assert!(supported("linux", "x86_64").is_ok());
        let error = supported("macos", "aarch64").expect_err("not there");
        assert!(error.downcast_ref::<Unavailable>().is_some());
        assert!(error.to_string().contains("macos on aarch64"));
    }
}
