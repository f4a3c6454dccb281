//! Search for a LibTorch that is already on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::version::FETCHED;
use super::{Half, Version};
use crate::unavailable::unavailable;
use crate::workspace;

/// Places to search, in order.
pub struct Places {
    /// Folder that the user names in `LIBTORCH`. If it is set, no other place is searched.
    variable: Option<PathBuf>,
    /// Installed PyTorch of the version that would be fetched. It is searched last, because this
    /// starts Python.
    installed: fn() -> Option<PathBuf>,
    /// Folder of fetched LibTorchs.
    pub cache: PathBuf,
}

impl Places {
    /// Places of this machine.
    ///
    /// # Errors
    /// If there is no home folder.
    pub fn here() -> Result<Self> {
        Ok(Self {
            variable: std::env::var_os("LIBTORCH").map(PathBuf::from),
            installed: installed_pytorch,
            cache: workspace::cache_folder("BRAINMAE_LIBTORCH", "libtorch")?,
        })
    }

    /// First folder that fits.
    ///
    /// # Errors
    /// [`Unavailable`](crate::unavailable::Unavailable) if the folder that the user names does not
    /// fit.
    pub fn find(&self, half: Half) -> Result<Option<PathBuf>> {
        if let Some(named) = &self.variable {
            return match unfit(named, half) {
                None => Ok(Some(named.clone())),
                Some(problem) => Err(unavailable(format!(
                    "the LibTorch that the variable LIBTORCH names will not do: {problem}: {named:?}\nhint: name one of version {FETCHED}, or unset the variable to have it found or fetched"
                ))),
            };
        }
        // The full LibTorch also serves the CPU, and a change between two folders compiles the
        // bindings again.
        let halves = match half {
            Half::Cpu => &[Half::Cuda, Half::Cpu][..],
            Half::Cuda => &[Half::Cuda],
        };
        let fetched = halves.iter().map(|half| fetched(&self.cache, *half));
        let fits = |folder: &PathBuf| unfit(folder, half).is_none();
        Ok((self.installed)()
            .into_iter()
            .chain(fetched)
            .find(|folder| fits(folder)))
    }
}

/// The folder of a fetched LibTorch.
pub fn fetched(cache: &Path, half: Half) -> PathBuf {
    cache.join(format!("{FETCHED}-{}", half.word()))
}

/// Reason why a folder does not fit; `None` if it fits.
pub fn unfit(folder: &Path, half: Half) -> Option<String> {
    let Some(version) = Version::of(folder) else {
        return Some("it has no include/torch/…/version.h that tells its version".to_string());
    };
    if !version.fits() {
        return Some(format!("it is version {version}, expected 2.9 to 2.11"));
    }
    let needed: &[&str] = match half {
        Half::Cpu => &["libtorch.so", "libtorch_cpu.so", "libc10.so"],
        Half::Cuda => &["libtorch.so", "libtorch_cpu.so", "libtorch_cuda.so"],
    };
    let missing = needed
        .iter()
        .find(|library| !folder.join("lib").join(library).exists())?;
    Some(format!("it has no lib/{missing}"))
}

/// Prints version and folder without an import of torch, which would take seconds.
const ASK_PYTHON: &str = "import importlib.metadata as m, importlib.util as u; print(m.version('torch')); print(u.find_spec('torch').submodule_search_locations[0])";

fn installed_pytorch() -> Option<PathBuf> {
    let output = Command::new("python3")
        .args(["-c", ASK_PYTHON])
        .output()
        .ok()?;
    installed_folder(&String::from_utf8(output.stdout).ok()?)
}

/// Folder in the output of Python, if it holds the version that would be fetched, for the CPU or
/// CUDA.
fn installed_folder(printed: &str) -> Option<PathBuf> {
    let (version, folder) = printed.trim().split_once('\n')?;
    let build = version.split_once('+').map_or("", |(_, build)| build);
    let known = build.is_empty() || build == "cpu" || build.starts_with("cu");
    let fits = known && Version::parse(version) == Some(FETCHED);
    fits.then(|| PathBuf::from(folder.trim()))
}

/// Whether an NVIDIA driver is installed.
pub fn driver() -> bool {
    let devices = ["/dev/nvidia0", "/dev/nvidiactl", "/proc/driver/nvidia"];
    let folders = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
        "/usr/lib/wsl/lib",
        "/usr/local/nvidia/lib64",
    ];
    devices.iter().any(|device| Path::new(device).exists())
        || folders
            .iter()
            .any(|folder| Path::new(folder).join("libcuda.so.1").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a folder that looks like a LibTorch.
    fn pretend(folder: &Path, version: &str, cuda: bool) -> PathBuf {
        let lib = folder.join("lib");
        std::fs::create_dir_all(&lib).expect("writable");
        std::fs::write(folder.join("build-version"), version).expect("writable");
        let mut libraries = vec!["libtorch.so", "libtorch_cpu.so", "libc10.so"];
        if cuda {
            libraries.push("libtorch_cuda.so");
        }
        for library in libraries {
            std::fs::write(lib.join(library), "").expect("writable");
        }
        folder.to_path_buf()
    }

    fn places(root: &Path) -> Places {
        Places {
            variable: None,
            installed: || None,
            cache: root.to_path_buf(),
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let found = places(root.path()).find(Half::Cpu).expect("no error");
        assert_eq!(found, None);
    }

    #[test]
    fn the_named_one_comes_first_and_must_fit() {
        let root = tempfile::tempdir().expect("a temporary folder");
        pretend(&root.path().join("2.11.0-cpu"), "2.11.0", false);
        let named = pretend(&root.path().join("named"), "2.9.0", false);
        let mut places = places(root.path());
        places.variable = Some(named.clone());
        assert_eq!(places.find(Half::Cpu).expect("it fits"), Some(named));

        let error = places.find(Half::Cuda).expect_err("for the CPU alone");
        assert!(error.to_string().contains("no lib/libtorch_cuda.so"));
        let old = pretend(&root.path().join("old"), "2.4.1", true);
        places.variable = Some(old);
        let error = places.find(Half::Cpu).expect_err("too old").to_string();
        assert!(error.contains("version 2.4.1, expected 2.9 to 2.11") && error.contains("hint:"));
        places.variable = Some(root.path().join("nowhere"));
        assert!(places.find(Half::Cpu).is_err());
    }

    #[test]
    fn the_whole_serves_the_cpu_and_the_cpu_half_no_gpu() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let cpu = pretend(&fetched(root.path(), Half::Cpu), "2.11.0", false);
        let places = places(root.path());
        assert_eq!(places.find(Half::Cpu).expect("no error"), Some(cpu));
        assert_eq!(places.find(Half::Cuda).expect("no error"), None);
        let whole = pretend(&fetched(root.path(), Half::Cuda), "2.11.0", true);
        for half in [Half::Cpu, Half::Cuda] {
            let found = places.find(half).expect("no error");
            assert_eq!(found.as_ref(), Some(&whole));
        }
    }

    #[test]
    fn an_installed_pytorch_must_be_the_version_that_would_be_fetched() {
        let folder = Some(PathBuf::from("/p/torch"));
        assert_eq!(installed_folder("2.11.0+cu130\n/p/torch\n"), folder);
        assert_eq!(installed_folder("2.11.0\n/p/torch\n"), folder);
        for other in ["2.10.0\n/p/torch", "2.11.0+rocm7.0\n/p/torch", "", "2.11.0"] {
            assert_eq!(installed_folder(other), None, "{other}");
        }
    }
}
