//! BrainMAE as a predictor of hidden ROIs.

use brainmae_model::BrainMae;

use super::Predictor;
use crate::masked_batch::MaskedBatch;

/// Reconstructs hidden ROIs with a pretrained BrainMAE.
pub struct BrainMaePredictor {
    name: String,
    model: BrainMae,
}

impl BrainMaePredictor {
    /// `model` takes no gradients.
    pub fn new(name: &str, model: BrainMae) -> Self {
        Self {
            name: name.to_string(),
            model,
        }
    }

    /// The model.
    pub fn model(&self) -> &BrainMae {
        &self.model
    }
}

impl Predictor for BrainMaePredictor {
    fn name(&self) -> &str {
        &self.name
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        let (input, hidden) = batch.to_device(&self.model);
        let drawn = self.model.reconstruct(&input, Some(&hidden));
        drawn.into_data().iter::<f32>().collect()
    }
}
