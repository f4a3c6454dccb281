//! NumPy arrays, `.npy`: the signals of one scan, `[volume][roi]`.
//!
//! # Source
//! NumPy enhancement proposal 1 and `numpy.lib.format`, versions 1.0 to 3.0.

mod header;
mod problem;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::FormatError;
use crate::number::decode;
use crate::roi_signals::RoiSignals;
use brainmae_files::CommonErrors as _;
use header::Header;
pub use problem::NpyProblem;

/// Bytes decoded at once; a multiple of the size of any number format.
const BLOCK_BYTES: u64 = 64 * 1024;

/// A two-dimensional array of integers or real numbers, in C or Fortran order, of either byte
/// order, whose header has been read. It has no ROI names and no TR.
#[derive(Debug)]
pub struct NpyFile {
    path: PathBuf,
    header: Header,
    data_start: u64,
    n_volumes: usize,
    n_rois: usize,
}

impl NpyFile {
    /// Opens `path` and checks that header and length of the file agree.
    ///
    /// [`FormatError::Npy`] for a file that is not `.npy`, an array of another shape or kind, and a
    /// file whose length differs from that of its header; [`FormatError::Files`] when it cannot be
    /// read.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        let refuse = |problem| FormatError::npy(path, problem);
        let file = File::open(path).map_err(FormatError::io("open", path))?;
        let file_bytes = file
            .metadata()
            .map_err(FormatError::io("read the size of", path))?
            .len();
        let text = header::text(&mut BufReader::new(file), file_bytes).map_err(refuse)?;
        let header = Header::parse(&text.header).map_err(refuse)?;

        let [n_volumes, n_rois] = header.shape[..] else {
            return Err(refuse(NpyProblem::Shape {
                found: header.shape,
            }));
        };
        let number_bytes = header.data_type.bytes();
        let data_bytes = n_volumes
            .checked_mul(n_rois)
            .and_then(|numbers| numbers.checked_mul(number_bytes));
        let found_bytes = file_bytes.saturating_sub(text.data_start);
        if data_bytes != Some(found_bytes) {
            return Err(refuse(NpyProblem::Length {
                found_bytes,
                n_volumes,
                n_rois,
                number_bytes,
            }));
        }
        if found_bytes == 0 {
            return Err(refuse(NpyProblem::Empty { n_volumes, n_rois }));
        }
        Ok(Self {
            path: path.to_owned(),
            header,
            data_start: text.data_start,
            // The file has as many bytes, so the numbers fit into `usize`.
            n_volumes: n_volumes as usize,
            n_rois: n_rois as usize,
        })
    }

    /// Volumes of the scan: rows of the array.
    pub fn n_volumes(&self) -> usize {
        self.n_volumes
    }

    /// ROIs: columns of the array.
    pub fn n_rois(&self) -> usize {
        self.n_rois
    }

    /// Reads all values.
    ///
    /// # Errors
    /// [`FormatError::Files`] when the file cannot be read; [`FormatError::Npy`] when it has become
    /// shorter.
    pub fn read(&self) -> Result<RoiSignals, FormatError> {
        let path = &self.path;
        let n_values = self.n_volumes * self.n_rois;
        let number_bytes = self.header.data_type.bytes();
        let mut input = File::open(path).map_err(FormatError::io("open", path))?;
        input
            .seek(SeekFrom::Start(self.data_start))
            .map_err(FormatError::io("read", path))?;
        let mut values = vec![0.0; n_values];
        let mut n_read = 0;
        let mut block = Vec::with_capacity(BLOCK_BYTES as usize);
        let mut numbers = Vec::new();
        while n_read < n_values {
            block.clear();
            let wanted = (n_values - n_read) as u64 * number_bytes;
            let read = input
                .by_ref()
                .take(wanted.min(BLOCK_BYTES))
                .read_to_end(&mut block)
                .map_err(FormatError::io("read", path))?;
            if read == 0 || !(read as u64).is_multiple_of(number_bytes) {
                return Err(FormatError::npy(path, NpyProblem::Shrank));
            }
            numbers.clear();
            decode(
                self.header.data_type,
                self.header.endian,
                &block,
                &mut numbers,
            );
            if self.header.fortran_order {
                values[n_read..n_read + numbers.len()].copy_from_slice(&numbers);
            } else {
                for (at, &number) in (n_read..).zip(&numbers) {
                    let (volume, roi) = (at / self.n_rois, at % self.n_rois);
                    values[roi * self.n_volumes + volume] = number;
                }
            }
            n_read += numbers.len();
        }
        Ok(RoiSignals {
            values,
            n_rois: self.n_rois,
            tr_secs: None,
        })
    }
}

#[cfg(test)]
mod tests;
