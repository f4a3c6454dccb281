//! A linear autoencoder of segments: the model.

use brainmae_data::SampleBatch;
use brainmae_encoder::{Embed, EncoderModel};
use brainmae_model::init::Init;
use brainmae_model::{DataShape, Encoding, ModelError};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A linear map of a segment's signals to a few numbers, and one back.
#[derive(Module, Debug)]
pub struct LinearAutoencoder {
    encoder: Linear,
    decoder: Linear,
}

/// Table `[model]` of the experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinearConfig {
    /// Number of elements of a segment's vector.
    pub width: usize,
}

impl Default for LinearConfig {
    fn default() -> Self {
        Self { width: 8 }
    }
}

impl LinearAutoencoder {
    /// Signals of each segment, `[batch, segments, rois * time]`, on the model's device.
    pub fn segments(&self, samples: &SampleBatch) -> Tensor<3> {
        let dims = [samples.batch, samples.segments, samples.rois * samples.time];
        let device = self.encoder.weight.val().device();
        Tensor::from_data(TensorData::new(samples.bold.clone(), dims), &device)
    }

    /// Weight of each segment in a mean, `[batch, segments, 1]`: 1, or 0 where it is padding.
    pub fn valid(&self, samples: &SampleBatch) -> Tensor<3> {
        let weights: Vec<f32> = samples
            .valid
            .iter()
            .map(|v| f32::from(u8::from(*v)))
            .collect();
        let dims = [samples.batch, samples.segments, 1];
        let device = self.encoder.weight.val().device();
        Tensor::from_data(TensorData::new(weights, dims), &device)
    }

    /// The segments after both maps.
    pub fn reconstruct(&self, segments: Tensor<3>) -> Tensor<3> {
        self.decoder.forward(self.encoder.forward(segments))
    }
}

impl Embed for LinearAutoencoder {
    fn width(&self) -> usize {
        let [_, width] = self.encoder.weight.val().dims();
        width
    }

    /// A sample's vector is the mean over its segments.
    fn encode(&self, samples: &SampleBatch) -> Encoding {
        let tokens = self.encoder.forward(self.segments(samples));
        let valid = self.valid(samples);
        let n = valid.clone().sum_dim(1).clamp_min(1.0);
        let mean = (tokens.clone() * valid).sum_dim(1) / n;
        Encoding {
            cls: mean.squeeze_dim(1),
            tokens,
        }
    }
}

impl EncoderModel for LinearAutoencoder {
    const KIND: &'static str = "linear-autoencoder";
    const TITLE: &'static str = "Linear autoencoder";
    type Config = LinearConfig;

    fn init(
        config: &LinearConfig,
        data: DataShape,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Self, ModelError> {
        Self::check(config, data)?;
        let n = data.n_rois * data.segment_len_trs;
        let mut init = Init { rng, device };
        Ok(Self {
            encoder: init.linear(n, config.width),
            decoder: init.linear(config.width, n),
        })
    }

    fn check(config: &LinearConfig, _data: DataShape) -> Result<(), ModelError> {
        if config.width == 0 {
            return Err(ModelError::Config {
                field: "width",
                found: "0".to_string(),
                expected: "at least 1".to_string(),
            });
        }
        Ok(())
    }
}
