//! Lock of a folder: one process at a time works in it.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::FileError;

/// Name of the lock file in a locked folder.
const NAME: &str = "lock";

/// The lock of a folder, held until dropped. The system releases it when the process dies.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the folder `dir` and creates it if it does not exist. `shown` is the path for error
    /// messages.
    ///
    /// Another process may remove the folder and its lock file after its work is done. In this case
    /// the lock is taken on the new lock file.
    ///
    /// # Errors
    /// [`FileError::Busy`] while another process holds the lock; [`FileError::Io`].
    pub fn take(dir: &Path, shown: &Path) -> Result<Self, FileError> {
        let path = dir.join(NAME);
        loop {
            fs::create_dir_all(dir).map_err(FileError::io("create the folder", dir))?;
            let file = match File::create(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                file => file.map_err(FileError::io("create", &path))?,
            };
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { _file: file }),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(FileError::Busy {
                        path: shown.to_owned(),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(FileError::io("lock", path)(error)),
            }
        }
    }

    /// Locks the folder `dir` if it has a lock file that no process holds.
    pub fn of_dead_process(dir: &Path) -> Option<Self> {
        let file = File::open(dir.join(NAME)).ok()?;
        file.try_lock().ok()?;
        Some(Self { _file: file })
    }

    /// Removes the lock file of `dir`, so that the folder can be removed afterwards.
    pub fn remove_file(dir: &Path) {
        // A remaining lock file does no harm: the next process locks it.
        let _ = fs::remove_file(dir.join(NAME));
    }
}

/// Whether an open file is still the file at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// On other systems an open file cannot be removed, so it is always the file at `path`.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("below/run");
        let first = FolderLock::take(&dir, folder.path()).unwrap();
        let second = FolderLock::take(&dir, folder.path());
        assert!(matches!(second, Err(FileError::Busy { path }) if path == folder.path()));
        assert!(FolderLock::of_dead_process(&dir).is_none());
        drop(first);
        FolderLock::take(&dir, &dir).unwrap();
        assert!(FolderLock::of_dead_process(&dir).is_some());
        FolderLock::remove_file(&dir);
        assert!(FolderLock::of_dead_process(&dir).is_none());
    }
}
