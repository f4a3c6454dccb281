//! Errors of atlases.

use std::path::PathBuf;

use brainmae_files::FileError;

/// Why an atlas cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AtlasError {
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
    /// Two atlases are not the same.
    #[error("atlas {found} where {expected} is needed: {difference}")]
    AtlasMismatch {
        /// The atlas met.
        found: String,
        /// The atlas wanted.
        expected: String,
        /// The first difference, with both names.
        difference: String,
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
    /// More ROIs asked for than there are voxels.
    #[error("{n_rois} ROIs cannot be cut from {n_voxels} voxels: ask for fewer ROIs")]
    TooFewVoxels {
        /// ROIs asked for.
        n_rois: usize,
        /// Voxels in the mask.
        n_voxels: usize,
    },
}

impl AtlasError {
    /// Wraps an I/O error with what was tried on which path.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let error = FileError::io(action, path);
        move |source| Self::Files(error(source))
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
