//! Checkpoints: a folder of named bytes, written beside the previous one and swapped in whole.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Card, RunError};
use brainmae_files::atomic::{sync_parent, write_synced};
use brainmae_files::{CommonErrors as _, sha256_bytes};

/// Name of the file of weights in a checkpoint.
pub const WEIGHTS: &str = "model.safetensors";

/// A checkpoint on disk: `model.safetensors`, `state` and `card.json`.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    card: Card,
    sha256: BTreeMap<String, String>,
}

/// Content of `card.json`.
#[derive(Serialize, Deserialize)]
struct CardFile {
    #[serde(flatten)]
    card: Card,
    /// Hash of every other file of the checkpoint, by file name.
    sha256: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Writes a checkpoint called `name` into `folder`; one of that name is replaced once the new
    /// one is whole.
    ///
    /// # Errors
    /// [`RunError::Files`], for example when the disk is full: the previous checkpoint is then
    /// still there, and no partial new one.
    pub fn save(
        folder: &Path,
        name: &str,
        card: &Card,
        files: &[(&str, Vec<u8>)],
    ) -> Result<(), RunError> {
        Self::save_with(folder, name, card, files, write_synced)
    }

    fn save_with(
        folder: &Path,
        name: &str,
        card: &Card,
        files: &[(&str, Vec<u8>)],
        write: impl Fn(&Path, &[u8]) -> io::Result<()>,
    ) -> Result<(), RunError> {
        let card = CardFile {
            card: card.clone(),
            sha256: files
                .iter()
                .map(|(name, bytes)| (name.to_string(), sha256_bytes(bytes)))
                .collect(),
        };
        let target = folder.join(name);
        let card = serde_json::to_vec_pretty(&card).map_err(|e| RunError::damaged(&target, e))?;
        let [next, old] = staging(folder, name);
        let save = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            recover(folder, name)?;
            fs::create_dir(&next)?;
            for (name, bytes) in files {
                write(&next.join(name), bytes)?;
            }
            write(&next.join("card.json"), &card)?;
            sync_parent(&next.join("card.json"))?;
            if target.exists() {
                fs::rename(&target, &old)?;
            }
            fs::rename(&next, &target)?;
            sync_parent(&target)?;
            if old.exists() {
                fs::remove_dir_all(&old)?;
            }
            Ok(())
        };
        save().map_err(|source| {
            // Best effort: the next save removes any leftovers.
            let _ = recover(folder, name);
            RunError::write(&target)(source)
        })
    }

    /// Opens the checkpoint called `name`; `None` if there is none.
    ///
    /// # Errors
    /// [`RunError::Damaged`] if its card is not readable.
    pub fn find(folder: &Path, name: &str) -> Result<Option<Self>, RunError> {
        recover(folder, name).map_err(RunError::write(folder))?;
        let path = folder.join(name);
        if !path.exists() {
            return Ok(None);
        }
        Self::open(&path).map(Some)
    }

    /// Opens the checkpoint in the folder `path`.
    ///
    /// # Errors
    /// [`RunError::Files`] or [`RunError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let file = path.join("card.json");
        let text = fs::read_to_string(&file).map_err(RunError::io("read", &file))?;
        let card: CardFile =
            serde_json::from_str(&text).map_err(|e| RunError::damaged(&file, e))?;
        Ok(Self {
            path: path.to_path_buf(),
            card: card.card,
            sha256: card.sha256,
        })
    }

    /// Folder of the checkpoint.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Card that a user of the checkpoint must agree with.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The bytes of one of its files, checked against the card.
    ///
    /// # Errors
    /// [`RunError::Files`], or [`RunError::Damaged`] if the bytes differ from those that were
    /// written.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, RunError> {
        let path = self.path.join(name);
        let bytes = fs::read(&path).map_err(RunError::io("read", &path))?;
        match self.sha256.get(name) {
            Some(expected) if *expected == sha256_bytes(&bytes) => Ok(bytes),
            Some(_) => Err(RunError::damaged(
                path,
                "its checksum is not the one in card.json",
            )),
            None => Err(RunError::damaged(path, "card.json has no checksum of it")),
        }
    }
}

fn staging(folder: &Path, name: &str) -> [PathBuf; 2] {
    ["next", "old"].map(|kind| folder.join(format!(".{name}.{kind}")))
}

/// Repairs what a killed or failed save left: restores the old checkpoint unless the new one is
/// complete.
fn recover(folder: &Path, name: &str) -> io::Result<()> {
    let target = folder.join(name);
    let [next, old] = staging(folder, name);
    if old.exists() {
        if target.exists() {
            fs::remove_dir_all(&old)?;
        } else {
            fs::rename(&old, &target)?;
        }
    }
    if next.exists() {
        fs::remove_dir_all(&next)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use brainmae_files::FileError;

    use super::*;

    fn save(folder: &Path, step: u64) -> Result<(), RunError> {
        let card = Card {
            step,
            ..Card::default()
        };
        Checkpoint::save(folder, "last", &card, &[("state", vec![step as u8; 1000])])
    }

    fn step(folder: &Path) -> Option<u64> {
        let checkpoint = Checkpoint::find(folder, "last").expect("readable")?;
        let state = checkpoint.read("state").expect("whole");
        assert_eq!(u64::from(state[0]), checkpoint.card().step);
        Some(checkpoint.card().step)
    }

    #[test]
    fn the_newest_counts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(step(folder.path()), None);
        for i in 1..3 {
            save(folder.path(), i).expect("writable");
            assert_eq!(step(folder.path()), Some(i));
        }
        let left = fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(left, 1, "nothing but the checkpoint is left");
    }

    #[test]
    fn a_full_disk_leaves_the_old_checkpoint_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        save(folder.path(), 1).expect("writable");
        let full = |_: &Path, bytes: &[u8]| {
            // Every write to this device fails as on a full disk.
            write_synced(Path::new("/dev/full"), bytes)
        };
        let card = Card {
            step: 2,
            ..Card::default()
        };
        let files = [("state", vec![2; 1000])];
        let error = Checkpoint::save_with(folder.path(), "last", &card, &files, full)
            .expect_err("no space");
        let RunError::Files(FileError::Write { source, .. }) = error else {
            panic!("{error}")
        };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
        assert_eq!(step(folder.path()), Some(1));
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }

    #[test]
    fn a_kill_between_any_two_steps_of_a_save_loses_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [next, old] = staging(folder.path(), "last");
        let last = folder.path().join("last");
        save(folder.path(), 1).expect("writable");

        fs::create_dir(&next).expect("killed while writing the new one");
        fs::write(next.join("state"), "half").expect("writable");
        assert_eq!(step(folder.path()), Some(1));

        fs::rename(&last, &old).expect("killed between the two renames");
        assert_eq!(step(folder.path()), Some(1));

        save(folder.path(), 2).expect("writable");
        fs::create_dir(&old).expect("killed before the old one was removed");
        assert_eq!(step(folder.path()), Some(2));
        assert!(!old.exists() && !next.exists());
    }

    #[test]
    fn changed_bytes_are_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        save(folder.path(), 1).expect("writable");
        fs::write(folder.path().join("last/state"), "other").expect("writable");
        let checkpoint = Checkpoint::find(folder.path(), "last").expect("readable");
        let error = checkpoint
            .expect("there")
            .read("state")
            .expect_err("changed");
        assert!(matches!(error, RunError::Damaged { .. }));
    }
}
