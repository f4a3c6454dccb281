//! Predictors of hidden ROIs: BrainMAE and simple baselines.

mod brainmae;
mod linear;
mod linear_bottleneck;
mod mixture;
mod neighbours;
mod time_covariance;
mod visible_mean;
mod zero;

pub use brainmae::BrainMaePredictor;
pub use linear::LinearPredictor;
pub use linear_bottleneck::LinearBottleneck;
pub use mixture::MixturePredictor;
pub use neighbours::NeighbouringSegments;
pub use visible_mean::VisibleMean;
pub use zero::Zero;

use crate::PretrainError;
use crate::masked_batch::MaskedBatch;
use crate::reconstruction::hidden_error;

/// A method that fills in hidden ROIs.
pub trait Predictor {
    /// Name in tables.
    fn name(&self) -> &str;

    /// Predicted signal, `[batch, segments, rois, time]`; only hidden ROIs of valid segments count.
    /// A predictor must not use the values of hidden ROIs.
    fn predict(&self, batch: &MaskedBatch) -> Vec<f32>;
}

/// Volumes that a predictor of a hidden value looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Visible ROIs at the predicted volume.
    Volume,
    /// Visible ROIs at all volumes of the segment.
    Segment,
}

/// Grid of ridges, relative to the unit variance of a z-scored ROI.
const RIDGES: [f64; 7] = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0];

/// Index of the candidate with the smallest error on `validation`, of `n`; `predict(i, batch)` is
/// the prediction of candidate `i`. `None` if no error is finite.
///
/// Each batch is read once for all candidates.
fn best_on(
    validation: impl IntoIterator<Item = Result<MaskedBatch, PretrainError>>,
    n: usize,
    mut predict: impl FnMut(usize, &MaskedBatch) -> Vec<f32>,
) -> Result<Option<usize>, PretrainError> {
    let mut errors = vec![0.0; n];
    for batch in validation {
        let batch = batch?;
        for (i, error) in errors.iter_mut().enumerate() {
            *error += hidden_error(&batch, &predict(i, &batch)).sum();
        }
    }
    let finite = (0..n).filter(|i| errors[*i].is_finite());
    Ok(finite.min_by(|a, b| errors[*a].total_cmp(&errors[*b])))
}

/// One valid segment of a batch.
struct MaskedSegment<'a> {
    /// `[rois, time]`, 0 in censored volumes.
    bold: &'a [f32],
    /// `[rois]`, true where hidden.
    hidden: &'a [bool],
    /// `[time]`, false where censored.
    kept: &'a [bool],
}

impl MaskedSegment<'_> {
    /// Number of volumes.
    fn time(&self) -> usize {
        self.kept.len()
    }

    /// Hidden ROIs and visible ROIs.
    fn rois(&self) -> (Vec<usize>, Vec<usize>) {
        (0..self.hidden.len()).partition(|roi| self.hidden[*roi])
    }
}

/// Prediction of each valid segment by itself: `predict(segment, out)` fills the hidden ROIs of
/// `out`, `[rois, time]`. All else is 0.
fn by_segment(batch: &MaskedBatch, predict: impl Fn(&MaskedSegment, &mut [f32])) -> Vec<f32> {
    let [_, _, rois, time] = batch.dims();
    let mut out = vec![0.0; batch.samples.bold.len()];
    for (i, out) in out.chunks_mut(rois * time).enumerate() {
        if batch.samples.valid[i] {
            let segment = MaskedSegment {
                bold: &batch.samples.bold[i * rois * time..(i + 1) * rois * time],
                hidden: &batch.hidden[i * rois..(i + 1) * rois],
                kept: &batch.samples.kept[i * time..(i + 1) * time],
            };
            predict(&segment, out);
        }
    }
    out
}

#[cfg(test)]
mod tests;
