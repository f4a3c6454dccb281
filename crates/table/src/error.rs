//! Errors of tables.

use brainmae_files::FileError;

/// Errors of this crate. They do not name the file of a table; the caller knows it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The table has no column of this name.
    #[error("no column {column}; there are {found}")]
    MissingColumn {
        /// Name of the column.
        column: String,
        /// Names of all columns of the table.
        found: String,
    },
    /// A column holds values of another type.
    #[error("column {column} holds {found}, expected {expected}")]
    ColumnType {
        /// Name of the column.
        column: String,
        /// Arrow type of the column.
        found: String,
        /// Types that the caller accepts.
        expected: &'static str,
    },
    /// A null where a value is required.
    #[error("row {row} of column {column} is null, expected a value")]
    Null {
        /// Name of the column.
        column: String,
        /// Row, from 0.
        row: usize,
    },
    /// A column is longer or shorter than the table.
    #[error("column {column} has {found} rows, expected {expected}")]
    Lengths {
        /// Name of the column.
        column: String,
        /// Rows of the column.
        found: usize,
        /// Rows of the table.
        expected: usize,
    },
    /// Two columns have the same name.
    #[error("two columns are named {column}, expected different names")]
    SameName {
        /// Name of the columns.
        column: String,
    },
    /// The texts or lists of a column are too long together.
    #[error(
        "column {column} has 2^31 bytes of text or values of lists or more, expected fewer: write the rows in parts"
    )]
    TooLarge {
        /// Name of the column.
        column: String,
    },
    /// Appended rows have other columns than the rows before them.
    #[error("the rows have the columns {found}, expected {expected}")]
    OtherColumns {
        /// Names and types of the columns of the appended rows.
        found: String,
        /// Names and types of the columns of the first rows.
        expected: String,
    },
    /// The table cannot be held in memory as Arrow arrays.
    #[error("cannot hold the table as Arrow arrays")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// The table cannot be written as parquet, or is no parquet.
    #[error("cannot write or read the table as parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The table cannot be written as CSV.
    #[error("cannot write the table as CSV")]
    Csv(#[from] csv::Error),
    /// A file error.
    #[error(transparent)]
    Files(#[from] FileError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_was_found_and_expected() {
        let column = || "mse".to_owned();
        let errors = [
            TableError::MissingColumn {
                column: column(),
                found: "predictor, n_units".into(),
            },
            TableError::ColumnType {
                column: column(),
                found: "Utf8".into(),
                expected: "numbers",
            },
            TableError::Null {
                column: column(),
                row: 3,
            },
            TableError::Lengths {
                column: column(),
                found: 2,
                expected: 3,
            },
            TableError::SameName { column: column() },
            TableError::OtherColumns {
                found: "x Utf8".into(),
                expected: "x Float64".into(),
            },
        ];
        assert_eq!(
            errors.map(|error| error.to_string()),
            [
                "no column mse; there are predictor, n_units",
                "column mse holds Utf8, expected numbers",
                "row 3 of column mse is null, expected a value",
                "column mse has 2 rows, expected 3",
                "two columns are named mse, expected different names",
                "the rows have the columns x Utf8, expected x Float64",
            ]
        );
    }
}
