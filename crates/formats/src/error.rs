//! Errors of file formats.

use std::path::{Path, PathBuf};

use brainmae_files::FileError;

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A file or folder.
    #[error(transparent)]
    Files(#[from] brainmae_files::FileError),
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
    /// A NIfTI header that cannot be true, or that asks for something this reader does not do.
    #[error("not a NIfTI file that can be read: {problem}: {path:?}")]
    NiftiHeader {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what is supported.
        problem: String,
    },
    /// A file whose content cannot be used; the message says found, expected and what to do.
    #[error("{problem}: {path:?}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with what was found, expected, and what to do.
        problem: String,
    },
    /// A file ends before what its header announces.
    #[error(
        "the file ends too early: {found} of {expected} volumes are whole, fetch or copy it again: {path:?}"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Whole volumes there.
        found: u64,
        /// Volumes that the header announces.
        expected: u64,
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
    /// A Parquet file cannot be read or written.
    #[cfg(feature = "columnar")]
    #[error("cannot read or write the signals {path:?}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What parquet said.
        #[source]
        source: Box<parquet::errors::ParquetError>,
    },
}

impl FormatError {
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

    /// Wraps a parquet error with its file.
    #[cfg(feature = "columnar")]
    pub(crate) fn parquet(path: &Path) -> impl Fn(parquet::errors::ParquetError) -> Self + '_ {
        move |source| Self::Parquet {
            path: path.to_owned(),
            source: Box::new(source),
        }
    }
}
