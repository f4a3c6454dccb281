//! Problems of a table of subjects; messages contain no value and no subject.

use std::path::PathBuf;

/// Why a table of subjects cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PhenotypeProblem {
    /// No column names the subject.
    #[error("no column names the subject, expected one of {}", .expected.join(", "))]
    NoSubjectColumn {
        /// Names that such a column may have.
        expected: &'static [&'static str],
    },
    /// No row has a subject.
    #[error("no row of the table has a subject")]
    NoSubject,
    /// Two columns have the same name in this program.
    #[error(
        "the columns {first:?} and {second:?} are one column here, {name}: rename or remove one"
    )]
    OneColumn {
        /// The name of the first in the table.
        first: String,
        /// The name of the second in the table.
        second: String,
        /// The common name in this program.
        name: String,
    },
    /// The text is UTF-16.
    #[error("the text is UTF-16: save it as UTF-8")]
    Utf16,
    /// A row has another number of cells than the header.
    #[error("it has {found} columns, the header has {expected}")]
    Cells {
        /// Cells in the row.
        found: u64,
        /// Cells in the header.
        expected: u64,
    },
    /// A line is not a row of the table.
    #[error("it is no row of a table")]
    NotARow,
    /// Two tables have different values for a subject.
    #[error(
        "the column {column} differs from that in {other:?} for at least one subject: \
         remove it from one of the two"
    )]
    Differs {
        /// The name of the column in the table.
        column: String,
        /// The other table.
        other: PathBuf,
    },
}
