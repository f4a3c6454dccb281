//! Shipped files: experiments, and the raw data sets that they name.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brainmae_run::write_atomic;

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// Folder of the shipped data sets in the paths of experiments.
const DATASETS: &str = "datasets";

/// Folder of unpacked raw data sets, below that of the prepared ones.
const UNPACKED: &str = ".sources";

/// Name of the shipped data set that an experiment calls `datasets/<name>`.
pub fn source(path: &Path) -> Option<&'static str> {
    let wanted = path.strip_prefix(DATASETS).ok()?;
    let mut names = SOURCES.iter().map(|(name, _)| *name);
    names.find(|name| Path::new(name) == wanted)
}

/// Folder of a shipped data set once it is unpacked.
pub fn place(name: &str, data: &Path) -> PathBuf {
    data.join(UNPACKED).join(name)
}

/// Unpacks a shipped data set below `data`, the folder of prepared data sets; existing files stay.
/// Returns its folder.
///
/// # Errors
/// If there is no such data set, or if it cannot be written.
pub fn unpack(name: &str, data: &Path) -> Result<PathBuf> {
    let files = SOURCES.iter().find(|(known, _)| *known == name);
    let (_, files) = files.with_context(|| format!("no data set {name} is shipped"))?;
    let folder = place(name, data);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {folder:?}"))?;
    for (file, bytes) in *files {
        let path = folder.join(file);
        // A differing file is from another version of the program, or was changed since: the
        // checksums in `source.toml` are those of these bytes.
        if std::fs::read(&path).is_ok_and(|found| found == *bytes) {
            continue;
        }
        write_atomic(&path, bytes)?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipped_data_set_is_unpacked_once_and_repaired() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let name = source(Path::new("datasets/haxby2001")).expect("shipped");
        let folder = unpack(name, data.path()).expect("writable");
        assert_eq!(folder, place(name, data.path()));
        let recipe = folder.join("source.toml");
        let written = |path: &Path| std::fs::metadata(path).expect("there").modified().ok();
        let first = written(&recipe);
        std::fs::write(folder.join("mask.nii.gz"), "damaged").expect("writable");
        unpack(name, data.path()).expect("writable");
        assert_eq!(written(&recipe), first);
        let mask = std::fs::read(folder.join("mask.nii.gz")).expect("there");
        assert_ne!(mask, b"damaged");
    }

    #[test]
    fn only_shipped_data_sets_are_found() {
        assert_eq!(source(Path::new("datasets/nitime")), Some("nitime"));
        assert_eq!(source(Path::new("datasets/other")), None);
        assert_eq!(source(Path::new("haxby2001")), None);
        assert!(unpack("other", Path::new("/nowhere")).is_err());
    }
}
