//! Fingerprints of short windows: unit vectors that are similar for copies, at any lag between
//! scans.
//!
//! ```text
//! x_r       signals, z-scored per ROI over the scan
//! y_k(t)  = sum_r S[k, r] · x_r(t)                       16 mixtures of the ROIs
//! f_d(t)  = sum_{w, k} P[d, w, k] · y_k(t + w)           48 numbers per window of 30 s
//! ```
//! `S` and `P` are ±1 and fixed. `P` sums to zero over a window, so that means and slow drifts have
//! no effect. `f(t)` is scaled to length 1. Two scans of one signal have nearly the same `f` at
//! every volume of their overlap. In other scans, a cosine above the threshold is a coincidence,
//! which the exact comparison rejects.

use nalgebra::{DMatrix, DMatrixView};

use brainmae_signals::bold::BoldSeries;

/// Length of a window.
const WINDOW_SECS: f64 = 30.0;

/// Minimum number of volumes of a window, for any TR.
const LEAST_WINDOW_TRS: usize = 4;

/// Minimum overlap in which a copy is found.
const OVERLAP_SECS: f64 = 60.0;

/// Number of mixtures of ROIs.
const MIXTURES: usize = 16;

/// Numbers per window.
const NUMBERS: usize = 48;

/// Minimum cosine of windows for the exact comparison. In simulations, copies of 60 s with noise of
/// a tenth stay above 0.93. The most similar windows of two different scans reach 0.65 (median),
/// and 0.8 when the scans are band-passed to 0.01 to 0.1 Hz.
const LEAST_COSINE: f32 = 0.88;

/// Maximum number of lags for a pair of scans: if signals are slow and similar in all ROIs, a
/// coincidence can be more similar than a short copy.
const MOST_LAGS: usize = 3;

/// Values of overlapping windows that are written at once.
const RUN_VALUES_AT_ONCE: usize = 1 << 20;

/// Windows of earlier scans compared in one product, whose result fits into the processor's cache.
const ANCHORS_AT_ONCE: usize = 64;

/// The fixed projection, for scans of one atlas and TR.
pub(super) struct Projection {
    n_rois: usize,
    window_trs: usize,
    overlap_trs: usize,
    /// `[mixtures, rois]`.
    mix: DMatrix<f32>,
    /// `[numbers, window · mixtures]`.
    project: DMatrix<f32>,
}

impl Projection {
    /// A projection for scans of up to `longest` volumes; the window is not made longer than needed
    /// to exceed them.
    pub fn new(n_rois: usize, dt_secs: f64, longest: usize) -> Self {
        let window_trs = ((WINDOW_SECS / dt_secs).round() as usize)
            .max(LEAST_WINDOW_TRS)
            .min(longest.saturating_add(1));
        let overlap_trs = ((OVERLAP_SECS / dt_secs).floor() as usize).max(window_trs + 1);
        let sign = |place: usize| if coin(place as u64) { 1.0 } else { -1.0_f32 };
        let mix = DMatrix::from_fn(MIXTURES, n_rois, |k, roi| sign(roi * MIXTURES + k));
        let width = window_trs * MIXTURES;
        let first = n_rois * MIXTURES;
        let mut project = DMatrix::from_fn(NUMBERS, width, |d, at| sign(first + d * width + at));
        for mut row in project.row_iter_mut() {
            for k in 0..MIXTURES {
                let places = (0..window_trs).map(|w| w * MIXTURES + k);
                let sum = places.clone().map(|at| row[at]).sum::<f32>();
                places.for_each(|at| row[at] -= sum / window_trs as f32);
            }
        }
        Self {
            n_rois,
            window_trs,
            overlap_trs,
            mix,
            project,
        }
    }

    /// Minimum number of common volumes of two copies: 60 s, or the whole of a shorter scan.
    pub fn least_overlap(&self, first: &BoldSeries, second: &BoldSeries) -> usize {
        let shortest = first.n_volumes().min(second.n_volumes());
        self.overlap_trs.min(shortest)
    }

    /// Volumes between the windows that are stored for a scan. Every sufficient overlap contains a
    /// whole window.
    fn stride_trs(&self) -> usize {
        (self.overlap_trs - self.window_trs).max(1)
    }

    /// `f` of every window, `[windows, numbers]`; no rows for a scan shorter than a window.
    pub fn windows(&self, series: &BoldSeries) -> DMatrix<f32> {
        let n_volumes = series.n_volumes();
        let Some(n_windows) = (n_volumes + 1).checked_sub(self.window_trs) else {
            return DMatrix::zeros(0, NUMBERS);
        };
        let scaled = z_scored(series);
        // The memory of the series is a column-major [rois, volumes] matrix.
        let mixed = &self.mix * DMatrixView::from_slice(&scaled, self.n_rois, n_volumes);
        let width = self.window_trs * MIXTURES;
        let mut windows = DMatrix::zeros(n_windows, NUMBERS);
        let at_once = (RUN_VALUES_AT_ONCE / width).max(1);
        let mut runs = Vec::new();
        for first in (0..n_windows).step_by(at_once) {
            let block = first..n_windows.min(first + at_once);
            runs.clear();
            for start in block.clone() {
                runs.extend_from_slice(&mixed.as_slice()[start * MIXTURES..][..width]);
            }
            let points = &self.project * DMatrixView::from_slice(&runs, width, block.len());
            for (window, point) in block.zip(points.column_iter()) {
                let norm = point.norm();
                if norm > 0.0 {
                    windows.row_mut(window).tr_copy_from(&(point / norm));
                }
            }
        }
        windows
    }
}

/// The signals with mean 0 and variance 1 per ROI; zero where an ROI is constant.
fn z_scored(series: &BoldSeries) -> Vec<f32> {
    let (n, n_rois) = (series.n_volumes() as f64, series.n_rois());
    let rows = || series.values().chunks_exact(n_rois);
    let mut means = vec![0.0_f64; n_rois];
    for row in rows() {
        let rois = means.iter_mut().zip(row);
        rois.for_each(|(sum, x)| *sum += f64::from(*x));
    }
    means.iter_mut().for_each(|mean| *mean /= n);
    let mut scales = vec![0.0_f64; n_rois];
    for row in rows() {
        for ((sum, mean), x) in scales.iter_mut().zip(&means).zip(row) {
            *sum += (f64::from(*x) - mean).powi(2);
        }
    }
    for (scale, mean) in scales.iter_mut().zip(&means) {
        let variance = *scale / n;
        // For a constant, the variance is only rounding error.
        let varies = variance > f64::EPSILON * mean * mean;
        *scale = if varies { variance.sqrt().recip() } else { 0.0 };
    }
    let mut scaled = Vec::with_capacity(series.values().len());
    for row in rows() {
        let constants = means.iter().zip(&scales);
        scaled.extend(
            row.iter()
                .zip(constants)
                .map(|(x, (mean, scale))| ((f64::from(*x) - mean) * scale) as f32),
        );
    }
    scaled
}

/// Random bit number `place`, from splitmix64.
fn coin(place: u64) -> bool {
    let mut z = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) & 1 == 1
}

/// Windows of the earlier scans, one every 30 s.
#[derive(Default)]
pub(super) struct Anchors {
    /// `[numbers, windows]`, column-major.
    values: Vec<f32>,
    /// Scan and first volume of each window.
    places: Vec<(usize, usize)>,
}

/// A scan that may have the same signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The earlier scan.
    pub scan: usize,
    /// Volumes of the current scan at which the earlier one may begin, the most similar first.
    pub lags: Vec<i64>,
}

impl Anchors {
    /// Adds the windows of a scan.
    pub fn add(&mut self, scan: usize, projection: &Projection, windows: &DMatrix<f32>) {
        for start in (0..windows.nrows()).step_by(projection.stride_trs()) {
            self.values.extend(windows.row(start).iter());
            self.places.push((scan, start));
        }
    }

    /// The earlier scans with a window similar to one of `windows`, each with the lags of the most
    /// similar windows.
    pub fn alike(&self, windows: &DMatrix<f32>) -> Vec<Candidate> {
        let mut matches: Vec<(usize, i64, f32)> = Vec::new();
        let blocks = self.values.chunks(ANCHORS_AT_ONCE * NUMBERS);
        for (block, places) in blocks.zip(self.places.chunks(ANCHORS_AT_ONCE)) {
            let block = DMatrixView::from_slice(block, NUMBERS, places.len());
            let cosines = windows * block;
            for (column, &(scan, anchor)) in cosines.column_iter().zip(places) {
                if let Some((start, cosine)) = highest(column.as_slice()) {
                    matches.push((scan, start as i64 - anchor as i64, cosine));
                }
            }
        }
        let by_scan = matches.chunk_by_mut(|a, b| a.0 == b.0);
        by_scan
            .map(|matches| {
                matches.sort_by(|a, b| b.2.total_cmp(&a.2));
                let mut lags: Vec<i64> = Vec::new();
                for (_, lag, _) in matches.iter() {
                    if lags.len() < MOST_LAGS && !lags.contains(lag) {
                        lags.push(*lag);
                    }
                }
                Candidate {
                    scan: matches[0].0,
                    lags,
                }
            })
            .collect()
    }
}

/// The highest cosine and its index, if it is above the threshold.
fn highest(cosines: &[f32]) -> Option<(usize, f32)> {
    let highest = cosines.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    (highest >= LEAST_COSINE).then(|| {
        let at = cosines.iter().position(|cosine| *cosine == highest);
        (at.unwrap_or_default(), highest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_follow_the_tr() {
        let at = |dt_secs| {
            let p = Projection::new(5, dt_secs, 1000);
            (p.window_trs, p.overlap_trs, p.stride_trs())
        };
        assert_eq!(at(0.75), (40, 80, 40));
        assert_eq!(at(2.5), (12, 24, 12));
        assert_eq!(at(30.0), (4, 5, 1));
        // No memory is used for windows longer than all scans.
        assert_eq!(at(1e-12).0, 1001);
        assert_eq!(at(0.0).0, 1001);
    }

    #[test]
    fn a_shorter_scan_than_a_window_has_none() {
        let projection = Projection::new(2, 2.0, 16);
        let series = |n: usize| BoldSeries::new(vec![0.1; 2 * n], 2, 2.0).unwrap();
        assert_eq!(projection.windows(&series(14)).nrows(), 0);
        let constant = projection.windows(&series(16));
        assert_eq!(constant.nrows(), 2);
        assert!(constant.iter().all(|x| *x == 0.0));
    }

    #[test]
    fn the_likest_windows_of_a_scan_give_its_lags() {
        let unit = |d: usize| (0..NUMBERS).map(move |i| f32::from(i == d));
        let anchors = Anchors {
            values: [1, 2, 3].into_iter().flat_map(unit).collect(),
            places: vec![(7, 0), (7, 10), (8, 0)],
        };
        // Windows 0, 1, 2: half of 1 and 5, nearly 2, exactly 1.
        let rows = [
            [(1, 0.7), (5, 0.7)],
            [(2, 0.95), (5, 0.3)],
            [(1, 1.0), (5, 0.0)],
        ];
        let mut windows = DMatrix::zeros(3, NUMBERS);
        for (w, row) in rows.iter().enumerate() {
            row.iter().for_each(|(d, x)| windows[(w, *d)] = *x);
        }
        // Anchor 0 is similar to window 2, anchor 10 slightly less similar to window 1.
        let expected = Candidate {
            scan: 7,
            lags: vec![2, -9],
        };
        assert_eq!(anchors.alike(&windows), [expected]);
    }
}
