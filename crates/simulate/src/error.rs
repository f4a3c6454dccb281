//! Errors of simulated data.

use std::path::{Path, PathBuf};

use brainmae_files::FileError;

/// Why data cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// A file or folder.
    #[error(transparent)]
    Files(#[from] brainmae_files::FileError),
    /// A file of a known format.
    #[error(transparent)]
    Formats(#[from] brainmae_formats::FormatError),
    /// The atlas.
    #[error(transparent)]
    Atlas(#[from] brainmae_atlas::AtlasError),
    /// The signals.
    #[error(transparent)]
    Signals(#[from] brainmae_signals::SignalError),
    /// The prepared data set.
    #[error(transparent)]
    Data(#[from] brainmae_data::DataError),
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
    /// Another data set stands where this one should go.
    #[error("{path:?} holds {found}: {advice}")]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What is there.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// A table cannot be read or written.
    #[error("cannot read or write the table {path:?}")]
    Table {
        /// The parquet file.
        path: PathBuf,
        /// What polars said.
        #[source]
        source: Box<polars::error::PolarsError>,
    },
}

impl SimulateError {
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

    /// Wraps a polars error with its table.
    pub(crate) fn table(path: &Path) -> impl Fn(polars::error::PolarsError) -> Self + '_ {
        move |source| Self::Table {
            path: path.to_owned(),
            source: Box::new(source),
        }
    }
}
