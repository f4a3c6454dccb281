//! Errors of a study's files.

use std::path::{Path, PathBuf};

use brainmae_files::FileError;

/// Why the files of a study cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// A file or folder.
    #[error(transparent)]
    Files(#[from] brainmae_files::FileError),
    /// A file of a known format.
    #[error(transparent)]
    Formats(#[from] brainmae_formats::FormatError),
    /// A field of a configuration is out of its range.
    #[error("{field} is {found}, expected {expected}")]
    Config {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// A file whose content cannot be used; the message says found, expected and what to do.
    #[error("{problem}: {path:?}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with what was found, expected, and what to do.
        problem: String,
    },
    /// A line of a text table that cannot be understood.
    #[error("line {line}: {problem}: {path:?}")]
    TextTable {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong, with the value found.
        problem: String,
    },
}

impl StudyError {
    /// Wraps an I/O error with what was tried on which path.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let error = FileError::io(action, path);
        move |source| Self::Files(error(source))
    }

    /// A file whose content cannot be used.
    pub(crate) fn file(path: &Path, problem: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    /// A field of a configuration out of its range.
    pub(crate) fn config(
        field: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Config {
            field,
            found: found.to_string(),
            expected: expected.into(),
        }
    }
}
