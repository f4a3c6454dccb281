//! What linear maps reach when a segment must pass through as few numbers as a state has.

use brainmae_data::{ScanStore, SegmentLayout};
use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::{LinearPredictor, Predictor};
use crate::PretrainError;
use crate::brainmae::MaskedBatch;

/// The linear predictor with BrainMAE's bottleneck: hidden ROIs are filled in by
/// [`LinearPredictor`], and the segment is then written with `n_numbers` coefficients and drawn
/// from them.
///
/// ```text
/// X^ = U ( keep_d( U^T X V ) ) V^T        X: [rois, time] of one segment, hidden ROIs filled in
/// ```
/// `U` and `V` are the eigenvectors of the covariances between ROIs and between volumes of the
/// training scans, and `keep_d` keeps the `d` coefficients of largest expected square. With few
/// numbers it shows what the bottleneck alone costs: a state of `d` numbers carries `rois * time`
/// values.
pub struct LinearBottleneck {
    name: String,
    linear: LinearPredictor,
    rois: DMatrix<f64>,
    time: DMatrix<f64>,
    /// 1 where a coefficient is kept, `[rois, time]`.
    keep: DMatrix<f64>,
}

impl LinearBottleneck {
    /// Fits on `training`; `linear` has been fitted on the same scans, for
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
        let time = SymmetricEigen::new(time_covariance(training, layout.segment_len_trs)?);
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

/// Covariance between the volumes of a segment, from every whole segment of every ROI.
fn time_covariance(store: &ScanStore, segment_len: usize) -> Result<DMatrix<f64>, PretrainError> {
    let mut sum = DMatrix::zeros(segment_len, segment_len);
    let mut count = 0.0f64;
    for scan in 0..store.len() {
        let bold = store.series(scan)?;
        let starts = (0..bold.n_volumes()).step_by(segment_len);
        for start in starts.filter(|start| start + segment_len <= bold.n_volumes()) {
            for roi in 0..bold.n_rois() {
                let signal = (start..start + segment_len).map(|v| f64::from(bold.row(v)[roi]));
                let signal = DVector::from_iterator(segment_len, signal);
                sum.ger(1.0, &signal, &signal, 1.0);
                count += 1.0;
            }
        }
    }
    Ok(sum / count.max(1.0))
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
