//! Result tables: one data frame, written as parquet for programs and as csv for people.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use polars::prelude::{AnyValue, DataFrame};
use polars_io::SerReader;
use polars_io::prelude::{ParquetCompression, ParquetReader, ParquetWriter};

use crate::{RunError, write_atomic};

/// Writes `<folder>/<name>.parquet` and `<folder>/<name>.csv`.
///
/// # Errors
/// [`RunError::Table`] or [`RunError::Write`]; no half table is left.
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
    let text = to_csv(table).map_err(RunError::write(&path))?;
    write_atomic(&path, &text)
}

/// Reads a table that [`write_table`] wrote.
///
/// # Errors
/// [`RunError::Read`] or [`RunError::Table`].
pub fn read_table(folder: &Path, name: &str) -> Result<DataFrame, RunError> {
    let path = folder.join(format!("{name}.parquet"));
    let file = File::open(&path).map_err(RunError::read(&path))?;
    ParquetReader::new(file)
        .finish()
        .map_err(|source| RunError::Table { path, source })
}

fn to_csv(table: &DataFrame) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let quote = |field: String| {
        if field.contains([',', '"', '\n']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    };
    let columns = table.columns();
    let names: Vec<String> = columns
        .iter()
        .map(|c| quote(c.name().to_string()))
        .collect();
    writeln!(text, "{}", names.join(","))?;
    for row in 0..table.height() {
        let fields: Vec<String> = columns
            .iter()
            .map(|column| match column.get(row) {
                Ok(AnyValue::Null) | Err(_) => String::new(),
                Ok(AnyValue::String(text)) => quote(text.to_string()),
                Ok(other) => quote(other.to_string()),
            })
            .collect();
        writeln!(text, "{}", fields.join(","))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use polars::df;

    use super::*;

    #[test]
    fn a_table_is_written_for_programs_and_for_people() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut table = df!(
            "predictor" => ["zero", "mean, visible"],
            "mse" => [Some(1.0), None],
        )
        .expect("equal lengths");
        write_table(folder.path(), "scores", &mut table).expect("writable");
        let csv = std::fs::read_to_string(folder.path().join("scores.csv")).expect("readable");
        assert_eq!(csv, "predictor,mse\nzero,1.0\n\"mean, visible\",\n");
        let read = read_table(folder.path(), "scores").expect("readable");
        assert!(read.equals_missing(&table));
    }
}
