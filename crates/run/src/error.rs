//! Errors of run folders.

use std::path::PathBuf;

use brainmae_files::FileError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file of a run folder whose content is not what was written.
    #[error("{path:?} is damaged: {problem}")]
    Damaged {
        /// Damaged file.
        path: PathBuf,
        /// Description of the damage.
        problem: String,
    },
    /// A file error, or a run folder in which another process is at work.
    #[error(transparent)]
    Files(#[from] FileError),
    /// A run folder whose manifest belongs to another run.
    #[error(
        "{path:?} belongs to another run: its identity is {found}, expected {expected}; move it away"
    )]
    OtherRun {
        /// Path of the manifest.
        path: PathBuf,
        /// Identity in the manifest.
        found: String,
        /// Identity of this run.
        expected: String,
    },
    /// A table that cannot be written, or is no parquet.
    #[error("cannot write or read the table {path:?}")]
    Table {
        /// Path of the table.
        path: PathBuf,
        /// Error of the table.
        #[source]
        source: brainmae_table::TableError,
    },
}

impl RunError {
    /// Wraps an error of writing; the previous version of the file is still there.
    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let wrap = FileError::write(path);
        |source| wrap(source).into()
    }

    pub(crate) fn damaged(path: impl Into<PathBuf>, problem: impl ToString) -> Self {
        Self::Damaged {
            path: path.into(),
            problem: problem.to_string(),
        }
    }
}
