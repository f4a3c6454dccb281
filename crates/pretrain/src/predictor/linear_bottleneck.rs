//! Linear bottleneck: reconstruction from as many numbers as a state has.

use brainmae_data::{ScanStore, SegmentLayout};
use nalgebra::{DMatrix, SymmetricEigen};

use super::time_covariance::time_covariance;
use super::{LinearPredictor, Predictor};
use crate::PretrainError;
use crate::masked_batch::MaskedBatch;

/// Linear predictor with BrainMAE's bottleneck. [`LinearPredictor`] fills in hidden ROIs; then the
/// segment is reduced to `n_numbers` coefficients and reconstructed from them.
///
/// ```text
/// X^ = U ( keep_d( U^T X V ) ) V^T        X: [rois, time] of one segment, hidden ROIs filled in
/// ```
/// `U` and `V` are the eigenvectors of the covariances between ROIs and between volumes of the
/// training scans. `keep_d` keeps the `d` coefficients with the largest expected square. The error
/// shows the cost of the bottleneck alone: `d` numbers encode `rois * time` values.
pub struct LinearBottleneck {
    name: String,
    linear: LinearPredictor,
    rois: DMatrix<f64>,
    time: DMatrix<f64>,
    /// 1 for each kept coefficient, `[rois, time]`.
    keep: DMatrix<f64>,
}

impl LinearBottleneck {
    /// Fits on `training`; `linear` must have been fitted on the same scans with
    /// [`Scope::Volume`](super::Scope::Volume).
    ///
    /// # Errors
    /// If a scan cannot be read.
    pub fn fit(
        linear: LinearPredictor,
        training: &ScanStore,
        layout: &SegmentLayout,
        n_numbers: usize,
    ) -> Result<Self, PretrainError> {
        let rois = SymmetricEigen::new(linear.covariance().clone());
        let time = SymmetricEigen::new(time_covariance(training, layout.segment_len_trs, 0)?);
        let expected = &rois.eigenvalues * time.eigenvalues.transpose();
        let mut order: Vec<usize> = (0..expected.len()).collect();
        order.sort_by(|a, b| expected[*b].total_cmp(&expected[*a]));
        let mut keep = DMatrix::zeros(expected.nrows(), expected.ncols());
        order.iter().take(n_numbers).for_each(|i| keep[*i] = 1.0);
        Ok(Self {
            name: format!("linear, {n_numbers} numbers"),
            linear,
            rois: rois.eigenvectors,
            time: time.eigenvectors,
            keep,
        })
    }
}

impl Predictor for LinearBottleneck {
    fn name(&self) -> &str {
        &self.name
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        let [_, _, rois, time] = batch.dims();
        let filled = self.linear.predict(batch);
        let mut out = vec![0.0; filled.len()];
        let segments = out.chunks_mut(rois * time).zip(filled.chunks(rois * time));
        for ((i, (out, filled)), bold) in segments
            .enumerate()
            .zip(batch.samples.bold.chunks(rois * time))
        {
            let hidden = &batch.hidden[i * rois..(i + 1) * rois];
            let segment = DMatrix::from_fn(rois, time, |roi, t| {
                let source = if hidden[roi] { filled } else { bold };
                f64::from(source[roi * time + t])
            });
            let code = (self.rois.transpose() * segment * &self.time).component_mul(&self.keep);
            let drawn = &self.rois * code * self.time.transpose();
            for roi in 0..rois {
                for t in 0..time {
                    out[roi * time + t] = drawn[(roi, t)] as f32;
                }
            }
        }
        out
    }
}
