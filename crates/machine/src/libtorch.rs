//! LibTorch for `--device libtorch:*`: found or fetched, and linked to a build of this program that
//! replaces the running one. All messages go to stderr.

mod fetch;
mod find;
mod version;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::unavailable::unavailable;
use find::Places;
pub use version::Version;

/// Part of LibTorch that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// CPU part only.
    Cpu,
    /// All of LibTorch, with CUDA.
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

/// Folder with `include` and `lib`: found, or fetched once.
///
/// # Errors
/// [`Unavailable`](crate::unavailable::Unavailable) if LibTorch is not available, or if the one
/// that the user names does not fit.
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
    // Cargo runs in another folder, and the program may run in any.
    Ok(folder.canonicalize()?)
}

/// Folder of LibTorch if it is already on this machine.
pub fn found(half: Half) -> Option<PathBuf> {
    Places::here().ok()?.find(half).ok()?
}

const NO_DRIVER: &str = "there is no NVIDIA driver on this machine (no /dev/nvidia0, no libcuda.so.1), so no libtorch:cuda\nhint: `--device libtorch:cpu` needs no GPU; in a container, start it with the GPUs (`--gpus all`, `--nv`)";

/// Checks that LibTorch has wheels for this kind of machine.
fn supported(os: &str, arch: &str) -> Result<()> {
    if (os, arch) == ("linux", "x86_64") {
        return Ok(());
    }
    Err(unavailable(format!(
        "LibTorch devices are for Linux on x86-64, and this is {os} on {arch}\nhint: `--device cpu` works everywhere"
    )))
}

/// Version of the LibTorch that the variable `LIBTORCH` names.
pub fn named_version() -> Option<String> {
    version_of(&PathBuf::from(std::env::var_os("LIBTORCH")?))
}

/// Version of the LibTorch in `folder`.
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
