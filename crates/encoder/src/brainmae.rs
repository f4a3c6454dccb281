//! BrainMAE as a model that can be pretrained.

use brainmae_data::SampleBatch;
use brainmae_model::weights::Names;
use brainmae_model::{BrainMae, BrainMaeConfig, DataShape, Encoding, Input, ModelError, Precision};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use crate::{Embed, EncoderModel};

/// Samples as input of BrainMAE, on its device.
pub fn input(samples: &SampleBatch, model: &BrainMae) -> Input {
    let dims = [samples.batch, samples.segments, samples.rois, samples.time];
    let bold = samples.bold.clone();
    let input = model.input(bold, dims, &samples.start_secs, &samples.valid);
    input
        .with_kept(&samples.kept, &samples.valid)
        .with_missing(&samples.missing)
}

impl Embed for BrainMae {
    fn width(&self) -> usize {
        let [_, d_model] = BrainMae::roi_vectors(self).dims();
        d_model
    }

    fn encode(&self, samples: &SampleBatch) -> Encoding {
        BrainMae::encode(self, &input(samples, self), None)
    }

    fn roi_tokens(&self, samples: &SampleBatch) -> Option<Tensor<3>> {
        Some(BrainMae::roi_tokens(self, &input(samples, self)))
    }

    fn roi_vectors(&self) -> Option<Tensor<2>> {
        Some(BrainMae::roi_vectors(self))
    }
}

impl EncoderModel for BrainMae {
    const KIND: &'static str = "brainmae";
    const TITLE: &'static str = "BrainMAE";
    const WEIGHT_NAMES: &'static Names = BrainMae::WEIGHT_NAMES;
    type Config = BrainMaeConfig;

    fn init(
        config: &BrainMaeConfig,
        data: DataShape,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Self, ModelError> {
        config.init(data, rng, device)
    }

    fn check(config: &BrainMaeConfig, data: DataShape) -> Result<(), ModelError> {
        config.check(data)
    }

    fn with_precision(self, precision: Precision) -> Self {
        BrainMae::with_precision(self, precision)
    }
}
