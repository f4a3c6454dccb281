//! Linear predictors: best linear prediction of hidden ROIs from visible ones.

use brainmae_data::{ScanStore, SegmentLayout};
use nalgebra::{Cholesky, DMatrix, Dyn};

use super::{MaskedSegment, Predictor, RIDGES, Scope, best_on, by_segment};
use crate::PretrainError;
use crate::masked_batch::MaskedBatch;

/// Gaussian conditional mean of the hidden values given the visible ones.
///
/// ```text
/// x_H = C_HV (C_VV + ridge I)^-1 x_V        C: second moments of the training scans
/// ```
/// It has the smallest expected error among linear predictors with the same input, except for the
/// estimation error of `C`. The ridge reduces that error; it is chosen on the validation scans.
#[derive(Clone)]
pub struct LinearPredictor {
    scope: Scope,
    /// Second moments of the ROIs, or of the values of a segment in the order `[rois, time]`.
    covariance: DMatrix<f64>,
    ridge: f64,
}

impl LinearPredictor {
    /// Fits the covariance on `training` and chooses the ridge on `validation`.
    ///
    /// # Errors
    /// [`PretrainError::NoScans`], [`PretrainError::Covariance`] if no ridge gives an invertible
    /// matrix, or from the data.
    pub fn fit(
        scope: Scope,
        training: &ScanStore,
        layout: &SegmentLayout,
        validation: impl IntoIterator<Item = Result<MaskedBatch, PretrainError>>,
    ) -> Result<Self, PretrainError> {
        if training.is_empty() {
            return Err(PretrainError::NoScans { set: "training" });
        }
        let mut candidate = Self {
            scope,
            covariance: match scope {
                Scope::Volume => covariance(training, 1, 1)?,
                Scope::Segment => segment_covariance(training, layout.segment_len_trs)?,
            },
            ridge: 0.0,
        };
        let best = best_on(validation, RIDGES.len(), |i, batch| {
            candidate.ridge = RIDGES[i];
            candidate.predict(batch)
        })?;
        let ridge = RIDGES[best.ok_or(PretrainError::Covariance)?];
        Ok(Self { ridge, ..candidate })
    }

    /// The ridge chosen on the validation scans.
    pub fn ridge(&self) -> f64 {
        self.ridge
    }

    /// Second moments of the training scans: `[rois, rois]` for [`Scope::Volume`].
    pub(crate) fn covariance(&self) -> &DMatrix<f64> {
        &self.covariance
    }

    /// `(C_VV + ridge I)^-1 C_VH`, `[visible, hidden]`.
    fn weights(&self, visible: &[usize], hidden: &[usize]) -> Option<DMatrix<f64>> {
        let c = &self.covariance;
        let vv = DMatrix::from_fn(visible.len(), visible.len(), |i, j| {
            c[(visible[i], visible[j])] + if i == j { self.ridge } else { 0.0 }
        });
        let vh = DMatrix::from_fn(visible.len(), hidden.len(), |i, j| {
            c[(visible[i], hidden[j])]
        });
        Cholesky::<f64, Dyn>::new(vv).map(|factor| factor.solve(&vh))
    }

    /// Fills in the hidden ROIs of one segment, `[rois, time]`; NaN if the matrix is not
    /// invertible.
    fn predict_segment(&self, segment: &MaskedSegment, out: &mut [f32]) {
        // One row of `seen` per prediction: one per volume, or one for the whole segment.
        let (rows, per_roi) = match self.scope {
            Scope::Volume => (segment.time(), 1),
            Scope::Segment => (1, segment.time()),
        };
        let variables = 0..segment.hidden.len() * per_roi;
        let (hidden, visible): (Vec<usize>, Vec<usize>) =
            variables.partition(|i| segment.hidden[i / per_roi]);
        if visible.is_empty() || hidden.is_empty() {
            return;
        }
        let Some(weights) = self.weights(&visible, &hidden) else {
            out.fill(f32::NAN);
            return;
        };
        // Variable i in row r is the value i * rows + r of the segment, in both scopes.
        let seen = DMatrix::from_fn(rows, visible.len(), |r, i| {
            f64::from(segment.bold[visible[i] * rows + r])
        });
        let drawn = seen * weights;
        for (j, &variable) in hidden.iter().enumerate() {
            for r in 0..rows {
                out[variable * rows + r] = drawn[(r, j)] as f32;
            }
        }
    }
}

/// Second moments of the values of segments. If there are many more consecutive segments than
/// values, these are used; otherwise all possible segments.
fn segment_covariance(
    store: &ScanStore,
    segment_len: usize,
) -> Result<DMatrix<f64>, PretrainError> {
    let scans = store.scans().iter();
    let tiles: usize = scans.map(|scan| scan.n_volumes / segment_len).sum();
    let plenty = tiles >= 10 * segment_len * store.n_rois();
    covariance(store, segment_len, if plenty { segment_len } else { 1 })
}

/// Second moments of windows of `len` volumes, one every `stride` volumes; means are zero after
/// z-scoring. Pairs of values of which one is censored do not count.
fn covariance(store: &ScanStore, len: usize, stride: usize) -> Result<DMatrix<f64>, PretrainError> {
    let (rois, size) = (store.n_rois(), store.n_rois() * len);
    let mut sum = DMatrix::<f64>::zeros(size, size);
    // Number of windows by the two volumes of a pair.
    let mut counts = DMatrix::<f64>::zeros(len, len);
    for scan in 0..store.len() {
        let bold = store.series(scan)?;
        let starts: Vec<usize> = (0..bold.n_volumes())
            .step_by(stride)
            .filter(|start| start + len <= bold.n_volumes())
            .collect();
        let share = |volume: usize| f64::from(u8::from(bold.is_kept(volume)));
        let windows = DMatrix::from_fn(size, starts.len(), |i, window| {
            let volume = starts[window] + i % len;
            share(volume) * f64::from(bold.values()[volume * rois + i / len])
        });
        sum.gemm(1.0, &windows, &windows.transpose(), 1.0);
        let kept = DMatrix::from_fn(len, starts.len(), |i, window| share(starts[window] + i));
        counts.gemm(1.0, &kept, &kept.transpose(), 1.0);
    }
    Ok(sum.map_with_location(|i, j, sum| sum / counts[(i % len, j % len)].max(1.0)))
}

impl Predictor for LinearPredictor {
    fn name(&self) -> &str {
        match self.scope {
            Scope::Volume => "linear",
            Scope::Segment => "linear, segment",
        }
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        by_segment(batch, |segment, out| self.predict_segment(segment, out))
    }
}
