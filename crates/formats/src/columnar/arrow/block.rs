//! Blocks of rows, checked before they are decoded: the arrow crate panics at some damaged blocks.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use arrow_ipc::{Block, RecordBatch, root_as_message};
use arrow_schema::{DataType, Schema};
use brainmae_files::CommonErrors as _;

use super::super::{BlockProblem, ColumnarProblem};
use crate::error::FormatError;

/// The byte range of a block in its file; `None` when it is impossible.
pub(super) fn block_bytes(block: &Block) -> Option<Range<u64>> {
    let start = u64::try_from(block.offset()).ok()?;
    let message = u64::try_from(block.metaDataLength()).ok()?;
    let body = u64::try_from(block.bodyLength()).ok()?;
    Some(start..start.checked_add(message)?.checked_add(body)?)
}

/// Exactly `count` bytes; the file is known to have them.
pub(super) fn bytes_at(
    file: &mut File,
    path: &Path,
    start: u64,
    count: u64,
) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.take(count).read_to_end(&mut bytes))
        .map_err(FormatError::io("read", path))?;
    if bytes.len() as u64 == count {
        Ok(bytes)
    } else {
        Err(FormatError::columnar(path, ColumnarProblem::Shrank))
    }
}

/// Refuses columns whose layout [`read_block`] does not know.
pub(super) fn check_columns(schema: &Schema) -> Result<(), ColumnarProblem> {
    for field in schema.fields() {
        let words = words(schema);
        if Layout::of(field.data_type()).is_none()
            || matches!(field.data_type(), DataType::Dictionary(_, kind) if Some(&**kind) != words)
        {
            return Err(ColumnarProblem::Layout {
                name: field.name().clone(),
                found: field.data_type().clone(),
            });
        }
    }
    Ok(())
}

/// Reads a block after a check that its buffers lie inside it and fit the lengths of its columns.
pub(super) fn read_block(
    file: &mut File,
    path: &Path,
    block: &Block,
    schema: &Schema,
) -> Result<Vec<u8>, FormatError> {
    let refuse = |problem: BlockProblem| {
        let start = block.offset();
        FormatError::columnar(path, ColumnarProblem::Block { start, problem })
    };
    let place = block_bytes(block).ok_or_else(|| refuse(BlockProblem::Length))?;
    let bytes = bytes_at(file, path, place.start, place.end - place.start)?;
    // The length of the message comes first; newer files have a marker before it.
    let prefix = if bytes.starts_with(&[0xff; 4]) { 8 } else { 4 };
    let message = bytes
        .get(prefix..)
        .and_then(|bytes| root_as_message(bytes).ok())
        .ok_or_else(|| refuse(BlockProblem::NoMessage))?;
    let whole = if let Some(rows) = message.header_as_record_batch() {
        let columns = schema.fields().iter().map(|field| field.data_type());
        is_whole(&rows, columns, block.bodyLength())
    } else if let Some(dictionary) = message.header_as_dictionary_batch() {
        let rows = dictionary.data();
        rows.is_some_and(|rows| is_whole(&rows, words(schema).into_iter(), block.bodyLength()))
    } else {
        return Err(refuse(BlockProblem::NoRows));
    };
    if whole {
        Ok(bytes)
    } else {
        Err(refuse(BlockProblem::TooShort))
    }
}

/// The type of the dictionary words, which is the same for all columns of a file.
fn words(schema: &Schema) -> Option<&DataType> {
    schema
        .fields()
        .iter()
        .find_map(|field| match field.data_type() {
            DataType::Dictionary(_, words) => Some(&**words),
            _ => None,
        })
}

/// The buffers of a column.
struct Layout {
    /// Number of buffers, without those of long texts.
    n_buffers: usize,
    /// The second buffer holds offsets, keys or views; its length is a multiple of this.
    multiple_of: i64,
    /// Whether long texts lie in further buffers; the block gives their number.
    views: bool,
}

impl Layout {
    fn of(kind: &DataType) -> Option<Self> {
        let (n_buffers, multiple_of) = match kind {
            DataType::Null => (0, 1),
            DataType::Boolean => (2, 1),
            DataType::Utf8 => (3, 4),
            DataType::LargeUtf8 => (3, 8),
            DataType::Utf8View => (2, 16),
            DataType::Dictionary(keys, words) if words.is_string() => {
                (2, i64::try_from(keys.primitive_width()?).ok()?)
            }
            // The null mask of the lists, then the buffers of the numbers.
            DataType::FixedSizeList(item, _) if item.data_type().is_primitive() => (3, 1),
            kind if kind.is_primitive() => (2, 1),
            _ => return None,
        };
        Some(Self {
            n_buffers,
            multiple_of,
            views: *kind == DataType::Utf8View,
        })
    }
}

/// Whether the rows of a block can be decoded.
fn is_whole<'a>(
    rows: &RecordBatch<'_>,
    columns: impl Iterator<Item = &'a DataType>,
    body_bytes: i64,
) -> bool {
    let counts = |length: i64| (0..=i64::from(i32::MAX)).contains(&length);
    let mut nodes = rows.nodes().into_iter().flatten();
    if !counts(rows.length()) || !nodes.all(|node| counts(node.length())) {
        return false;
    }
    let mut buffers = rows.buffers().into_iter().flatten();
    let mut n_long_texts = rows.variadicBufferCounts().into_iter().flatten();
    let inside = |buffer: &arrow_ipc::Buffer| {
        let end = buffer.offset().checked_add(buffer.length());
        buffer.offset() >= 0 && buffer.length() >= 0 && end.is_some_and(|end| end <= body_bytes)
    };
    for kind in columns {
        let Some(layout) = Layout::of(kind) else {
            return false;
        };
        for at in 0..layout.n_buffers {
            let Some(buffer) = buffers.next().filter(|buffer| inside(buffer)) else {
                return false;
            };
            if at == 1 && buffer.length() % layout.multiple_of != 0 {
                return false;
            }
        }
        if layout.views {
            for _ in 0..n_long_texts.next().unwrap_or(0) {
                if !buffers.next().is_some_and(inside) {
                    return false;
                }
            }
        }
    }
    true
}
