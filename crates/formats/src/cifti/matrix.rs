//! Values of a file, read row by row.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;

use super::problem::CiftiProblem;
use crate::error::FormatError;
use crate::nifti::{DataType, Endian, NiftiHeader};

/// Bytes that are read at once, unless one row is longer; they fit into the cache.
pub(super) const BLOCK_BYTES: usize = 1 << 18;

/// The meaning of one row of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// One grayordinate or parcel with all its volumes or maps: the usual order.
    Places,
    /// One volume or map with all grayordinates or parcels.
    Volumes,
}

/// Position of the values in the file. The file is long enough for all of them.
#[derive(Debug)]
pub(super) struct Matrix {
    path: PathBuf,
    pub data_type: DataType,
    endian: Endian,
    scaling: Option<(f64, f64)>,
    data_offset: u64,
    /// Values in a row, along the fastest axis.
    pub row_len: usize,
    pub n_rows: usize,
}

/// Calls `$function` with a closure that turns the little-endian bytes of one number into `f64`.
macro_rules! with_number {
    ($data_type:expr, $function:ident($($argument:expr),*)) => {
        match $data_type {
            DataType::U8 => $function(|bytes| f64::from(u8::from_le_bytes(bytes)), $($argument),*),
            DataType::I8 => $function(|bytes| f64::from(i8::from_le_bytes(bytes)), $($argument),*),
            DataType::U16 => $function(|bytes| f64::from(u16::from_le_bytes(bytes)), $($argument),*),
            DataType::I16 => $function(|bytes| f64::from(i16::from_le_bytes(bytes)), $($argument),*),
            DataType::U32 => $function(|bytes| f64::from(u32::from_le_bytes(bytes)), $($argument),*),
            DataType::I32 => $function(|bytes| f64::from(i32::from_le_bytes(bytes)), $($argument),*),
            DataType::U64 => $function(|bytes| u64::from_le_bytes(bytes) as f64, $($argument),*),
            DataType::I64 => $function(|bytes| i64::from_le_bytes(bytes) as f64, $($argument),*),
            DataType::F32 => $function(|bytes| f64::from(f32::from_le_bytes(bytes)), $($argument),*),
            DataType::F64 => $function(f64::from_le_bytes, $($argument),*),
        }
    };
}
pub(super) use with_number;

impl Matrix {
    /// Takes the shape from dimensions 5 and 6 of the header.
    pub fn new(path: &Path, header: &NiftiHeader, file_bytes: u64) -> Result<Self, CiftiProblem> {
        let [row_len, n_rows] = [header.dims[4], header.dims[5]];
        // The header has checked that the product does not overflow.
        let needed = row_len * n_rows * header.data_type.bytes();
        let found = file_bytes.saturating_sub(header.data_offset);
        if found < needed {
            return Err(CiftiProblem::Truncated {
                found,
                n_rows,
                row_len,
                needed,
            });
        }
        let length =
            |length: u64| usize::try_from(length).map_err(|_| CiftiProblem::LongAxis { length });
        Ok(Self {
            path: path.to_owned(),
            data_type: header.data_type,
            endian: header.endian,
            scaling: header.scaling,
            data_offset: header.data_offset,
            row_len: length(row_len)?,
            n_rows: length(n_rows)?,
        })
    }

    /// Bytes of one value.
    pub fn value_bytes(&self) -> usize {
        self.data_type.bytes() as usize
    }

    /// Bytes of one row.
    pub fn row_bytes(&self) -> usize {
        self.row_len * self.value_bytes()
    }

    /// Rows in one block, at least one.
    pub fn block_rows(&self) -> usize {
        (BLOCK_BYTES / self.row_bytes()).max(1)
    }

    /// The scaled value of a stored number, or of a mean of stored numbers.
    pub fn scaled(&self, stored: f64) -> f64 {
        match self.scaling {
            Some((slope, inter)) => stored * slope + inter,
            None => stored,
        }
    }

    /// A reader with its own file position, for one thread.
    pub fn reader(&self) -> Result<RowReader<'_>, FormatError> {
        Ok(RowReader {
            matrix: self,
            file: File::open(&self.path).map_err(FormatError::io("open", &self.path))?,
            buffer: Vec::new(),
        })
    }
}

/// Reads rows of a [`Matrix`].
pub(super) struct RowReader<'a> {
    matrix: &'a Matrix,
    file: File,
    buffer: Vec<u8>,
}

impl RowReader<'_> {
    /// The stored bytes of some rows, little-endian.
    pub fn bytes(&mut self, rows: Range<usize>) -> Result<&[u8], FormatError> {
        let matrix = self.matrix;
        let row_bytes = matrix.row_bytes();
        let start = matrix.data_offset + (rows.start * row_bytes) as u64;
        self.buffer.resize(rows.len() * row_bytes, 0);
        self.file
            .seek(SeekFrom::Start(start))
            .and_then(|_| self.file.read_exact(&mut self.buffer))
            .map_err(FormatError::io("read", &matrix.path))?;
        if matrix.endian == Endian::Big {
            for number in self.buffer.chunks_exact_mut(matrix.value_bytes()) {
                number.reverse();
            }
        }
        Ok(&self.buffer)
    }

    /// Replaces the content of `values` by the scaled values of some rows.
    pub fn values(&mut self, rows: Range<usize>, values: &mut Vec<f64>) -> Result<(), FormatError> {
        let matrix = self.matrix;
        let bytes = self.bytes(rows)?;
        values.clear();
        with_number!(matrix.data_type, decode(bytes, values));
        for value in values {
            *value = matrix.scaled(*value);
        }
        Ok(())
    }
}

fn decode<const N: usize>(number: impl Fn([u8; N]) -> f64, bytes: &[u8], values: &mut Vec<f64>) {
    let (numbers, _) = bytes.as_chunks();
    values.extend(numbers.iter().map(|&bytes| number(bytes)));
}
