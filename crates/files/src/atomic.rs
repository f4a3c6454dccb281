//! Atomic writes: a reader sees the old file or the new one, never a partial file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::FileError;

/// Writes `bytes` to a temporary file beside `path`, syncs it to the disk, and renames it to
/// `path`.
///
/// # Errors
/// [`FileError::Write`]; the file that was at `path` before is unchanged.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".next");
    let staging = path.with_file_name(name);
    let write = || -> io::Result<()> {
        write_synced(&staging, bytes)?;
        fs::rename(&staging, path)?;
        sync_parent(path)
    };
    write().map_err(|source| {
        // No further clean-up is possible if this fails; the next write overwrites the file.
        let _ = fs::remove_file(&staging);
        FileError::write(path)(source)
    })
}

/// Creates the folders above a file.
///
/// # Errors
/// [`FileError::Io`].
pub fn create_folder_of(path: &Path) -> Result<(), FileError> {
    let Some(dir) = path.parent() else {
        return Ok(());
    };
    fs::create_dir_all(dir).map_err(FileError::io("create the folder", dir))
}

/// Writes `bytes` to `path` and syncs them to the disk.
///
/// # Errors
/// The error of the operating system.
pub fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename or a new entry in `path`'s folder survive a power cut.
///
/// # Errors
/// The error of the operating system.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
