//! Problems of tables of confounds and of censored volumes.

use brainmae_signals::confounds::MOTION;

use crate::shown::shown;

/// The first names of a list, in quotes.
fn shown_all(names: &[String]) -> String {
    shown(&names.join(", "))
}

/// Why a table of confounds, or of censored volumes, cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfoundProblem {
    /// The number of rows is not the number of volumes.
    #[error(
        "{found} rows of confounds for the {expected} volumes of the scan, one row per volume is \
         needed"
    )]
    Rows {
        /// Rows in the table.
        found: usize,
        /// Volumes of the scan.
        expected: usize,
    },
    /// A column of head movement is missing.
    #[error(
        "there is no column {column}, expected {} or framewise_displacement",
        MOTION.join(", ")
    )]
    MissingMotion {
        /// The first missing column.
        column: &'static str,
    },
    /// Components of aCompCor are not numbered from 0 without gaps.
    #[error("the column a_comp_cor_{number:02} is missing or there twice")]
    MissingComponent {
        /// The first number that does not occur exactly once.
        number: usize,
    },
    /// Two columns have the same name.
    #[error("the column {} is there twice", shown(.column))]
    ColumnTwice {
        /// The column.
        column: String,
    },
    /// The table has no column of outliers.
    #[error(
        "no column tells which volumes are outliers: expected framewise_displacement, found {}",
        shown_all(.found)
    )]
    NoOutlierColumn {
        /// The existing columns.
        found: Vec<String>,
    },
    /// A row has another number of cells than the header.
    #[error("{found} cells where the header has {expected}")]
    Cells {
        /// Cells in the row.
        found: u64,
        /// Cells in the header.
        expected: u64,
    },
    /// The cell is not allowed in its column.
    #[error("the column {column} has {}, expected {expected}", shown(.found))]
    Cell {
        /// The column.
        column: String,
        /// The cell.
        found: String,
        /// The allowed values.
        expected: &'static str,
    },
    /// A movement file of the HCP has another number of columns.
    #[error("{found} columns, expected 12, or 6 without derivatives")]
    MovementColumns {
        /// Columns in the line.
        found: usize,
    },
    /// A cell of a movement file of the HCP is not a number.
    #[error("column {column} ({name}) has {}, expected a number", shown(.found))]
    MovementCell {
        /// The column, from 1.
        column: usize,
        /// The motion parameter in it.
        name: &'static str,
        /// The cell.
        found: String,
    },
    /// The bytes are not UTF-8 text.
    #[error("this is no UTF-8 text")]
    NotUtf8,
    /// A row cannot be parsed.
    #[error("{reason}")]
    Unreadable {
        /// The error of the csv crate.
        reason: String,
    },
    /// The number of signal rows does not fit the table of censored volumes.
    #[error(
        "{found} rows, expected one for each of {n_volumes} volumes, or for each of the {n_kept} \
         that are no outliers"
    )]
    CensoredRows {
        /// Rows of signals.
        found: usize,
        /// Volumes of the scan.
        n_volumes: usize,
        /// Number of uncensored volumes.
        n_kept: usize,
    },
    /// There are too few uncensored volumes.
    #[error("only {found} of {n_volumes} volumes are no outliers: leave this scan out")]
    TooFewKept {
        /// Rows of signals.
        found: usize,
        /// Volumes of the scan.
        n_volumes: usize,
    },
}
