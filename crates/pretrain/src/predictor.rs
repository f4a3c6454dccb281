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

#[cfg(test)]
mod tests;
