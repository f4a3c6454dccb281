//! Linear bottleneck: reconstruction from as many numbers as a state has.

use brainmae_data::{ScanStore, SegmentLayout};
use nalgebra::{DMatrix, DVector, SymmetricEigen};

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

/// Covariance between the volumes of a segment, from all whole segments of all ROIs; pairs of which
/// one is censored do not count.
fn time_covariance(store: &ScanStore, segment_len: usize) -> Result<DMatrix<f64>, PretrainError> {
    let mut sum = DMatrix::zeros(segment_len, segment_len);
    let mut counts = DMatrix::<f64>::zeros(segment_len, segment_len);
    for scan in 0..store.len() {
        let bold = store.series(scan)?;
        let starts = (0..bold.n_volumes()).step_by(segment_len);
        for start in starts.filter(|start| start + segment_len <= bold.n_volumes()) {
            let volumes = start..start + segment_len;
            let kept = volumes
                .clone()
                .map(|v| f64::from(u8::from(bold.is_kept(v))));
            let kept = DVector::from_iterator(segment_len, kept);
            counts.ger(bold.n_rois() as f64, &kept, &kept, 1.0);
            for roi in 0..bold.n_rois() {
                let signal = volumes.clone().map(|v| f64::from(bold.row(v)[roi]));
                let signal = DVector::from_iterator(segment_len, signal).component_mul(&kept);
                sum.ger(1.0, &signal, &signal, 1.0);
            }
        }
    }
    Ok(sum.zip_map(&counts, |sum, count| sum / count.max(1.0)))
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
