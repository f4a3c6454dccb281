//! Errors of atlases, with one enum of problems per kind of object.

mod centroids;
mod label_table;
mod mismatch;
mod region;

use std::path::{Path, PathBuf};

use brainmae_files::{FileError, InvalidField};

pub use centroids::CentroidProblem;
pub use label_table::LabelTableProblem;
pub use mismatch::{CountHint, LabelProblem, Mismatch, NameProblem, UnknownNames};
pub use region::RoiProblem;

/// Why an atlas cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AtlasError {
    /// Error of a file or folder.
    #[error(transparent)]
    Files(#[from] FileError),
    /// Error of a file of a known format.
    #[error(transparent)]
    Formats(#[from] brainmae_formats::FormatError),
    /// A field of a configuration is out of its range.
    #[error(transparent)]
    Config(#[from] InvalidField),
    /// The columns or labels do not match the ROIs of an atlas.
    #[error("atlas {found} where {expected} is needed: {difference}")]
    AtlasMismatch {
        /// Description of the file: `of 200 named columns`.
        found: String,
        /// Name of the expected atlas.
        expected: String,
        /// The difference between both.
        difference: Box<Mismatch>,
    },
    /// A label table does not give an atlas.
    #[error("atlas.labels is {0}")]
    LabelTable(LabelTableProblem),
    /// A line of a table of centroids cannot be parsed.
    #[error("line {line}: {problem}: {path:?}")]
    Centroids {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The problem.
        problem: CentroidProblem,
    },
    /// There are fewer voxels than requested ROIs.
    #[error("{n_rois} ROIs cannot be cut from {n_voxels} voxels: ask for fewer ROIs")]
    TooFewVoxels {
        /// Requested number of ROIs.
        n_rois: usize,
        /// Number of voxels in the mask.
        n_voxels: usize,
    },
}

impl AtlasError {
    /// An error for columns or labels that do not match the atlas `expected`.
    pub(crate) fn mismatch(found: String, expected: &str, difference: Mismatch) -> Self {
        Self::AtlasMismatch {
            found,
            expected: expected.to_owned(),
            difference: Box::new(difference),
        }
    }

    /// An error for a line of a table of centroids.
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
