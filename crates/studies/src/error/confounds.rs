//! Problems of tables of confounds and of censored volumes.

use brainmae_signals::confounds::MOTION;

use crate::shown::shown;

/// The start of a list of names, in quotes.
fn shown_all(names: &[String]) -> String {
    shown(&names.join(", "))
}

/// Why a table of confounds, or of censored volumes, cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfoundProblem {
    /// There is not one row per volume.
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
    /// Head movement is incomplete.
    #[error(
        "there is no column {column}, expected {} or framewise_displacement",
        MOTION.join(", ")
    )]
    MissingMotion {
        /// The first column that is missing.
        column: &'static str,
    },
    /// Components of aCompCor are not numbered from 0.
    #[error("the column a_comp_cor_{number:02} is missing or there twice")]
    MissingComponent {
        /// The first number that is not met once.
        number: usize,
    },
    /// Two columns have one name.
    #[error("the column {} is there twice", shown(.column))]
    ColumnTwice {
        /// The column.
        column: String,
    },
    /// No column tells which volumes are outliers.
    #[error(
        "no column tells which volumes are outliers: expected framewise_displacement, found {}",
        shown_all(.found)
    )]
    NoOutlierColumn {
        /// The columns there are.
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
    /// A cell has not what its column holds.
    #[error("the column {column} has {}, expected {expected}", shown(.found))]
    Cell {
        /// The column.
        column: String,
        /// The cell.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// A movement file of the HCP has another number of columns.
    #[error("{found} columns, expected 12, or 6 without derivatives")]
    MovementColumns {
        /// Columns in the line.
        found: usize,
    },
    /// A cell of a movement file of the HCP is no number.
    #[error("column {column} ({name}) has {}, expected a number", shown(.found))]
    MovementCell {
        /// The column, from 1.
        column: usize,
        /// The motion parameter in it.
        name: &'static str,
        /// The cell.
        found: String,
    },
    /// Bytes that are no text.
    #[error("this is no UTF-8 text")]
    NotUtf8,
    /// A row that is no text of a table.
    #[error("{reason}")]
    Unreadable {
        /// What the reader of tables says.
        reason: String,
    },
    /// Signals with another number of rows than the table of censored volumes allows.
    #[error(
        "{found} rows, expected one for each of {n_volumes} volumes, or for each of the {n_kept} \
         that are no outliers"
    )]
    CensoredRows {
        /// Rows of signals.
        found: usize,
        /// Volumes of the scan.
        n_volumes: usize,
        /// Volumes that are no outliers.
        n_kept: usize,
    },
    /// So many volumes are censored that the scan is of no use.
    #[error("only {found} of {n_volumes} volumes are no outliers: leave this scan out")]
    TooFewKept {
        /// Rows of signals.
        found: usize,
        /// Volumes of the scan.
        n_volumes: usize,
    },
}
