//! The best linear predictor from the visible ROIs.

use brainmae_data::ScanStore;
use nalgebra::{Cholesky, DMatrix, Dyn};

use super::Predictor;
use crate::PretrainError;
use crate::brainmae::MaskedBatch;
use crate::reconstruction::hidden_error;

/// The Gaussian conditional mean of the hidden ROIs given the visible ones of the same volume.
///
/// ```text
/// x_H = C_HV (C_VV + ridge I)^-1 x_V        C: covariance of the training scans
/// ```
/// Among predictors linear in the visible ROIs of the volume it has the smallest expected error, up to the error of `C`; the
/// ridge, chosen on the validation scans, is for that.
#[derive(Clone)]
pub struct LinearPredictor {
    covariance: DMatrix<f64>,
    ridge: f64,
}

/// Ridges tried, relative to the unit variance of a z-scored ROI.
const RIDGES: [f64; 7] = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0];

impl LinearPredictor {
    /// Fits the covariance on `training` and chooses the ridge on `validation`.
    ///
    /// # Errors
    /// [`PretrainError::NoScans`], or [`PretrainError::Covariance`] if no ridge gives an invertible matrix.
    pub fn fit(training: &ScanStore, validation: &[MaskedBatch]) -> Result<Self, PretrainError> {
        if training.is_empty() {
            return Err(PretrainError::NoScans { side: "training" });
        }
        let covariance = covariance(training);
        let mut best: Option<(f64, f64)> = None;
        for ridge in RIDGES {
            let candidate = Self {
                covariance: covariance.clone(),
                ridge,
            };
            let error: f64 = validation
                .iter()
                .map(|batch| hidden_error(batch, &candidate.predict(batch)).sum())
                .sum();
            if error.is_finite() && best.is_none_or(|(least, _)| error < least) {
                best = Some((error, ridge));
            }
        }
        let (_, ridge) = best.ok_or(PretrainError::Covariance)?;
        Ok(Self { covariance, ridge })
    }

    /// Covariance of the training scans, `[rois, rois]`.
    pub(crate) fn covariance(&self) -> &DMatrix<f64> {
        &self.covariance
    }

    /// The ridge that was chosen.
    pub fn ridge(&self) -> f64 {
        self.ridge
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
}

/// Second moments of all volumes of all scans; means are zero after z-scoring.
fn covariance(store: &ScanStore) -> DMatrix<f64> {
    let n = store.n_rois();
    let mut sum = DMatrix::<f64>::zeros(n, n);
    let mut volumes = 0;
    for scan in 0..store.len() {
        let bold = store.series(scan);
        let values = bold.values().iter().map(|&x| f64::from(x));
        let scan = DMatrix::from_iterator(n, bold.n_volumes(), values);
        sum.gemm(1.0, &scan, &scan.transpose(), 1.0);
        volumes += bold.n_volumes();
    }
    sum / volumes as f64
}

impl Predictor for LinearPredictor {
    fn name(&self) -> &str {
        "linear"
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        let [_, _, rois, time] = batch.dims();
        let mut out = vec![0.0; batch.samples.bold.len()];
        let segments = out
            .chunks_mut(rois * time)
            .zip(batch.samples.bold.chunks(rois * time));
        for (((out, bold), hidden), valid) in segments
            .zip(batch.hidden.chunks(rois))
            .zip(&batch.samples.valid)
        {
            let (hidden, visible): (Vec<usize>, Vec<usize>) = (0..rois).partition(|&i| hidden[i]);
            if !valid || visible.is_empty() || hidden.is_empty() {
                continue;
            }
            let Some(weights) = self.weights(&visible, &hidden) else {
                out.fill(f32::NAN);
                continue;
            };
            let seen = DMatrix::from_fn(time, visible.len(), |t, i| {
                f64::from(bold[visible[i] * time + t])
            });
            let drawn = seen * weights; // [time, hidden]
            for (j, &roi) in hidden.iter().enumerate() {
                for t in 0..time {
                    out[roi * time + t] = drawn[(t, j)] as f32;
                }
            }
        }
        out
    }
}
