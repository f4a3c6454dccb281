//! What can go wrong with a run folder.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Reading failed.
    #[error("cannot read {path:?}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Writing failed; what was there before is still there.
    #[error(
        "cannot write {path:?}; the previous version is kept. Free some space or check the permissions, then resume"
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of ours that is not what we wrote.
    #[error("{path:?} is damaged: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file, or a run folder in which another process is at work.
    #[error(transparent)]
    Files(#[from] brainmae_files::FileError),
    /// A run folder whose manifest tells of another run.
    #[error(
        "{path:?} belongs to another run: its identity is {found}, expected {expected}; move it away"
    )]
    OtherRun {
        /// The manifest.
        path: PathBuf,
        /// Identity in the manifest.
        found: String,
        /// Identity of this run.
        expected: String,
    },
    /// A table that cannot be written as parquet, or is no parquet.
    #[error("cannot write or read the table {path:?}")]
    Table {
        /// The table.
        path: PathBuf,
        /// Why.
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
