//! Table that grows by appended rows, in a parquet file.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_schema::{Schema, SchemaRef};
use brainmae_files::FileError;
use parquet::arrow::ArrowWriter;

use crate::parquet_file::properties;
use crate::{Table, TableError};

/// A table that grows by appended rows, of which only the latest are in memory. They are in the
/// file `<path>.part` until the table is [finished](TableStream::finish).
pub struct TableStream {
    path: PathBuf,
    writer: Option<(ArrowWriter<File>, SchemaRef)>,
}

impl TableStream {
    /// Prepares to write the parquet file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            writer: None,
        }
    }

    /// Path of the finished table.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends rows, as a row group; all calls have the same columns.
    ///
    /// # Errors
    /// [`TableError::OtherColumns`], [`TableError::Parquet`] or [`TableError::Files`].
    pub fn append(&mut self, rows: &Table) -> Result<(), TableError> {
        let schema = rows.batch().schema();
        let (writer, expected) = match &mut self.writer {
            Some(started) => started,
            None => {
                let part = part(&self.path);
                let file = File::create(&part).map_err(FileError::write(&part))?;
                let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties()))?;
                self.writer.insert((writer, schema.clone()))
            }
        };
        if schema != *expected {
            return Err(TableError::OtherColumns {
                found: columns(&schema),
                expected: columns(expected),
            });
        }
        writer.write(rows.batch())?;
        Ok(writer.flush()?)
    }

    /// Moves the table to its final path; no file appears if nothing was appended.
    ///
    /// # Errors
    /// [`TableError::Parquet`] or [`TableError::Files`].
    pub fn finish(self) -> Result<(), TableError> {
        let Some((writer, _)) = self.writer else {
            return Ok(());
        };
        let file = writer.into_inner()?;
        let rename = || std::fs::rename(part(&self.path), &self.path);
        let moved = file.sync_all().and_then(|()| rename());
        Ok(moved.map_err(FileError::write(&self.path))?)
    }
}

fn part(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_os_string();
    part.push(".part");
    part.into()
}

fn columns(schema: &Schema) -> String {
    let fields = schema.fields().iter();
    let columns = fields.map(|field| format!("{} {}", field.name(), field.data_type()));
    columns.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    fn rows(x: &[f64]) -> Table {
        Table::new(x.len(), vec![Column::new("x", x.iter().copied())]).expect("one column")
    }

    #[test]
    fn a_table_that_grew_is_read_as_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("long.parquet");
        let mut stream = TableStream::new(&path);
        stream.append(&rows(&[1.0, 2.0])).expect("writable");
        stream.append(&rows(&[3.0, 4.0])).expect("writable");
        assert!(!path.exists(), "not there before its end");
        assert!(folder.path().join("long.parquet.part").exists());
        stream.finish().expect("writable");
        let read = Table::read(&path).expect("readable");
        assert_eq!(read, rows(&[1.0, 2.0, 3.0, 4.0]));
        assert!(!folder.path().join("long.parquet.part").exists());
    }

    #[test]
    fn nothing_appended_is_no_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("long.parquet");
        TableStream::new(&path).finish().expect("nothing to do");
        assert!(!path.exists());
    }

    #[test]
    fn other_columns_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut stream = TableStream::new(folder.path().join("long.parquet"));
        stream.append(&rows(&[1.0])).expect("writable");
        let other = Table::new(1, vec![Column::new("x", ["a"])]).expect("one column");
        let error = stream.append(&other).expect_err("texts");
        assert_eq!(
            error.to_string(),
            "the rows have the columns x Utf8, expected x Float64"
        );
    }
}
