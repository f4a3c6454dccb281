//! Folder of one run: opened by one process at a time, and resumed from its last state.

use std::fs;
use std::path::{Path, PathBuf};

use brainmae_files::FolderLock;

use crate::{Manifest, MetricLog, RunError, Status};

/// A run folder, locked for this process until it is dropped, or followed while another process
/// works in it.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    manifest: Manifest,
    found: Option<Status>,
    /// `None` in a process that follows.
    lock: Option<FolderLock>,
}

impl RunFolder {
    /// Path of the run of `manifest` below `root`.
    pub fn place(root: &Path, manifest: &Manifest) -> PathBuf {
        root.join(&manifest.experiment)
            .join(format!("{}-{}", manifest.stage, manifest.identity))
    }

    /// Opens the folder of `manifest` below `root`; creates it if it is missing.
    ///
    /// A finished run stays unchanged: ask [`RunFolder::found`]. Any other run is set to running.
    ///
    /// # Errors
    /// [`FileError::Busy`](brainmae_files::FileError::Busy) if another process is at work in it,
    /// [`RunError::OtherRun`] if the folder holds another run.
    pub fn open(root: &Path, manifest: Manifest) -> Result<Self, RunError> {
        let path = Self::place(root, &manifest);
        let lock = FolderLock::take(&path, &path)?;
        let file = path.join("manifest.json");
        let (mut manifest, found) = if file.exists() {
            let old = Manifest::read(&file)?;
            if old.identity != manifest.identity {
                return Err(RunError::OtherRun {
                    path: file,
                    found: old.identity.to_string(),
                    expected: manifest.identity.to_string(),
                });
            }
            let found = old.status.clone();
            let mut merged = old;
            if found != Status::Finished && merged.versions != manifest.versions {
                let earlier = std::mem::replace(&mut merged.versions, manifest.versions);
                merged.earlier_versions.push(earlier);
            }
            (merged, Some(found))
        } else {
            (manifest, None)
        };
        if found != Some(Status::Finished) {
            manifest.set(Status::Running, None);
            manifest.write(&file)?;
        }
        Ok(Self {
            path,
            manifest,
            found,
            lock: Some(lock),
        })
    }

    /// Follows the folder of `manifest` that another process has opened. This process writes
    /// nothing to it.
    ///
    /// # Errors
    /// [`RunError::Files`] if there is no such folder.
    pub fn follow(root: &Path, manifest: &Manifest) -> Result<Self, RunError> {
        let path = Self::place(root, manifest);
        let manifest = Manifest::read(&path.join("manifest.json"))?;
        Ok(Self {
            found: Some(manifest.status.clone()),
            path,
            manifest,
            lock: None,
        })
    }

    /// Moves an unfinished run's folder aside, so that the run starts again from the beginning;
    /// nothing is deleted.
    ///
    /// # Errors
    /// [`FileError::Busy`](brainmae_files::FileError::Busy) if a process is at work in it.
    pub fn set_aside(root: &Path, manifest: &Manifest) -> Result<Option<PathBuf>, RunError> {
        let path = Self::place(root, manifest);
        if !path.exists() {
            return Ok(None);
        }
        let _lock = FolderLock::take(&path, &path)?;
        let aside = (1..)
            .map(|i| path.with_extension(format!("old-{i}")))
            .find(|aside| !aside.exists());
        let aside = aside.unwrap_or_else(|| unreachable!("numbers do not end"));
        fs::rename(&path, &aside).map_err(RunError::write(&path))?;
        Ok(Some(aside))
    }

    /// Status of the run when it was opened; `None` if it is new.
    pub fn found(&self) -> Option<&Status> {
        self.found.as_ref()
    }

    /// Path of the run folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Manifest of the run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Opens the metric log and drops every record after `last_step`, because these steps run
    /// again.
    ///
    /// # Errors
    /// [`RunError::Files`].
    pub fn metric_log(&self, last_step: Option<u64>) -> Result<MetricLog, RunError> {
        MetricLog::open(&self.path.join("metrics.jsonl"), last_step)
    }

    /// Folder of the checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Writes the status, and the reason for [`Status::Failed`]. A process that follows writes
    /// nothing.
    ///
    /// # Errors
    /// [`RunError::Files`].
    pub fn set_status(&mut self, status: Status, failure: Option<String>) -> Result<(), RunError> {
        if self.lock.is_none() {
            return Ok(());
        }
        self.manifest.set(status, failure);
        self.manifest.write(&self.path.join("manifest.json"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use brainmae_files::FileError;
    use serde_json::json;

    use super::*;

    fn manifest(lr: f64) -> Manifest {
        let config = json!({ "lr": lr });
        Manifest::new("planted", "pretrain-sg", config, BTreeMap::new(), 7, "cpu")
    }

    #[test]
    fn two_processes_cannot_share_a_folder() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let first = RunFolder::open(root.path(), manifest(0.1)).expect("new");
        let second = RunFolder::open(root.path(), manifest(0.1));
        assert!(matches!(
            second,
            Err(RunError::Files(FileError::Busy { .. }))
        ));
        drop(first);
        assert!(RunFolder::open(root.path(), manifest(0.1)).is_ok());
    }

    #[test]
    fn one_who_follows_needs_a_folder_and_changes_nothing() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let none = RunFolder::follow(root.path(), &manifest(0.1));
        assert!(matches!(none, Err(RunError::Files(FileError::Io { .. }))));
        let first = RunFolder::open(root.path(), manifest(0.1)).expect("new");
        let mut second = RunFolder::follow(root.path(), &manifest(0.1)).expect("there");
        assert_eq!(second.path(), first.path());
        second.set_status(Status::Failed, None).expect("ignored");
        let third = RunFolder::follow(root.path(), &manifest(0.1)).expect("there");
        assert_eq!(third.found(), Some(&Status::Running));
    }

    #[test]
    fn another_config_is_another_folder() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let one = RunFolder::open(root.path(), manifest(0.1)).expect("new");
        let other = RunFolder::open(root.path(), manifest(0.2)).expect("new");
        assert_ne!(one.path(), other.path());
    }

    #[test]
    fn a_finished_run_is_found_finished() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let mut run = RunFolder::open(root.path(), manifest(0.1)).expect("new");
        assert_eq!(run.found(), None);
        run.set_status(Status::Finished, None).expect("writable");
        drop(run);
        let run = RunFolder::open(root.path(), manifest(0.1)).expect("there");
        assert_eq!(run.found(), Some(&Status::Finished));
    }

    #[test]
    fn a_run_resumed_by_other_code_tells_both_versions() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let mut newer = manifest(0.1);
        newer.versions.insert("code".into(), "b".into());
        let old = manifest(0.1).versions;
        drop(RunFolder::open(root.path(), manifest(0.1)).expect("new"));
        let resumed = RunFolder::open(root.path(), newer.clone()).expect("unlocked");
        assert_eq!(resumed.manifest().versions, newer.versions);
        assert_eq!(resumed.manifest().earlier_versions, [old]);
    }

    #[test]
    fn setting_aside_loses_nothing() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let run = RunFolder::open(root.path(), manifest(0.1)).expect("new");
        fs::write(run.path().join("note"), "kept").expect("writable");
        drop(run);
        let aside = RunFolder::set_aside(root.path(), &manifest(0.1)).expect("unlocked");
        let note = fs::read_to_string(aside.expect("it was there").join("note"));
        assert_eq!(note.expect("moved along"), "kept");
        let anew = RunFolder::open(root.path(), manifest(0.1)).expect("new again");
        assert_eq!(anew.found(), None);
    }
}
