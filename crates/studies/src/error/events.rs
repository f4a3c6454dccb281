//! Problems of files of events.

/// Why a file of events cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EventProblem {
    /// A needed column is missing.
    #[error("there is no column {column:?}, only {}", .found.join(", "))]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// The existing columns.
        found: Vec<String>,
    },
    /// A row has another number of cells than the header.
    #[error("{found} cells, expected {expected}")]
    Cells {
        /// Cells in the row.
        found: usize,
        /// Cells in the header.
        expected: usize,
    },
    /// An onset or a duration is not a number.
    #[error("{found:?} in column {column:?} is no number of seconds")]
    NotSeconds {
        /// The column.
        column: &'static str,
        /// The cell.
        found: String,
    },
    /// A duration is below zero.
    #[error("the duration is {secs} s, expected 0 or more")]
    NegativeDuration {
        /// The duration in seconds.
        secs: f64,
    },
    /// A row of a three-column file does not have three columns.
    #[error("expected three columns: onset, duration, amplitude")]
    NotThreeColumns,
    /// A cell of a three-column file is not a number.
    #[error("a cell is no number")]
    NotANumber,
    /// A line of a design has no number.
    #[error("empty, expected one number per volume")]
    EmptyLine,
    /// A number of a design is not an image number.
    #[error("{found:?}, expected 0 or the number of an image, 1 to {n_images}")]
    NotAnImage {
        /// The word.
        found: String,
        /// Images of the experiment.
        n_images: u32,
    },
    /// The file name, which is the name of a condition, is not UTF-8.
    #[error("its name is not UTF-8: rename it")]
    FileName,
    /// The bytes are not UTF-8 text.
    #[error("it is not UTF-8 text")]
    NotUtf8,
    /// A row cannot be parsed.
    #[error("{reason}")]
    Unreadable {
        /// The error of the csv crate.
        reason: String,
    },
}
