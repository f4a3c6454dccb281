//! Mean signal of every ROI, computed in one pass over a file of grayordinates.

use std::ops::Range;
use std::thread;

use brainmae_files::CommonErrors as _;

use super::matrix::{BLOCK_BYTES, Matrix, Rows, with_number};
use super::{CiftiFile, CiftiKind, Content};
use crate::error::FormatError;
use crate::label_map::GrayordinateLabels;
use crate::nifti::DataType;
use crate::roi_signals::{RoiSignals, joined};

/// Fixed number of parts of the work, so that sums do not depend on the number of threads.
const N_PARTS: usize = 4;

/// Gaps of unlabelled bytes up to this size are read instead of skipped.
const SMALL_GAP_BYTES: usize = BLOCK_BYTES / 4;

/// Mean signals of ROIs with the coverage of each ROI.
#[derive(Clone, Debug, PartialEq)]
pub struct RoiMeans {
    /// Means over the grayordinates of each ROI; NaN for an ROI without grayordinates in the file.
    pub signals: RoiSignals,
    /// By ROI: the share, 0 to 1, of its labelled grayordinates that are in the file.
    pub coverage: Vec<f32>,
}

impl CiftiFile {
    /// The mean over the grayordinates of each ROI with equal weights, as in `wb_command
    /// -cifti-parcellate`. A NaN in one grayordinate makes the mean NaN.
    ///
    /// `part` is the range of volumes to use; `None` means all. Up to `threads` threads share the
    /// work; more than 4 bring no gain. The result does not depend on the number of threads.
    ///
    /// Each thread uses a buffer of 256 KiB besides the means and their sums, for a file of any
    /// length.
    ///
    /// # Errors
    /// [`FormatError::Cifti`] for a file without signals of grayordinates, for a mesh of another
    /// size than that of `labels`, or for volumes that the file does not have;
    /// [`FormatError::Config`] for a label above `n_rois`; [`FormatError::Files`] when the file
    /// cannot be read.
    pub fn roi_means(
        &self,
        labels: &GrayordinateLabels,
        n_rois: usize,
        part: Option<Range<usize>>,
        threads: usize,
    ) -> Result<RoiMeans, FormatError> {
        let Content::DenseSeries(series, models) = &self.content else {
            return Err(self.wrong_kind(CiftiKind::DenseSeries));
        };
        let volumes = self.volumes(part)?;
        let label_of = models
            .labels(labels)
            .map_err(|problem| FormatError::cifti(&self.path, problem))?;
        let labelled = count(
            labels
                .left
                .iter()
                .chain(&labels.right)
                .chain(labels.voxels.values()),
            n_rois,
        )?;
        let present = count(&label_of, n_rois)?;
        let mut values = match self.rows {
            Rows::Places => sums_of_places(&self.matrix, &label_of, n_rois, &volumes, threads)?,
            Rows::Volumes => sums_of_volumes(&self.matrix, &label_of, n_rois, &volumes, threads)?,
        };
        for (signal, &n) in values.chunks_exact_mut(volumes.len().max(1)).zip(&present) {
            for value in signal {
                // No grayordinate: 0 / 0, which is NaN.
                *value = self.matrix.scaled(*value / n as f64);
            }
        }
        Ok(RoiMeans {
            signals: RoiSignals {
                values,
                n_rois,
                tr_secs: Some(series.tr_secs),
            },
            coverage: present
                .iter()
                .zip(&labelled)
                .map(|(&present, &labelled)| present as f32 / labelled.max(1) as f32)
                .collect(),
        })
    }
}

/// Number of grayordinates of each ROI in `labels`.
fn count<'a>(
    labels: impl IntoIterator<Item = &'a u32>,
    n_rois: usize,
) -> Result<Vec<usize>, FormatError> {
    let mut counts = vec![0; n_rois];
    for &label in labels {
        if let Some(roi) = roi(label) {
            *counts.get_mut(roi).ok_or_else(|| {
                FormatError::config(
                    "label of a grayordinate",
                    label,
                    format!("0 to {n_rois}, the number of ROIs"),
                )
            })? += 1;
        }
    }
    Ok(counts)
}

/// The index of the ROI of a label; `None` for label 0.
fn roi(label: u32) -> Option<usize> {
    (label as usize).checked_sub(1)
}

/// Sums `[roi][volume]` of a file in which each grayordinate's signal is one row.
fn sums_of_places(
    matrix: &Matrix,
    label_of: &[u32],
    n_rois: usize,
    volumes: &Range<usize>,
    threads: usize,
) -> Result<Vec<f64>, FormatError> {
    let blocks = labelled_blocks(label_of, matrix);
    let parts: Vec<&[Range<usize>]> = blocks
        .chunks(blocks.len().div_ceil(N_PARTS).max(1))
        .collect();
    let bytes_of_volumes = volumes.start * matrix.value_bytes()..volumes.end * matrix.value_bytes();
    let partial_sums = in_parallel(parts.len(), threads, |part| {
        // By ROI; empty until the first grayordinate of the ROI.
        let mut sums = vec![Vec::new(); n_rois];
        let mut reader = matrix.reader()?;
        for rows in parts[part] {
            let bytes = reader.bytes(rows.clone())?;
            let rows_of_bytes = bytes.chunks_exact(matrix.row_bytes());
            for (row, &label) in rows_of_bytes.zip(&label_of[rows.clone()]) {
                if let Some(roi) = roi(label) {
                    let sum: &mut Vec<f64> = &mut sums[roi];
                    sum.resize(volumes.len(), 0.0);
                    let row = &row[bytes_of_volumes.clone()];
                    with_number!(matrix.data_type, add(row, sum));
                }
            }
        }
        Ok(sums)
    })?;
    let mut values = vec![0.0; volumes.len() * n_rois];
    for sums in partial_sums {
        for (roi, sum) in sums.iter().enumerate() {
            let signal = &mut values[roi * volumes.len()..];
            for (value, sum) in signal.iter_mut().zip(sum) {
                *value += sum;
            }
        }
    }
    Ok(values)
}

/// Ranges of rows to read at once: all labelled rows and few unlabelled ones.
fn labelled_blocks(label_of: &[u32], matrix: &Matrix) -> Vec<Range<usize>> {
    let small_gap = SMALL_GAP_BYTES / matrix.row_bytes();
    let block_rows = matrix.block_rows();
    let mut blocks: Vec<Range<usize>> = Vec::new();
    for (row, _) in label_of.iter().enumerate().filter(|(_, label)| **label > 0) {
        match blocks.last_mut() {
            Some(block) if row - block.end <= small_gap && row - block.start < block_rows => {
                block.end = row + 1;
            }
            _ => blocks.push(row..row + 1),
        }
    }
    blocks
}

/// Adds the numbers in `bytes` element by element to `sums`.
fn add<const N: usize>(number: impl Fn([u8; N]) -> f64, bytes: &[u8], sums: &mut [f64]) {
    let (numbers, _) = bytes.as_chunks();
    for (sum, &bytes) in sums.iter_mut().zip(numbers) {
        *sum += number(bytes);
    }
}

/// Sums `[roi][volume]` of a file in which each volume is one row.
fn sums_of_volumes(
    matrix: &Matrix,
    label_of: &[u32],
    n_rois: usize,
    volumes: &Range<usize>,
    threads: usize,
) -> Result<Vec<f64>, FormatError> {
    let mut columns = vec![Vec::new(); n_rois];
    for (column, &label) in label_of.iter().enumerate() {
        if let Some(roi) = roi(label) {
            columns[roi].push(column);
        }
    }
    let share = volumes.len().div_ceil(N_PARTS);
    let parts: Vec<Range<usize>> = volumes
        .clone()
        .step_by(share)
        .map(|start| start..volumes.end.min(start + share))
        .collect();
    let sums = in_parallel(parts.len(), threads, |part| {
        let n_volumes = parts[part].len();
        let mut sums = vec![0.0; n_rois * n_volumes];
        let mut place = 0;
        let mut reader = matrix.reader()?;
        for start in parts[part].clone().step_by(matrix.block_rows()) {
            let end = parts[part].end.min(start + matrix.block_rows());
            let bytes = reader.bytes(start..end)?;
            for volume in bytes.chunks_exact(matrix.row_bytes()) {
                let sums = sums.iter_mut().skip(place).step_by(n_volumes);
                with_number!(matrix.data_type, gather(volume, &columns, sums));
                place += 1;
            }
        }
        Ok(sums)
    })?;
    Ok(joined(sums, n_rois))
}

/// Puts the sum of the numbers in the columns of each ROI in its place.
fn gather<'a, const N: usize>(
    number: impl Fn([u8; N]) -> f64,
    volume: &[u8],
    columns: &[Vec<usize>],
    sums: impl Iterator<Item = &'a mut f64>,
) {
    let (numbers, _) = volume.as_chunks();
    for (sum, columns) in sums.zip(columns) {
        *sum = columns
            .iter()
            .map(|&column| number(numbers[column]))
            .sum::<f64>();
    }
}

/// The results of `work` for `0..n_parts` in this order, computed by up to `threads` threads.
fn in_parallel<T: Send>(
    n_parts: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T, FormatError> + Sync,
) -> Result<Vec<T>, FormatError> {
    let threads = threads.clamp(1, n_parts.max(1));
    if threads == 1 {
        return (0..n_parts).map(work).collect();
    }
    let work = &work;
    let mut results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || {
                    (first..n_parts)
                        .step_by(threads)
                        .map(work)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| match worker.join() {
                Ok(results) => results.into_iter(),
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    (0..n_parts)
        .map(|part| {
            results[part % threads]
                .next()
                .expect("every worker gives one result for each of its parts")
        })
        .collect()
}
