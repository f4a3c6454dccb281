//! LibTorch, for whoever asks for it with `--device libtorch:*`: found or fetched, and linked to a
//! build of this program that takes the place of this one. Everything said here goes to stderr.

mod fetch;
mod find;
mod version;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::unavailable::unavailable;
use find::Places;
pub use version::Version;

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

/// The folder with `include` and `lib`: found, or fetched once.
///
/// # Errors
/// [`Unavailable`](crate::unavailable::Unavailable) where it cannot be had, or where the one that
/// is named does not fit.
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

/// The folder, where it lies on this machine already.
pub fn found(half: Half) -> Option<PathBuf> {
    Places::here().ok()?.find(half).ok()?
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unavailable::Unavailable;

    #[test]
    fn other_systems_are_told_so() {
        assert!(supported("linux", "x86_64").is_ok());
        let error = supported("macos", "aarch64").expect_err("not there");
        assert!(error.downcast_ref::<Unavailable>().is_some());
        assert!(error.to_string().contains("macos on aarch64"));
    }
}
