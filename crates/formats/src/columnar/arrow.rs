//! Arrow IPC files without compression.

mod block;

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, MetadataVersion, root_as_footer};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use brainmae_files::CommonErrors as _;

use self::block::{block_bytes, bytes_at, check_columns, read_block};
use super::ColumnarProblem;
use super::file::{Batches, damaged};
use crate::error::FormatError;

/// Bytes of the footer length and of the magic number at the end of a file.
const TRAILER_BYTES: u64 = 10;

/// A file whose footer has been read.
pub(super) struct ArrowFile {
    schema: SchemaRef,
    version: MetadataVersion,
    dictionaries: Vec<Block>,
    blocks: Vec<Block>,
}

impl ArrowFile {
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        let mut file = File::open(path).map_err(FormatError::io("open", path))?;
        let file_bytes = file
            .metadata()
            .map_err(FormatError::io("read the size of", path))?
            .len();
        let short = || FormatError::columnar(path, ColumnarProblem::NoFooter);
        let trailer_start = file_bytes.checked_sub(TRAILER_BYTES).ok_or_else(short)?;
        let trailer = bytes_at(&mut file, path, trailer_start, TRAILER_BYTES)?;
        let trailer = trailer.try_into().map_err(|_| short())?;
        let footer_bytes = read_footer_length(trailer).map_err(|_| short())? as u64;
        let footer_start = trailer_start.checked_sub(footer_bytes).ok_or_else(short)?;
        let footer = bytes_at(&mut file, path, footer_start, footer_bytes)?;

        let refuse = |error: ArrowError| damaged(path, error);
        let footer = root_as_footer(&footer)
            .map_err(|error| refuse(ArrowError::ParseError(error.to_string())))?;
        let schema = footer.schema().ok_or_else(short)?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(FormatError::columnar(path, ColumnarProblem::ByteOrder));
        }
        let blocks = footer.recordBatches().into_iter().flatten().copied();
        let dictionaries = footer.dictionaries().into_iter().flatten().copied();
        let found = Self {
            schema: Arc::new(try_fb_to_schema(schema).map_err(refuse)?),
            version: footer.version(),
            dictionaries: dictionaries.collect(),
            blocks: blocks.collect(),
        };
        check_columns(&found.schema).map_err(|problem| FormatError::columnar(path, problem))?;
        for block in found.dictionaries.iter().chain(&found.blocks) {
            if block_bytes(block).is_none_or(|bytes| bytes.end > file_bytes) {
                let problem = ColumnarProblem::BlockBytes {
                    metadata: block.metaDataLength(),
                    body: block.bodyLength(),
                    start: block.offset(),
                    file_bytes,
                };
                return Err(FormatError::columnar(path, problem));
            }
        }
        Ok(found)
    }

    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    pub fn batches(
        &self,
        path: &Path,
        columns: &[usize],
        rows: Option<&[Range<usize>]>,
    ) -> Result<Batches<'_>, FormatError> {
        let mut file = File::open(path).map_err(FormatError::io("open", path))?;
        let mut decoder =
            FileDecoder::new(self.schema.clone(), self.version).with_projection(columns.to_vec());
        for block in &self.dictionaries {
            let bytes = read_block(&mut file, path, block, &self.schema)?;
            decoder
                .read_dictionary(block, &bytes.into())
                .map_err(|error| refuse(path, error))?;
        }
        let path = path.to_owned();
        let mut start = 0;
        let rows = rows.map(<[Range<usize>]>::to_vec);
        Ok(Box::new(self.blocks.iter().flat_map(move |block| {
            let batch = read_block(&mut file, &path, block, &self.schema).and_then(|bytes| {
                decoder
                    .read_record_batch(block, &bytes.into())
                    .map_err(|error| refuse(&path, error))
            });
            match batch {
                Ok(Some(batch)) => {
                    let parts = wanted(&batch, start, rows.as_deref());
                    start += batch.num_rows();
                    parts.into_iter().map(Ok).collect()
                }
                Ok(None) => Vec::new(),
                Err(error) => vec![Err(error)],
            }
        })))
    }
}

/// The rows of a batch that lie in `rows`, as slices; `start` is the number of its first row.
fn wanted(batch: &RecordBatch, start: usize, rows: Option<&[Range<usize>]>) -> Vec<RecordBatch> {
    let end = start + batch.num_rows();
    let Some(rows) = rows else {
        return vec![batch.clone()];
    };
    let first = rows.partition_point(|part| part.end <= start);
    rows[first..]
        .iter()
        .take_while(|part| part.start < end)
        .map(|part| {
            let (from, to) = (part.start.max(start), part.end.min(end));
            batch.slice(from - start, to - from)
        })
        .collect()
}

fn refuse(path: &Path, error: ArrowError) -> FormatError {
    if error.to_string().contains("decompression requires") {
        return FormatError::columnar(path, ColumnarProblem::CompressedBlocks);
    }
    damaged(path, error)
}
