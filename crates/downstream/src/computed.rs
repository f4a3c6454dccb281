//! Values that are computed from signals once and shared by all folds, targets and models.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use brainmae_data::ScanId;
use brainmae_signals::fc::correlations;
use brainmae_statistics::linear::RidgeGram;
use nalgebra::DMatrix;

use crate::{Example, Scan};

/// Memory for functional connectivity: 26,000 examples of 100 ROIs.
const FC_BYTES: usize = 512 << 20;

/// Memory for products of rows: those of ten folds of 1,800 rows.
const GRAM_BYTES: usize = 256 << 20;

/// Functional connectivity (FC) of examples, and products of the rows of ridge regressions. Clones
/// share their memory.
///
/// It holds, for each example whose FC was asked for, the triangle of its FC in single precision,
/// `2 rois (rois + 1)` bytes, up to 512 MiB; the FC of further examples is computed each time. It
/// holds the last products of rows, up to 256 MiB. No result depends on what it holds. The default
/// holds nothing.
#[derive(Clone, Debug, Default)]
pub struct Computed {
    fc_bytes: usize,
    gram_bytes: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// Triangles by scan, first volume and number of volumes.
    fc: BTreeMap<(ScanId, usize, usize), Arc<[f32]>>,
    fc_bytes: usize,
    /// Products by their rows, the oldest first.
    grams: VecDeque<(RowsKey, Arc<RidgeGram>)>,
}

impl Computed {
    /// Holds FC and products of the scans of one data set.
    pub fn within_budget() -> Self {
        Self {
            fc_bytes: FC_BYTES,
            gram_bytes: GRAM_BYTES,
            held: Arc::default(),
        }
    }

    /// FC of an example of `scan` over its [uncensored](Scan::kept) volumes, `[rois, rois]`.
    pub fn fc(&self, scan: &Scan, example: Example) -> DMatrix<f32> {
        let n_rois = scan.series.n_rois();
        let compute = || correlations(scan.kept(example), n_rois);
        let size = size_of::<f32>() * n_rois * (n_rois + 1) / 2;
        if size > self.fc_bytes {
            return compute();
        }
        let key = (scan.scan.clone(), example.start_volume, example.n_volumes);
        let known = self.held().fc.get(&key).cloned();
        if let Some(triangle) = known {
            return from_triangle(&triangle, n_rois);
        }
        let fc = compute();
        let mut held = self.held();
        if held.fc_bytes + size <= self.fc_bytes && !held.fc.contains_key(&key) {
            held.fc_bytes += size;
            held.fc.insert(key, to_triangle(&fc));
        }
        fc
    }

    /// Products of the rows of `x`. They are shared only if all numbers of `x` are the same.
    pub fn gram(&self, x: &DMatrix<f64>) -> Arc<RidgeGram> {
        if self.gram_bytes == 0 {
            return Arc::new(RidgeGram::new(x));
        }
        let key = RowsKey::of(x);
        let held = self.held();
        let known = held.grams.iter().find(|(known, _)| *known == key);
        if let Some((_, gram)) = known {
            return Arc::clone(gram);
        }
        drop(held);
        let gram = Arc::new(RidgeGram::new(x));
        let mut held = self.held();
        held.grams.push_back((key, Arc::clone(&gram)));
        let bytes = |held: &Held| held.grams.iter().map(|(_, g)| g.n_bytes()).sum::<usize>();
        while bytes(&held) > self.gram_bytes {
            held.grams.pop_front();
        }
        gram
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Shape of a matrix, and 128 bits that depend on all of its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RowsKey {
    shape: (usize, usize),
    hash: [u64; 2],
}

impl RowsKey {
    fn of(x: &DMatrix<f64>) -> Self {
        let mut hashers = [DefaultHasher::new(), DefaultHasher::new()];
        hashers[1].write_u64(1);
        for value in x.as_slice() {
            for hasher in &mut hashers {
                hasher.write_u64(value.to_bits());
            }
        }
        Self {
            shape: x.shape(),
            hash: hashers.map(|hasher| hasher.finish()),
        }
    }
}

/// Columns of the upper triangle with the diagonal.
fn to_triangle(fc: &DMatrix<f32>) -> Arc<[f32]> {
    let columns = fc.column_iter().enumerate();
    columns
        .flat_map(|(j, column)| column.iter().take(j + 1).copied().collect::<Vec<_>>())
        .collect()
}

/// The symmetric matrix of a triangle.
fn from_triangle(triangle: &[f32], n_rois: usize) -> DMatrix<f32> {
    let mut fc = DMatrix::zeros(n_rois, n_rois);
    let mut values = triangle.iter();
    for j in 0..n_rois {
        for (i, value) in (0..=j).zip(&mut values) {
            fc[(i, j)] = *value;
            fc[(j, i)] = *value;
        }
    }
    fc
}

#[cfg(test)]
mod tests;
