//! Folder of an unfinished cohort, moved to its path once it is complete.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;
use brainmae_files::FolderLock;
use brainmae_files::atomic::create_folder_of;

use crate::error::SimulateError;

/// The unfinished cohort in its folder `<out>.partial/`.
const CONTENT: &str = "cohort";

/// The folder `<out>.partial/`, locked for this process and removed when dropped.
pub(super) struct Place {
    out: PathBuf,
    dir: PathBuf,
    /// Held until dropped; the system releases it when the process dies.
    _lock: FolderLock,
}

impl Place {
    /// Claims the right to fill `out`, which must not exist or be empty.
    ///
    /// The remains of a killed process in `<out>.partial/` are removed.
    pub fn claim(out: &Path) -> Result<Self, SimulateError> {
        let name = out.file_name().ok_or_else(|| {
            SimulateError::config("out", out.display(), "a path that ends in a name")
        })?;
        let is_empty = || fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
        if out.exists() && !is_empty() {
            return Err(SimulateError::Occupied {
                path: out.to_owned(),
            });
        }
        let mut partial_name = name.to_owned();
        partial_name.push(".partial");
        let dir = out.with_file_name(partial_name);
        let lock = FolderLock::take(&dir, out)?;
        let place = Self {
            out: out.to_owned(),
            dir,
            _lock: lock,
        };
        let content = place.content();
        if content.exists() {
            fs::remove_dir_all(&content).map_err(SimulateError::io("remove", &content))?;
        }
        fs::create_dir(&content).map_err(SimulateError::io("create the folder", &content))?;
        Ok(place)
    }

    /// The folder for the files of the cohort.
    pub fn content(&self) -> PathBuf {
        self.dir.join(CONTENT)
    }

    /// Moves the cohort to `out`.
    pub fn finish(self) -> Result<(), SimulateError> {
        if self.out.exists() {
            fs::remove_dir(&self.out).map_err(SimulateError::io("replace", &self.out))?;
        }
        fs::rename(self.content(), &self.out)
            .map_err(SimulateError::io("move into place", &self.out))
    }
}

impl Drop for Place {
    /// Removes the unfinished cohort; files of others in the folder are kept.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.content());
        FolderLock::remove_file(&self.dir);
        let _ = fs::remove_dir(&self.dir);
    }
}

/// Writes a file and the folders above it.
pub(super) fn write_text(path: &Path, text: &str) -> Result<(), SimulateError> {
    create_folder_of(path)?;
    fs::write(path, text).map_err(SimulateError::io("write", path))
}

/// Truncates a file to 60 % of its length, like an interrupted copy.
pub(super) fn cut_short(path: &Path) -> Result<(), SimulateError> {
    let file = File::options()
        .write(true)
        .open(path)
        .map_err(SimulateError::io("open", path))?;
    let length = file
        .metadata()
        .map_err(SimulateError::io("read the size of", path))?
        .len();
    file.set_len(length / 5 * 3)
        .map_err(SimulateError::io("shorten", path))
}

#[cfg(test)]
mod tests {
    use brainmae_files::FileError;

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
        assert!(matches!(
            Place::claim(&out),
            Err(SimulateError::Files(FileError::Busy { .. }))
        ));
        place.finish().unwrap();
        // An empty folder may be filled.
        drop(Place::claim(&out).unwrap());
        write_text(&out.join("mine.txt"), "mine").unwrap();
        let occupied = Place::claim(&out);
        assert!(matches!(occupied, Err(SimulateError::Occupied { .. })));
    }
}
