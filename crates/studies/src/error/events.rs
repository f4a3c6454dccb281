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
        /// Those there are.
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
    /// An onset or a duration is no number.
    #[error("{found:?} in column {column:?} is no number of seconds")]
    NotSeconds {
        /// The column.
        column: &'static str,
        /// The cell.
        found: String,
    },
    /// A duration below zero.
    #[error("the duration is {secs} s, expected 0 or more")]
    NegativeDuration {
        /// The duration.
        secs: f64,
    },
    /// A row of a file of three columns has another number of them.
    #[error("expected three columns: onset, duration, amplitude")]
    NotThreeColumns,
    /// A cell of a file of three columns is no number.
    #[error("a cell is no number")]
    NotANumber,
    /// A line of a design without a number.
    #[error("empty, expected one number per volume")]
    EmptyLine,
    /// A number of a design that is no image's.
    #[error("{found:?}, expected 0 or the number of an image, 1 to {n_images}")]
    NotAnImage {
        /// The word.
        found: String,
        /// Images of the experiment.
        n_images: u32,
    },
    /// The name of a file, which is that of a condition, is not UTF-8.
    #[error("its name is not UTF-8: rename it")]
    FileName,
    /// Bytes that are no text.
    #[error("it is not UTF-8 text")]
    NotUtf8,
    /// A row that is no text of a table.
    #[error("{reason}")]
    Unreadable {
        /// What the reader of tables says.
        reason: String,
    },
}
