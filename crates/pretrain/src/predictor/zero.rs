//! The mean of a z-scored signal.

use super::Predictor;
use crate::brainmae::MaskedBatch;

/// Predicts zero: what knowing nothing gives, an error of about 1.
pub struct Zero;

impl Predictor for Zero {
    fn name(&self) -> &str {
        "zero"
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        vec![0.0; batch.samples.bold.len()]
    }
}
