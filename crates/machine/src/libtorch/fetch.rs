//! Download of LibTorch: PyTorch's wheels, by pip, with known hashes, and only the needed files.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::version::FETCHED;
use super::{Half, find};
use crate::unavailable::unavailable;
use crate::workspace;

/// Python script that calls pip and unpacks the wheels.
const SCRIPT: &str = include_str!("fetch.py");

/// Prefix of the names of unfinished folders.
const UNFINISHED: &str = "unfinished-";

impl Half {
    /// Wheels and their hashes, as pip reads them.
    fn requirements(self) -> &'static str {
        match self {
            Half::Cpu => include_str!("cpu.txt"),
            Half::Cuda => include_str!("cuda.txt"),
        }
    }

    /// Size of the download and of the unpacked files, for messages.
    fn size(self) -> &'static str {
        match self {
            Half::Cpu => "544 MB to download, 500 MB kept",
            Half::Cuda => "some GB to download, 3.7 GB kept",
        }
    }
}

/// Fetches LibTorch into `cache`, unless another process has just done so. A killed process leaves
/// nothing that looks finished.
///
/// # Errors
/// [`Unavailable`](crate::unavailable::Unavailable) if there is no pip or no network.
pub fn fetch(half: Half, cache: &Path) -> Result<PathBuf> {
    let place = find::fetched(cache, half);
    let shown = workspace::shown(&place);
    require_pip(half, &place)?;
    fs::create_dir_all(cache).with_context(|| format!("cannot make the folder {cache:?}"))?;
    let _lock = lock(cache)?;
    if place.exists() {
        return Ok(place);
    }
    eprintln!(
        "fetching LibTorch {FETCHED} ({}) into {shown}, once",
        half.size()
    );
    remove_unfinished(cache)?;
    // A pip that survives a kill of this process writes into its own folder.
    let beside = cache.join(format!("{UNFINISHED}{}", std::process::id()));
    fs::create_dir(&beside).with_context(|| format!("cannot make the folder {beside:?}"))?;
    let requirements = beside.join("requirements.txt");
    fs::write(&requirements, half.requirements())
        .with_context(|| format!("cannot write {requirements:?}"))?;
    let status = Command::new("python3")
        .args(["-c", SCRIPT, half.word()])
        .args([&requirements, &beside])
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .context("cannot start python3")?;
    if !status.success() {
        // Incomplete wheels are of no use.
        fs::remove_dir_all(&beside).with_context(|| format!("cannot remove {beside:?}"))?;
        return Err(unavailable(format!(
            "LibTorch {FETCHED} could not be fetched: pip or unpacking failed, see above\n{}",
            by_hand(half, &place)
        )));
    }
    if let Some(problem) = find::unfit(&beside, half) {
        anyhow::bail!("what was fetched is no LibTorch: {problem}: {beside:?}");
    }
    fs::rename(&beside, &place).with_context(|| format!("cannot make the folder {place:?}"))?;
    eprintln!("LibTorch {FETCHED} is in {shown}");
    Ok(place)
}

/// Removes what a killed process left.
fn remove_unfinished(cache: &Path) -> Result<()> {
    let entries = fs::read_dir(cache).with_context(|| format!("cannot read {cache:?}"))?;
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let path = entry.path();
            fs::remove_dir_all(&path).with_context(|| format!("cannot remove {path:?}"))?;
        }
    }
    Ok(())
}

/// Instructions for a machine without network or pip.
fn by_hand(half: Half, place: &Path) -> String {
    let folder = match half {
        Half::Cpu => "libtorch-shared-with-deps for the CPU",
        Half::Cuda => "libtorch-shared-with-deps for CUDA 13.0",
    };
    format!(
        "hint: without a network, install torch=={FETCHED} for `python3`, or unpack {folder}, version {FETCHED}, from pytorch.org into {}, or set LIBTORCH to where it lies",
        workspace::shown(place)
    )
}

fn require_pip(half: Half, place: &Path) -> Result<()> {
    let probe = Command::new("python3")
        .args(["-m", "pip", "--version"])
        .output();
    let problem = match probe {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(_) => "`python3` has no pip",
        Err(_) => "there is no `python3`",
    };
    Err(unavailable(format!(
        "LibTorch {FETCHED} is not on this machine and is fetched with pip, but {problem}\n{}",
        by_hand(half, place)
    )))
}

/// Waits while another process fetches. The operating system holds the lock, so it ends with the
/// process in every case.
fn lock(cache: &Path) -> Result<File> {
    let path = cache.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {path:?}"))?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        eprintln!(
            "waiting for another process that works in {}",
            workspace::shown(cache)
        );
    }
    file.lock()
        .with_context(|| format!("cannot lock {path:?}"))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wheel_has_one_version_and_one_hash() {
        for half in [Half::Cpu, Half::Cuda] {
            let lines = half.requirements().lines();
            let wheels: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
            assert!(wheels[0].starts_with(&format!("torch=={FETCHED} ")));
            for wheel in &wheels {
                let (name, hash) = wheel.split_once(" --hash=sha256:").expect("a hash");
                assert!(name.contains("==") && hash.len() == 64, "{wheel}");
            }
        }
        let cpu = Half::Cpu.requirements().lines().skip(1);
        for wheel in cpu {
            assert!(Half::Cuda.requirements().contains(wheel), "{wheel}");
        }
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        for name in ["unfinished-7/wheels", "2.11.0-cpu/lib"] {
            fs::create_dir_all(cache.path().join(name)).expect("writable");
        }
        remove_unfinished(cache.path()).expect("removable");
        let left = fs::read_dir(cache.path()).expect("readable");
        let names: Vec<_> = left.map(|e| e.expect("readable").file_name()).collect();
        assert_eq!(names, ["2.11.0-cpu"]);
    }

    #[test]
    fn the_hint_names_the_place_and_the_lock_ends_with_its_owner() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let place = find::fetched(cache.path(), Half::Cpu);
        let hint = by_hand(Half::Cpu, &place);
        assert!(hint.contains("2.11.0-cpu") && hint.contains("LIBTORCH"));
        let first = lock(cache.path()).expect("free");
        drop(first);
        lock(cache.path()).expect("free again");
    }
}
