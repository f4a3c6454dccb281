//! Parquet files of tables.

use std::fs::File;
use std::path::Path;

use arrow_array::{RecordBatch, RecordBatchReader as _};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use brainmae_files::{FileError, write_atomic};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::{Table, TableError};

/// Maximum number of rows decoded at once: little memory if a footer claims more rows than there
/// are.
const MOST_ROWS_AT_ONCE: usize = 1 << 14;

impl Table {
    /// Reads a parquet file. Types are those of the parquet schema; an Arrow schema in the file is
    /// ignored.
    ///
    /// # Errors
    /// [`TableError::Files`] if the file cannot be opened, [`TableError::Parquet`] or
    /// [`TableError::Arrow`] if it is damaged.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let file = File::open(path).map_err(FileError::io("read", path))?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?
            .with_batch_size(MOST_ROWS_AT_ONCE)
            .build()?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<RecordBatch>, ArrowError>>()?;
        Self::from_batch(&concat_batches(&schema, &batches)?)
    }

    /// Writes a parquet file, compressed with zstd: a reader sees the old file or the new one.
    ///
    /// # Errors
    /// [`TableError::Files`] or [`TableError::Parquet`]; the file that was there before is
    /// unchanged.
    pub fn write(&self, path: &Path) -> Result<(), TableError> {
        Ok(write_atomic(path, &self.to_parquet()?)?)
    }

    /// The bytes of a parquet file, compressed with zstd.
    ///
    /// # Errors
    /// [`TableError::Parquet`].
    pub fn to_parquet(&self) -> Result<Vec<u8>, TableError> {
        let schema = self.batch().schema();
        let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties()))?;
        writer.write(self.batch())?;
        Ok(writer.into_inner()?)
    }
}

pub(crate) fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, Int64Array, LargeListArray, LargeStringArray, NullArray, StringViewArray,
        types::Float64Type,
    };
    use arrow_schema::{Field, Schema};

    use super::*;
    use crate::Column;

    #[test]
    fn a_table_of_all_types_is_read_as_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("all.parquet");
        let lists: [&[f32]; 3] = [&[1.0], &[], &[2.0, 3.0]];
        let wide: [Option<&[f64]>; 3] = [Some(&[1.0]), None, Some(&[])];
        let columns = vec![
            Column::new("text", ["a", "", "ä"]),
            Column::new("optional_text", [Some("a".to_owned()), None, None]),
            Column::new("f64", [0.1, f64::INFINITY, -0.0]),
            Column::new("optional_f64", [Some(0.1), None, None]),
            Column::new("f32", [0.1_f32, 1.0, 2.0]),
            Column::new("u32", [0, 1, u32::MAX]),
            Column::new("optional_u32", [Some(u32::MAX), None, None]),
            Column::new("flag", [true, false, true]),
            Column::new("list", lists),
            Column::new("wide", wide),
            Column::new("nothing", [None::<&str>, None, None]),
        ];
        let table = Table::new(3, columns).expect("equal lengths");
        table.write(&path).expect("writable");
        assert_eq!(Table::read(&path).expect("readable"), table);
        let maximum = table.numbers("u32").expect("numbers")[2];
        assert_eq!(maximum, f64::from(u32::MAX));

        let empty = Table::new(0, vec![Column::new("x", [0.0; 0])]).expect("equal lengths");
        empty.write(&path).expect("writable");
        assert_eq!(Table::read(&path).expect("readable"), empty);
    }

    #[test]
    fn long_tables_are_read_in_parts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("long.parquet");
        let n = 2 * MOST_ROWS_AT_ONCE + 1;
        let columns = vec![
            Column::new("row", (0..n).map(|row| row as u32)),
            Column::new("name", (0..n).map(|row| format!("{}", row % 7))),
        ];
        let table = Table::new(n, columns).expect("equal lengths");
        table.write(&path).expect("writable");
        assert_eq!(Table::read(&path).expect("readable"), table);
    }

    /// A file whose Arrow schema has types that this crate does not write.
    #[test]
    fn files_of_other_tools_are_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("other.parquet");
        let lists = [Some(vec![Some(1.0), Some(2.0)]), None];
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("large", Arc::new(LargeStringArray::from(vec!["a", "b"]))),
            (
                "view",
                Arc::new(StringViewArray::from(vec![Some("a"), None])),
            ),
            ("count", Arc::new(Int64Array::from(vec![1, 2]))),
            ("none", Arc::new(NullArray::new(2))),
            (
                "lists",
                Arc::new(LargeListArray::from_iter_primitive::<Float64Type, _, _>(
                    lists,
                )),
            ),
        ];
        let fields = columns.iter().map(|(name, values)| {
            let is_nullable = *name != "count";
            Field::new(*name, values.data_type().clone(), is_nullable)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let arrays = columns.iter().map(|column| column.1.clone()).collect();
        let batch = RecordBatch::try_new(schema.clone(), arrays).expect("a batch");
        let mut writer = ArrowWriter::try_new(Vec::new(), schema, None).expect("a schema");
        writer.write(&batch).expect("writable");
        let bytes = writer.into_inner().expect("writable");
        std::fs::write(&path, bytes).expect("writable");

        let table = Table::read(&path).expect("readable");
        assert_eq!(table.texts("large").expect("texts"), ["a", "b"]);
        let view = table.optional_texts("view").expect("texts");
        assert_eq!(view, [Some("a".to_owned()), None]);
        assert!(table.is_text("view").expect("a column"));
        assert_eq!(table.numbers("count").expect("numbers"), [1.0, 2.0]);
        let none = table.optional_numbers("none").expect("nulls");
        assert_eq!(none, [None, None]);
        let csv = String::from_utf8(table.to_csv().expect("CSV")).expect("text");
        assert!(csv.ends_with("\na,a,1,,\"[1.0, 2.0]\"\nb,,2,,\n"), "{csv}");
    }

    #[test]
    fn damaged_and_missing_files_are_errors() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.parquet");
        let missing = Table::read(&path).expect_err("no file");
        assert!(matches!(missing, TableError::Files(FileError::Io { .. })));
        std::fs::write(&path, "torn").expect("writable");
        let torn = Table::read(&path).expect_err("no parquet");
        assert!(matches!(torn, TableError::Parquet(_)));
        let table = Table::new(2, vec![Column::new("x", [1.0, 2.0])]).expect("equal lengths");
        let bytes = table.to_parquet().expect("parquet");
        std::fs::write(&path, &bytes[..bytes.len() - 9]).expect("writable");
        assert!(Table::read(&path).is_err());
    }
}
