//! Errors of run folders.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Reading failed.
    #[error("cannot read {path:?}")]
    Read {
        /// File or folder that cannot be read.
        path: PathBuf,
        /// Error of the system.
        #[source]
        source: std::io::Error,
    },
    /// Writing failed; the previous content is still there.
    #[error(
        "cannot write {path:?}; the previous version is kept. Free some space or check the permissions, then resume"
    )]
    Write {
        /// File or folder that cannot be written.
        path: PathBuf,
        /// Error of the system.
        #[source]
        source: std::io::Error,
    },
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
    Files(#[from] brainmae_files::FileError),
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
    /// A table that cannot be written as parquet, or is no parquet.
    #[error("cannot write or read the table {path:?}")]
    Table {
        /// Path of the table.
        path: PathBuf,
        /// Error of the table library.
        #[source]
        source: polars::error::PolarsError,
    },
}

impl RunError {
    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Read { path, source }
    }

    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }

    pub(crate) fn damaged(path: impl Into<PathBuf>, problem: impl ToString) -> Self {
        Self::Damaged {
            path: path.into(),
            problem: problem.to_string(),
        }
    }
}
