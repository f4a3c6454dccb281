//! Arrays of numpy, `.npy`: the signals of one scan, `[volume][roi]`.
//!
//! # Source
//! NumPy enhancement proposal 1 and `numpy.lib.format`, versions 1.0 to 3.0.

mod header;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::error::FormatError;
use crate::number::decode;
use crate::roi_signals::RoiSignals;
use header::Header;

/// Bytes decoded at once; a whole number of numbers of any format.
const BLOCK_BYTES: u64 = 64 * 1024;

/// Reads a two-dimensional array of integers or real numbers, in C or Fortran order, of either byte
/// order. The file tells no TR.
///
/// # Errors
/// [`FormatError::File`] for what is no `.npy` file, an array of another shape or kind, and a file
/// that does not hold exactly what its header claims; [`FormatError::Io`] when it cannot be read.
pub fn read(path: &Path) -> Result<RoiSignals, FormatError> {
    let refuse = |problem: String| FormatError::file(path, problem);
    let file = File::open(path).map_err(FormatError::io("open", path))?;
    let file_bytes = file
        .metadata()
        .map_err(FormatError::io("read the size of", path))?
        .len();
    let mut input = BufReader::new(file);
    let text = header::text(&mut input, file_bytes).map_err(refuse)?;
    let header = Header::parse(&text.header).map_err(refuse)?;

    let [n_volumes, n_rois] = header.shape[..] else {
        return Err(refuse(format!(
            "its shape is {:?}, expected two axes: volumes, then ROIs",
            header.shape
        )));
    };
    let number_bytes = header.data_type.bytes();
    let data_bytes = n_volumes
        .checked_mul(n_rois)
        .and_then(|numbers| numbers.checked_mul(number_bytes));
    let found_bytes = file_bytes.saturating_sub(text.data_start);
    if data_bytes != Some(found_bytes) {
        return Err(refuse(format!(
            "{found_bytes} bytes follow its header, which announces {n_volumes} × {n_rois} numbers \
             of {number_bytes} bytes: fetch or write it again, with one array only"
        )));
    }
    if found_bytes == 0 {
        return Err(refuse(format!(
            "it is empty: {n_volumes} volumes of {n_rois} ROIs"
        )));
    }
    // The file holds as many bytes, so these fit.
    let (n_volumes, n_rois) = (n_volumes as usize, n_rois as usize);

    let mut values = Vec::with_capacity(n_volumes * n_rois);
    let mut block = Vec::with_capacity(BLOCK_BYTES as usize);
    while values.len() < n_volumes * n_rois {
        block.clear();
        let wanted = (n_volumes * n_rois - values.len()) as u64 * number_bytes;
        let read = input
            .by_ref()
            .take(wanted.min(BLOCK_BYTES))
            .read_to_end(&mut block)
            .map_err(FormatError::io("read", path))?;
        if read == 0 || !(read as u64).is_multiple_of(number_bytes) {
            return Err(refuse("it became shorter while it was read".into()));
        }
        decode(header.data_type, header.endian, &block, &mut values);
    }
    if header.fortran_order {
        values = transposed(&values, n_volumes);
    }
    Ok(RoiSignals {
        values,
        n_rois,
        tr_secs: None,
    })
}

/// `[roi][volume]` to `[volume][roi]`.
fn transposed(values: &[f64], n_volumes: usize) -> Vec<f64> {
    let volumes = 0..n_volumes;
    volumes
        .flat_map(|volume| values[volume..].iter().step_by(n_volumes).copied())
        .collect()
}

#[cfg(test)]
mod tests;
