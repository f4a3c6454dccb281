//! Predictors of hidden ROIs: BrainMAE and simple baselines.

mod brainmae;
mod linear;
mod linear_bottleneck;
mod mixture;
mod visible_mean;
mod zero;

pub use brainmae::BrainMaePredictor;
pub use linear::{LinearPredictor, Scope};
pub use linear_bottleneck::LinearBottleneck;
pub use mixture::MixturePredictor;
pub use visible_mean::VisibleMean;
pub use zero::Zero;

use crate::masked_batch::MaskedBatch;

/// A method that fills in hidden ROIs.
pub trait Predictor {
    /// Name in tables.
    fn name(&self) -> &str;

    /// Predicted signal, `[batch, segments, rois, time]`; only hidden ROIs of valid segments count.
    /// A predictor must not use the values of hidden ROIs.
    fn predict(&self, batch: &MaskedBatch) -> Vec<f32>;
}

/// Prediction of each valid segment by itself: `predict(bold, hidden, time, out)` fills the hidden
/// ROIs of `out`, `[rois, time]` like `bold`. All else is 0.
fn by_segment(
    batch: &MaskedBatch,
    predict: impl Fn(&[f32], &[bool], usize, &mut [f32]),
) -> Vec<f32> {
    let [_, _, rois, time] = batch.dims();
    let mut out = vec![0.0; batch.samples.bold.len()];
    for (i, out) in out.chunks_mut(rois * time).enumerate() {
        if batch.samples.valid[i] {
            let bold = &batch.samples.bold[i * rois * time..(i + 1) * rois * time];
            let hidden = &batch.hidden[i * rois..(i + 1) * rois];
            predict(bold, hidden, time, out);
        }
    }
    out
}

#[cfg(test)]
mod tests;
