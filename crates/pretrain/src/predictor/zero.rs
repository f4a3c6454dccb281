//! Zero, the mean of a z-scored signal, as a predictor.

use super::Predictor;
use crate::masked_batch::MaskedBatch;

/// Constant predictor: zero, with an error of about 1.
pub struct Zero;

impl Predictor for Zero {
    fn name(&self) -> &str {
        "zero"
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        vec![0.0; batch.samples.bold.len()]
    }
}
