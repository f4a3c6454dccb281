//! Parquet files of signals.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use arrow_schema::Schema;
use brainmae_files::CommonErrors as _;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

use super::ColumnarProblem;
use super::file::{Batches, damaged};
use crate::error::FormatError;

/// Rows decoded at once.
const BATCH_ROWS: usize = 1024;

/// Maximum rows per byte of a file; a few bytes can encode billions of equal rows.
const MAX_ROWS_PER_BYTE: u64 = 64;

/// A file whose footer has been read.
pub(super) struct ParquetFile {
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        let file = File::open(path).map_err(FormatError::io("open", path))?;
        let file_bytes = file
            .metadata()
            .map_err(FormatError::io("read the size of", path))?
            .len();
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(FormatError::parquet(path))?;
        check(metadata.metadata(), file_bytes)
            .map_err(|problem| FormatError::columnar(path, problem))?;
        Ok(Self { metadata })
    }

    pub fn schema(&self) -> &Schema {
        self.metadata.schema()
    }

    pub fn batches(
        &self,
        path: &Path,
        columns: &[usize],
        rows: Option<&[Range<usize>]>,
    ) -> Result<Batches<'_>, FormatError> {
        let file = File::open(path).map_err(FormatError::io("open", path))?;
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_batch_size(BATCH_ROWS);
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
        if let Some(rows) = rows {
            let end = rows.last().map_or(0, |last| last.end);
            builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(
                rows.iter().cloned(),
                end,
            ));
        }
        let reader = builder
            .with_projection(mask)
            .build()
            .map_err(FormatError::parquet(path))?;
        let path = path.to_owned();
        Ok(Box::new(reader.map(move |batch| {
            batch.map_err(|error| damaged(&path, error))
        })))
    }
}

/// Refuses a footer with impossible numbers; the parquet crate does not check them.
fn check(metadata: &ParquetMetaData, file_bytes: u64) -> Result<(), ColumnarProblem> {
    let mut rows_left = file_bytes.saturating_mul(MAX_ROWS_PER_BYTE);
    for (number, group) in metadata.row_groups().iter().enumerate() {
        rows_left = u64::try_from(group.num_rows())
            .ok()
            .and_then(|rows| rows_left.checked_sub(rows))
            .ok_or_else(|| ColumnarProblem::RowGroupRows {
                group: number,
                rows: group.num_rows(),
                file_bytes,
            })?;
        for column in group.columns() {
            let start = column
                .dictionary_page_offset()
                .unwrap_or(column.data_page_offset());
            let end = u64::try_from(start)
                .ok()
                .zip(u64::try_from(column.compressed_size()).ok())
                .and_then(|(start, bytes)| start.checked_add(bytes));
            if column.num_values() < 0
                || column.data_page_offset() < 0
                || end.is_none_or(|end| end > file_bytes)
            {
                return Err(ColumnarProblem::RowGroupBytes {
                    group: number,
                    bytes: column.compressed_size(),
                    start,
                    file_bytes,
                });
            }
            let compression = column.compression();
            if !matches!(
                compression,
                Compression::UNCOMPRESSED
                    | Compression::SNAPPY
                    | Compression::GZIP(_)
                    | Compression::ZSTD(_)
            ) {
                let found = compression.to_string();
                return Err(ColumnarProblem::Compression { found });
            }
        }
    }
    Ok(())
}
