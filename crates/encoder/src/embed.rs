//! Contract of pretrained models: what a model makes of samples, and how it is created.

use brainmae_data::SampleBatch;
use brainmae_model::weights::Names;
use brainmae_model::{DataShape, Encoding, ModelError, Precision};
use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Vectors that a model makes of samples. Embedding, probes and fine-tuning use nothing else of it.
pub trait Embed: Send {
    /// Number of elements of every vector.
    fn width(&self) -> usize;

    /// Vector of each sample and of each of its segments, on the model's device; gradients flow if
    /// it has autodiff. [Missing](SampleBatch::missing) ROIs are hidden, if the model can hide
    /// ROIs; their signals are 0. Padded segments have a vector too, which must not change the
    /// others.
    fn encode(&self, samples: &SampleBatch) -> Encoding;

    /// Vector of each ROI in each segment, `[batch * segments, rois, width]`; `None` for a model
    /// that does not look at ROIs one by one.
    fn roi_tokens(&self, samples: &SampleBatch) -> Option<Tensor<3>> {
        let _ = samples;
        None
    }

    /// Vectors that identify the ROIs, `[rois, width]`; `None` for a model without such vectors.
    fn roi_vectors(&self) -> Option<Tensor<2>> {
        None
    }
}

/// A model that can be pretrained: its name, settings, weights, and the vectors it makes.
///
/// This trait and an objective of `brainmae-pretrain` are all that an experiment needs to pretrain,
/// probe, fine-tune and embed with a model. Its checkpoints are opened through [`EncoderKinds`].
///
/// [`EncoderKinds`]: crate::EncoderKinds
pub trait EncoderModel: Embed + Module + ModuleDisplay + 'static {
    /// Value of `model.kind` in experiment files, and the model's name in cards.
    const KIND: &'static str;

    /// Name in tables and reports.
    const TITLE: &'static str;

    /// Names of the parameters in weight files.
    const WEIGHT_NAMES: &'static Names = &[];

    /// Settings, as in the table `[model]` of experiment files and in cards.
    type Config: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// A model with random weights drawn from `rng`.
    ///
    /// # Errors
    /// As [`EncoderModel::check`].
    fn init(
        config: &Self::Config,
        data: DataShape,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Self, ModelError>;

    /// Checks that the settings fit one another and the data.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the first setting that does not fit.
    fn check(config: &Self::Config, data: DataShape) -> Result<(), ModelError>;

    /// The model with this precision of its computations; a model without a choice ignores it.
    fn with_precision(self, precision: Precision) -> Self {
        let _ = precision;
        self
    }
}
