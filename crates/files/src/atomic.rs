//! Atomic writes: a reader sees the old file or the new one, never half of one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::FileError;

/// Writes `bytes` beside `path`, brings them to the disk, and renames.
///
/// # Errors
/// [`FileError::Write`]; the file that was at `path` is untouched then.
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
        // Nothing more can be done if this fails too; the next write overwrites it.
        let _ = fs::remove_file(&staging);
        FileError::Write {
            path: path.to_owned(),
            source,
        }
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

/// Writes `bytes` to `path` and brings them to the disk.
///
/// # Errors
/// What the system says.
pub fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename or a new entry in `path`'s folder survive a power cut.
///
/// # Errors
/// What the system says.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
