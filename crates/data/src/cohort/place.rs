//! Where a cohort is written: beside its place, and moved there once it is whole.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::DataError;

/// The unfinished cohort in its folder `<out>.partial/`.
const CONTENT: &str = "cohort";

/// The folder `<out>.partial/`, locked for this process and removed when dropped.
pub(super) struct Place {
    out: PathBuf,
    dir: PathBuf,
    /// Held until dropped; the system lets go of it when the process dies.
    _lock: File,
}

impl Place {
    /// Takes the right to fill `out`, which must not exist or be empty.
    ///
    /// What a killed process left in `<out>.partial/` is removed.
    pub fn claim(out: &Path) -> Result<Self, DataError> {
        let name = out
            .file_name()
            .ok_or_else(|| DataError::config("out", out.display(), "a path that ends in a name"))?;
        let is_empty = || fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
        if out.exists() && !is_empty() {
            return Err(DataError::Occupied {
                path: out.to_owned(),
                found: "something already".into(),
                advice: "choose another folder, or delete this one",
            });
        }
        let mut partial_name = name.to_owned();
        partial_name.push(".partial");
        let dir = out.with_file_name(partial_name);
        fs::create_dir_all(&dir).map_err(DataError::io("create the folder", &dir))?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(DataError::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataError::Busy {
                    path: out.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => {
                return Err(DataError::io("lock", lock_path)(error));
            }
        }
        let place = Self {
            out: out.to_owned(),
            dir,
            _lock: lock,
        };
        let content = place.content();
        if content.exists() {
            fs::remove_dir_all(&content).map_err(DataError::io("remove", &content))?;
        }
        fs::create_dir(&content).map_err(DataError::io("create the folder", &content))?;
        Ok(place)
    }

    /// The folder to write into.
    pub fn content(&self) -> PathBuf {
        self.dir.join(CONTENT)
    }

    /// Moves the cohort to its place.
    pub fn finish(self) -> Result<(), DataError> {
        if self.out.exists() {
            fs::remove_dir(&self.out).map_err(DataError::io("replace", &self.out))?;
        }
        fs::rename(self.content(), &self.out).map_err(DataError::io("move into place", &self.out))
    }
}

impl Drop for Place {
    /// Leaves nothing behind; what somebody else put into the folder stays.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.content());
        let _ = fs::remove_file(self.dir.join("lock"));
        let _ = fs::remove_dir(&self.dir);
    }
}

/// Writes a file and the folders above it.
pub(super) fn write_text(path: &Path, text: &str) -> Result<(), DataError> {
    create_folder_of(path)?;
    fs::write(path, text).map_err(DataError::io("write", path))
}

/// Creates the folders above a file.
pub(super) fn create_folder_of(path: &Path) -> Result<(), DataError> {
    let Some(dir) = path.parent() else {
        return Ok(());
    };
    fs::create_dir_all(dir).map_err(DataError::io("create the folder", dir))
}

/// Cuts a file to 60 % of its length, as a broken copy does.
pub(super) fn cut_short(path: &Path) -> Result<(), DataError> {
    let file = File::options()
        .write(true)
        .open(path)
        .map_err(DataError::io("open", path))?;
    let length = file
        .metadata()
        .map_err(DataError::io("read the size of", path))?
        .len();
    file.set_len(length / 5 * 3)
        .map_err(DataError::io("shorten", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_finished_cohort_stands_in_its_place_alone() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("below/cohort");
        let place = Place::claim(&out).unwrap();
        write_text(&place.content().join("a/b.txt"), "b").unwrap();
        place.finish().unwrap();
        assert_eq!(fs::read_to_string(out.join("a/b.txt")).unwrap(), "b");
        assert_eq!(names(&folder.path().join("below")), ["cohort"]);
    }

    #[test]
    fn work_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::claim(&folder.path().join("cohort")).unwrap();
        write_text(&place.content().join("a.txt"), "a").unwrap();
        drop(place);
        assert_eq!(names(folder.path()), [] as [&str; 0]);
    }

    #[test]
    fn what_a_killed_process_left_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("cohort.partial/cohort/old.txt");
        write_text(&left, "old").unwrap();
        let place = Place::claim(&folder.path().join("cohort")).unwrap();
        assert_eq!(names(&place.content()), [] as [&str; 0]);
    }

    #[test]
    fn one_process_at_a_time_and_never_over_something() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("cohort");
        let place = Place::claim(&out).unwrap();
        assert!(matches!(Place::claim(&out), Err(DataError::Busy { .. })));
        place.finish().unwrap();
        // An empty folder may be filled.
        drop(Place::claim(&out).unwrap());
        write_text(&out.join("mine.txt"), "mine").unwrap();
        let occupied = Place::claim(&out);
        assert!(matches!(occupied, Err(DataError::Occupied { .. })));
    }
}
