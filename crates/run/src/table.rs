//! Result tables: one data frame, written as parquet for programs and as CSV for people.

mod columns;

use std::fs::File;
use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;
use polars::prelude::{AnyValue, DataFrame, PolarsError};
use polars_io::SerReader;
use polars_io::prelude::{BatchedWriter, ParquetCompression, ParquetReader, ParquetWriter};

pub use columns::Columns;

use crate::{RunError, write_atomic};

/// Writes `<folder>/<name>.parquet` and `<folder>/<name>.csv`.
///
/// # Errors
/// [`RunError::Table`] or [`RunError::Files`]; no partial table is left.
pub fn write_table(folder: &Path, name: &str, table: &mut DataFrame) -> Result<(), RunError> {
    let path = folder.join(format!("{name}.parquet"));
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .finish(table)
        .map_err(|source| RunError::Table {
            path: path.clone(),
            source,
        })?;
    write_atomic(&path, &bytes)?;
    let path = folder.join(format!("{name}.csv"));
    let text = to_csv(table).map_err(|error| RunError::write(&path)(error.into()))?;
    Ok(write_atomic(&path, &text)?)
}

/// A table that grows by appended rows, of which only the latest are in memory. The file appears
/// when the table is [finished](TableStream::finish).
pub struct TableStream {
    path: PathBuf,
    writer: Option<BatchedWriter<File>>,
}

impl TableStream {
    /// Prepares to write `<folder>/<name>.parquet`.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self {
            path: folder.join(format!("{name}.parquet")),
            writer: None,
        }
    }

    /// Appends rows, as a row group; all calls have the same columns.
    ///
    /// # Errors
    /// [`RunError::Table`] or [`RunError::Files`].
    pub fn append(&mut self, rows: &DataFrame) -> Result<(), RunError> {
        if self.writer.is_none() {
            let part = self.part();
            let file = File::create(&part).map_err(RunError::write(&part))?;
            let writer = ParquetWriter::new(file)
                .with_compression(ParquetCompression::Zstd(None))
                .batched(rows.schema());
            self.writer = Some(writer.map_err(|source| self.refuse(source))?);
        }
        let writer = self
            .writer
            .as_mut()
            .map_or(Ok(()), |writer| writer.write_batch(rows));
        writer.map_err(|source| self.refuse(source))
    }

    /// Moves the table to its final path; no file appears if nothing was appended.
    ///
    /// # Errors
    /// As [`TableStream::append`].
    pub fn finish(self) -> Result<(), RunError> {
        let Some(writer) = &self.writer else {
            return Ok(());
        };
        writer.finish().map_err(|source| self.refuse(source))?;
        std::fs::rename(self.part(), &self.path).map_err(RunError::write(&self.path))
    }

    fn part(&self) -> PathBuf {
        self.path.with_extension("parquet.part")
    }

    fn refuse(&self, source: PolarsError) -> RunError {
        RunError::Table {
            path: self.path.clone(),
            source,
        }
    }
}

/// Reads a table that [`write_table`] wrote.
///
/// # Errors
/// [`RunError::Files`] or [`RunError::Table`].
pub fn read_table(folder: &Path, name: &str) -> Result<DataFrame, RunError> {
    let path = folder.join(format!("{name}.parquet"));
    let file = File::open(&path).map_err(RunError::io("read", &path))?;
    ParquetReader::new(file)
        .finish()
        .map_err(|source| RunError::Table { path, source })
}

fn to_csv(table: &DataFrame) -> Result<Vec<u8>, csv::Error> {
    let columns = table.columns();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| column.name().as_str()))?;
    for row in 0..table.height() {
        let fields = columns.iter().map(|column| match column.get(row) {
            Ok(AnyValue::Null) | Err(_) => String::new(),
            Ok(AnyValue::String(text)) => text.to_string(),
            Ok(other) => other.to_string(),
        });
        writer.write_record(fields)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use brainmae_files::FileError;
    use polars::df;

    use super::*;

    #[test]
    fn a_table_that_grew_is_read_as_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rows = |x: [f64; 2]| df!("x" => x).expect("one column");
        let mut stream = TableStream::new(folder.path(), "long");
        stream.append(&rows([1.0, 2.0])).expect("writable");
        stream.append(&rows([3.0, 4.0])).expect("writable");
        let early = read_table(folder.path(), "long");
        assert!(
            matches!(early, Err(RunError::Files(FileError::Io { .. }))),
            "not there before its end"
        );
        stream.finish().expect("writable");
        let read = read_table(folder.path(), "long").expect("readable");
        assert!(read.equals(&df!("x" => [1.0, 2.0, 3.0, 4.0]).expect("one column")));
    }

    #[test]
    fn a_table_is_written_for_programs_and_for_people() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut table = df!(
            "predictor" => ["zero", "mean, visible", "a \"b\"\nc"],
            "mse" => [Some(1.0), None, Some(0.1)],
            "n" => [2u32, 0, 7],
        )
        .expect("equal lengths");
        write_table(folder.path(), "scores", &mut table).expect("writable");
        let csv = std::fs::read_to_string(folder.path().join("scores.csv")).expect("readable");
        assert_eq!(
            csv,
            "predictor,mse,n\nzero,1.0,2\n\"mean, visible\",,0\n\"a \"\"b\"\"\nc\",0.1,7\n"
        );
        let read = read_table(folder.path(), "scores").expect("readable");
        assert!(read.equals_missing(&table));
    }
}
