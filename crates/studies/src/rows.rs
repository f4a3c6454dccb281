//! Rows of text tables that the csv crate cannot read.

use std::io;

/// Why reading of a table stopped.
pub(crate) enum Broken {
    /// The file cannot be read.
    Io(io::Error),
    /// A row has another number of cells than the header.
    Cells {
        line: u64,
        found: u64,
        expected: u64,
    },
    /// The bytes are not UTF-8 text.
    NotUtf8 { line: u64 },
    /// Another error of the csv crate.
    Other { line: u64, reason: String },
}

impl From<csv::Error> for Broken {
    fn from(error: csv::Error) -> Self {
        let line = error.position().map_or(1, csv::Position::line);
        let reason = error.to_string();
        match error.into_kind() {
            csv::ErrorKind::Io(error) => Self::Io(error),
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => Self::Cells {
                line,
                found: len,
                expected: expected_len,
            },
            csv::ErrorKind::Utf8 { .. } => Self::NotUtf8 { line },
            _ => Self::Other { line, reason },
        }
    }
}

/// The line of a row, from 1.
pub(crate) fn line_of(row: &csv::StringRecord) -> u64 {
    row.position().map_or(1, csv::Position::line)
}
