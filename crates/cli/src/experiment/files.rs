//! Files that an experiment names: raw data, prepared data sets, split files, checkpoints.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use brainmae_machine::front::Front;
use brainmae_machine::workspace;

use crate::shipped;

/// Lookup of the relative paths of an experiment.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Folder of the experiment's file; `None` for an experiment that comes with the program.
    beside: Option<PathBuf>,
}

impl Files {
    /// Lookup of the paths of the experiment in this file.
    pub fn of(file: &Path) -> Self {
        Self {
            beside: file.parent().map(Path::to_path_buf),
        }
    }

    /// Folders in which a relative path is searched, in order: that of the experiment's file, the
    /// current one, and for `cargo xtask` the clone.
    fn folders(&self) -> Vec<PathBuf> {
        let here = std::env::current_dir().unwrap_or_default();
        let beside = self.beside.iter().map(|folder| here.join(folder));
        let mut folders: Vec<PathBuf> = beside.chain([here.clone()]).collect();
        if Front::this() == Front::Xtask {
            folders.push(here.join(workspace::work_folder()));
        }
        folders
    }

    /// Finds `path`; if it exists nowhere, returns the last place that was searched.
    pub fn find(&self, path: &Path) -> PathBuf {
        let mut places: Vec<PathBuf> = self.folders().iter().map(|f| f.join(path)).collect();
        let last = places.pop().unwrap_or_else(|| path.to_path_buf());
        places.into_iter().find(|p| p.exists()).unwrap_or(last)
    }

    /// Finds the folder of raw data at `path`. If it exists nowhere, returns the folder of a
    /// shipped data set, which is unpacked below `data`, the folder of prepared data sets.
    pub fn find_source(&self, path: &Path, data: &Path) -> PathBuf {
        let found = self.find(path);
        match shipped::source(path) {
            Some(name) if !found.exists() => shipped::place(name, data),
            _ => found,
        }
    }

    /// As [`Files::find_source`], but unpacks a shipped data set that is not there yet.
    ///
    /// # Errors
    /// If there is no such folder.
    pub fn open_source(&self, path: &Path, data: &Path) -> Result<PathBuf> {
        let found = self.find(path);
        if found.exists() {
            return Ok(found);
        }
        if let Some(name) = shipped::source(path) {
            return shipped::unpack(name, data);
        }
        let folders: Vec<String> = (self.folders().iter())
            .map(|folder| workspace::shown(folder))
            .collect();
        bail!(
            "data.source is {path:?}, and no such folder is in {folders:?}\nhint: name it by its whole path, as in `--set data.source=/data/HCP`"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_beside_the_experiment_first_and_to_shipped_data_last() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = Files::of(&folder.path().join("mine.toml"));
        let (data, path) = (Path::new("/prepared"), Path::new("datasets/nitime"));
        let shipped = files.find_source(path, data);
        assert_eq!(shipped, Path::new("/prepared/.sources/nitime"));
        let mine = folder.path().join(path);
        std::fs::create_dir_all(&mine).expect("writable");
        assert_eq!(files.find_source(path, data), mine);
        assert_eq!(files.open_source(path, data).expect("it is there"), mine);
        assert_eq!(files.find(Path::new("/whole")), Path::new("/whole"));
    }

    #[test]
    fn raw_data_that_are_nowhere_are_told_where_they_were_looked_for() {
        let files = Files::of(Path::new("/a/mine.toml"));
        let error = files.open_source(Path::new("raw/HCP"), Path::new("/prepared"));
        let error = error.expect_err("nowhere").to_string();
        assert!(
            error.contains("raw/HCP") && error.contains("\"/a\""),
            "{error}"
        );
    }
}
