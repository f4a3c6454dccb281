//! Errors of atlases: one enum for each noun, with what was found and what was expected.

mod centroids;
mod label_table;
mod mismatch;
mod region;

use std::path::{Path, PathBuf};

use brainmae_files::FileError;

pub use centroids::CentroidProblem;
pub use label_table::LabelTableProblem;
pub use mismatch::{CountHint, LabelProblem, Mismatch, NameProblem, UnknownNames};
pub use region::RoiProblem;

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
    /// Columns or labels that are not the ROIs of an atlas.
    #[error("atlas {found} where {expected} is needed: {difference}")]
    AtlasMismatch {
        /// What was met: `of 200 named columns`.
        found: String,
        /// Name of the atlas wanted.
        expected: String,
        /// How they differ.
        difference: Box<Mismatch>,
    },
    /// A label table of which no atlas can be made.
    #[error("atlas.labels is {0}")]
    LabelTable(LabelTableProblem),
    /// A line of a table of centres that cannot be understood.
    #[error("line {line}: {problem}: {path:?}")]
    Centroids {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        problem: CentroidProblem,
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

    /// Columns or labels that are not the ROIs of the atlas `expected`.
    pub(crate) fn mismatch(found: String, expected: &str, difference: Mismatch) -> Self {
        Self::AtlasMismatch {
            found,
            expected: expected.to_owned(),
            difference: Box::new(difference),
        }
    }

    /// A line of a table of centres.
    pub(crate) fn centroids(path: &Path, line: u64, problem: CentroidProblem) -> Self {
        Self::Centroids {
            path: path.to_owned(),
            line,
            problem,
        }
    }
}

#[cfg(test)]
mod tests;
