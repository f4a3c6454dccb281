//! Rows of text tables: what the csv crate says of those it cannot read.

use std::io;

/// Why a table cannot be read on.
pub(crate) enum Broken {
    /// The file.
    Io(io::Error),
    /// A row has another number of cells than the header.
    Cells {
        line: u64,
        found: u64,
        expected: u64,
    },
    /// Bytes that are no text.
    NotUtf8 { line: u64 },
    /// Anything else.
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
