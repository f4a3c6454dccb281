//! Problems of the files named in a recipe.

use std::path::PathBuf;

/// Why a file of a recipe does not fit the recipe or another file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeProblem {
    /// The recipe uses a file without its checksum.
    #[error("the recipe uses {file} without its sha256, add it to [files]")]
    NoChecksum {
        /// The file, relative to the recipe.
        file: String,
    },
    /// The images end earlier than their header announces.
    #[error(
        "the file ends too early: {found} of {expected} volumes are whole, fetch or copy it again"
    )]
    Truncated {
        /// Complete volumes in the file.
        found: u64,
        /// Volumes that the header announces.
        expected: u64,
    },
    /// The mask does not have the grid of the images.
    #[error(
        "the mask is {found:?} voxels where the volumes of {bold:?} are {expected:?}, resample the mask to the grid of the scan"
    )]
    MaskShape {
        /// Shape of the mask.
        found: Vec<u64>,
        /// Shape of a volume.
        expected: Vec<u64>,
        /// The images.
        bold: PathBuf,
    },
    /// The number of labels is not the number of volumes.
    #[error("{found} labels for the {expected} volumes of {bold:?}, one line per volume is needed")]
    LabelCount {
        /// Lines in the file.
        found: usize,
        /// Volumes in the images.
        expected: usize,
        /// The images.
        bold: PathBuf,
    },
    /// A line of labels is not a condition and a run.
    #[error("line {line}: {text:?} is not a condition and the number of a run")]
    LabelLine {
        /// Line, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// The volumes of a run are not consecutive.
    #[error("line {line}: run {run} comes back after another one, sort it out")]
    RunComesBack {
        /// Line, from 1.
        line: usize,
        /// The run.
        run: String,
    },
    /// A table has no column names.
    #[error("line 1: there is no header row with the names")]
    NoHeader,
    /// The column names do not form an atlas.
    #[error("line 1: {0}")]
    ColumnNames(String),
}
