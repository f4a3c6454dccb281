//! Problems of a line of a text file.

/// Why a line of a text file cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextProblem {
    /// The line cannot be read, or is not UTF-8.
    #[error("{0}")]
    Read(std::io::Error),
    /// A quote is not closed.
    #[error("a cell that starts with a quote does not end with one")]
    OpenQuote,
    /// There is text between a closing quote and the separator.
    #[error("a cell in quotes does not end at its second quote")]
    AfterQuote,
    /// Two columns have the same name.
    #[error("two columns have one name")]
    RepeatedColumn,
    /// A requested column does not exist.
    #[error("there is no column {name:?}, only {known}{}", question(*.semicolons))]
    NoColumn {
        /// The column name, shortened.
        name: String,
        /// The existing columns, shortened.
        known: String,
        /// Whether the cells may be separated by semicolons.
        semicolons: bool,
    },
    /// A column is requested by name, but the columns have no names.
    #[error("there is no column {name:?}, for there is no header row with names")]
    NoHeader {
        /// The column name, shortened.
        name: String,
    },
    /// All columns are dropped.
    #[error("no column is left to use")]
    NoColumnLeft,
    /// A row is longer or shorter than the first one.
    #[error(
        "it has {found} cells where line {first_line} has {expected}{}", question(*.semicolons)
    )]
    Cells {
        /// Cells of the row.
        found: usize,
        /// Cells of the first row.
        expected: usize,
        /// The line of the first row.
        first_line: u64,
        /// Whether the cells may be separated by semicolons.
        semicolons: bool,
    },
    /// A cell is neither a number nor missing.
    #[error("{cell:?} in column {column} is no number{}", question(*.semicolons))]
    NotANumber {
        /// The cell, shortened.
        cell: String,
        /// The name of the column in quotes, or its number from 1.
        column: String,
        /// Whether the cells may be separated by semicolons.
        semicolons: bool,
    },
    /// The table has no values.
    #[error("no row of numbers follows")]
    NoRow,
    /// A line of a label file is not a label.
    #[error("it is {found:?}, expected one whole number")]
    NotALabel {
        /// The line, shortened.
        found: String,
    },
}

/// A question at the end of the message, when the only column looks like several columns.
fn question(semicolons: bool) -> &'static str {
    if semicolons {
        ": is it separated by semicolons?"
    } else {
        ""
    }
}
