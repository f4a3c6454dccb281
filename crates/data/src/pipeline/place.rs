//! Output folder of a preparation: its present content, and the right to fill it.

use std::fs;
use std::path::{Path, PathBuf};

use super::work_folder::{REPLACED, WorkFolder, remove_left_over};
use crate::error::{DataError, Occupant};
use crate::prepared::{CARD, PreparedDataset, ScanRecord};
use brainmae_files::CommonErrors as _;
use brainmae_files::FolderLock;

/// Result of a claim of the output folder.
pub(super) enum Claim {
    /// The data set exists.
    UpToDate(Box<PreparedDataset>),
    /// The data set must be made.
    Work(WorkFolder),
}

/// Content of the output folder.
enum There {
    /// Nothing, or an empty folder.
    Nothing,
    /// The requested data set, complete.
    Wanted(Box<PreparedDataset>),
    /// Something else.
    Other(Occupant),
}

fn look(out: &Path, identity: &str, overwrite: bool) -> There {
    let is_empty = || fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if !out.join(CARD).is_file() {
        return if out.exists() && !is_empty() {
            There::Other(Occupant::Foreign)
        } else {
            There::Nothing
        };
    }
    match PreparedDataset::open(out) {
        Ok(dataset) if dataset.header().identity == identity => match dataset.verify() {
            // A file that was unreadable before may be readable now.
            Ok(()) if overwrite && dataset.scans().iter().any(ScanRecord::is_failed) => {
                There::Other(Occupant::SomeFailed)
            }
            Ok(()) => There::Wanted(Box::new(dataset)),
            Err(error) => There::Other(Occupant::Damaged {
                problem: error.to_string(),
            }),
        },
        Ok(dataset) => There::Other(Occupant::Other {
            name: dataset.header().name.clone(),
        }),
        Err(error) => There::Other(Occupant::Unreadable {
            problem: error.to_string(),
        }),
    }
}

/// Checks `out` and claims the right to fill it.
///
/// `out` is never deleted, unless it is a prepared data set and `overwrite` is true.
pub(super) fn claim(out: &Path, identity: &str, overwrite: bool) -> Result<Claim, DataError> {
    let dir = partial_folder(out)?;
    // The first check has no lock: if there is no work, the folder need not be writable.
    if let There::Wanted(dataset) = look(out, identity, overwrite) {
        remove_left_over(&dir);
        return Ok(Claim::UpToDate(dataset));
    }
    let lock = FolderLock::take(&dir, out)?;
    let replaced = dir.join(REPLACED);
    if !out.exists() && replaced.join(CARD).is_file() {
        // After an interruption between the two renames of an overwrite, the old data set is moved
        // back first.
        fs::rename(&replaced, out).map_err(DataError::io("move back", &replaced))?;
    }
    let folder = WorkFolder::new(out, dir.clone(), lock)?;
    match look(out, identity, overwrite) {
        There::Wanted(dataset) => {
            drop(folder);
            remove_left_over(&dir);
            Ok(Claim::UpToDate(dataset))
        }
        There::Other(by) if !(overwrite && by.is_replaceable()) => Err(DataError::Occupied {
            path: out.to_owned(),
            by,
        }),
        There::Other(_) | There::Nothing => Ok(Claim::Work(folder)),
    }
}

/// The folder of unfinished work beside `out`.
fn partial_folder(out: &Path) -> Result<PathBuf, DataError> {
    let name = out
        .file_name()
        .ok_or_else(|| DataError::config("out", out.display(), "a path that ends in a name"))?;
    let mut partial_name = name.to_owned();
    partial_name.push(".partial");
    Ok(out.with_file_name(partial_name))
}
