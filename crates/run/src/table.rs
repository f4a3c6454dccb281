//! Result tables of a run folder: parquet for programs, CSV for people.

use std::path::{Path, PathBuf};

use brainmae_table::{Table, TableError};

use crate::{RunError, write_atomic};

/// Writes `<folder>/<name>.parquet` and `<folder>/<name>.csv`.
///
/// # Errors
/// [`RunError::Table`] or [`RunError::Files`]; no partial table is left.
pub fn write_table(folder: &Path, name: &str, table: &Table) -> Result<(), RunError> {
    let path = parquet(folder, name);
    table.write(&path).map_err(RunError::table(&path))?;
    let path = folder.join(format!("{name}.csv"));
    let text = table.to_csv().map_err(RunError::table(&path))?;
    Ok(write_atomic(&path, &text)?)
}

/// Reads a table that [`write_table`] or a [`TableStream`] wrote.
///
/// # Errors
/// [`RunError::Files`] or [`RunError::Table`].
pub fn read_table(folder: &Path, name: &str) -> Result<Table, RunError> {
    let path = parquet(folder, name);
    Table::read(&path).map_err(RunError::table(&path))
}

/// A table that grows by appended rows, of which only the latest are in memory. The file appears
/// when the table is [finished](TableStream::finish).
pub struct TableStream(brainmae_table::TableStream);

impl TableStream {
    /// Prepares to write `<folder>/<name>.parquet`.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self(brainmae_table::TableStream::new(parquet(folder, name)))
    }

    /// Appends rows, as a row group; all calls have the same columns.
    ///
    /// # Errors
    /// [`RunError::Table`] or [`RunError::Files`].
    pub fn append(&mut self, rows: &Table) -> Result<(), RunError> {
        let result = self.0.append(rows);
        result.map_err(RunError::table(self.0.path()))
    }

    /// Moves the table to its final path; no file appears if nothing was appended.
    ///
    /// # Errors
    /// As [`TableStream::append`].
    pub fn finish(self) -> Result<(), RunError> {
        let path = self.0.path().to_owned();
        self.0.finish().map_err(RunError::table(&path))
    }
}

fn parquet(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.parquet"))
}

impl RunError {
    /// Wraps an error of a table with its path; a file error has one already.
    fn table(path: &Path) -> impl FnOnce(TableError) -> Self + '_ {
        move |error| match error {
            TableError::Files(error) => error.into(),
            source => Self::Table {
                path: path.to_owned(),
                source,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::FileError;
    use brainmae_table::Column;

    use super::*;

    #[test]
    fn a_table_that_grew_is_read_as_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rows = |x: &[f64]| {
            let column = Column::new("x", x.iter().copied());
            Table::new(x.len(), vec![column]).expect("one column")
        };
        let mut stream = TableStream::new(folder.path(), "long");
        stream.append(&rows(&[1.0, 2.0])).expect("writable");
        stream.append(&rows(&[3.0, 4.0])).expect("writable");
        let early = read_table(folder.path(), "long");
        assert!(
            matches!(early, Err(RunError::Files(FileError::Io { .. }))),
            "not there before its end"
        );
        stream.finish().expect("writable");
        let read = read_table(folder.path(), "long").expect("readable");
        assert_eq!(read, rows(&[1.0, 2.0, 3.0, 4.0]));
    }

    #[test]
    fn a_table_is_written_for_programs_and_for_people() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let columns = vec![
            Column::new("predictor", ["zero", "mean, visible", "a \"b\"\nc"]),
            Column::new("mse", [Some(1.0), None, Some(0.1)]),
            Column::new("n", [2_u32, 0, 7]),
        ];
        let table = Table::new(3, columns).expect("equal lengths");
        write_table(folder.path(), "scores", &table).expect("writable");
        let csv = std::fs::read_to_string(folder.path().join("scores.csv")).expect("readable");
        assert_eq!(
            csv,
            "predictor,mse,n\nzero,1.0,2\n\"mean, visible\",,0\n\"a \"\"b\"\"\nc\",0.1,7\n"
        );
        let read = read_table(folder.path(), "scores").expect("readable");
        assert_eq!(read, table);
    }

    #[test]
    fn a_damaged_table_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("scores.parquet");
        std::fs::write(&path, "torn").expect("writable");
        match read_table(folder.path(), "scores") {
            Err(RunError::Table { path: found, .. }) => assert_eq!(found, path),
            other => panic!("{other:?}"),
        }
    }
}
