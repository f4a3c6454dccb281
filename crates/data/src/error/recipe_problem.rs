//! Problems of the files that a recipe names.

use std::path::PathBuf;

/// What does not fit between the files of a recipe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeProblem {
    /// The recipe uses a file without its checksum.
    #[error("the recipe uses {file} without its sha256, add it to [files]")]
    NoChecksum {
        /// The file, relative to the recipe.
        file: String,
    },
    /// The images end before what their header announces.
    #[error(
        "the file ends too early: {found} of {expected} volumes are whole, fetch or copy it again"
    )]
    Truncated {
        /// Whole volumes there.
        found: u64,
        /// Volumes that the header announces.
        expected: u64,
    },
    /// The mask does not lie on the voxels of the images.
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
    /// There is not one label per volume.
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
    /// A run is interrupted by another one.
    #[error("line {line}: run {run} comes back after another one, sort it out")]
    RunComesBack {
        /// Line, from 1.
        line: usize,
        /// The run.
        run: String,
    },
    /// A table does not name its columns.
    #[error("line 1: there is no header row with the names")]
    NoHeader,
    /// The names of the columns are no atlas.
    #[error("line 1: {0}")]
    ColumnNames(String),
}
