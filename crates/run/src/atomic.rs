//! Writing files so that a reader sees the old one or the new one, never half.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::RunError;

/// Writes `bytes` beside `path`, brings them to the disk, and renames.
///
/// # Errors
/// [`RunError::Write`]; the file that was at `path` is untouched then.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
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
        RunError::write(path)(source)
    })
}

pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename or a new entry in `path`'s folder survive a power cut.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
