//! A linear autoencoder of segments: its pretext task.

use brainmae_data::SampleBatch;
use brainmae_pretrain::{Draw, Pretext, PretextLoss, PretrainError};
use brainmae_run::Seeds;
use brainmae_train::Scores;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::model::LinearAutoencoder;

/// Reconstruction of whole segments; nothing is hidden.
#[derive(Clone)]
pub struct Reconstruction;

/// Table `[objective]` of the experiment file: it has no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// Mean squared error over the segments that are not padding.
fn error(model: &LinearAutoencoder, samples: &SampleBatch) -> Tensor<1> {
    let segments = model.segments(samples);
    let (valid, [_, _, n]) = (model.valid(samples), segments.dims());
    let error = (model.reconstruct(segments.clone()) - segments).powi_scalar(2);
    (error * valid.clone()).sum() / (valid.sum().clamp_min(1.0) * n as f64)
}

impl Pretext for Reconstruction {
    type Model = LinearAutoencoder;
    type Config = NoSettings;

    fn new(_: &NoSettings) -> Result<Self, PretrainError> {
        Ok(Self)
    }

    fn loss(&self, model: &LinearAutoencoder, samples: &SampleBatch, _: &Draw) -> PretextLoss {
        PretextLoss {
            total: error(model, samples),
            terms: Vec::new(),
        }
    }

    fn validate(
        &self,
        model: &LinearAutoencoder,
        samples: &SampleBatch,
        _: &Seeds,
        _: u64,
    ) -> Scores {
        let error = f64::from(error(model, samples).into_scalar::<f32>());
        vec![("validation/loss", error)]
    }
}
