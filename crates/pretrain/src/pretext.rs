//! Pretext task: what a model learns from samples without labels.

use std::ops::Range;

use brainmae_data::SampleBatch;
use brainmae_encoder::EncoderModel;
use brainmae_run::Seeds;
use brainmae_train::Scores;
use burn::tensor::Tensor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::PretrainError;
use crate::predictor::Predictor;

/// A pretext task: the loss of a model on samples without labels.
///
/// [`Pretraining`](crate::Pretraining) cuts the samples, reads them ahead and divides batches among
/// threads, devices and processes; a task sees one part of a batch at a time. A loss is a pure
/// function of weights, samples and [`Draw`], so a resumed run is equal to an uninterrupted one.
pub trait Pretext: Clone + Send + Sync + 'static {
    /// The model that learns.
    type Model: EncoderModel;

    /// Settings, as in the table `[objective]` of experiment files.
    type Config: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// Name of the settings in the identity of a run.
    const TABLE: &'static str = "objective";

    /// Whether [`Pretext::predictor`] returns one.
    const RECONSTRUCTS_ROIS: bool = false;

    /// The task with these settings.
    ///
    /// # Errors
    /// [`PretrainError::Config`] for an invalid setting.
    fn new(config: &Self::Config) -> Result<Self, PretrainError>;

    /// Loss of a part of a batch: a mean over its segments that are not padding.
    fn loss(&self, model: &Self::Model, samples: &SampleBatch, draw: &Draw) -> PretextLoss;

    /// Properties of the batch of `step`, for the metric log.
    fn describe(&self, seeds: &Seeds, step: u64) -> Vec<(&'static str, f64)> {
        let _ = (seeds, step);
        Vec::new()
    }

    /// Scores of batch `number` of the validation set, each a mean over its segments that are not
    /// padding. The first one chooses the best checkpoint; lower is better. `model` takes no
    /// gradients. Random numbers come from `seeds` and `number` alone, so that all validations see
    /// the same.
    fn validate(
        &self,
        model: &Self::Model,
        samples: &SampleBatch,
        seeds: &Seeds,
        number: u64,
    ) -> Scores;

    /// The model as a predictor of hidden ROIs, for the reconstruction scores beside simple
    /// predictors; `None` for a task that hides no ROIs.
    fn predictor(name: &str, model: Self::Model) -> Option<Box<dyn Predictor>> {
        let _ = (name, model);
        None
    }
}

/// Loss of a part of a batch.
pub struct PretextLoss {
    /// The loss to minimise: a scalar.
    pub total: Tensor<1>,
    /// Other scalars for the metric log.
    pub terms: Vec<(&'static str, Tensor<1>)>,
}

/// Place of a part of a batch in the run, which determines all its random numbers.
#[derive(Clone, Debug)]
pub struct Draw {
    /// Seeds of all random streams of the run.
    pub seeds: Seeds,
    /// Step of the batch.
    pub step: u64,
    /// Number of each sample in the whole run. A stream per sample makes the result independent of
    /// the division of a batch into parts.
    pub samples: Range<u64>,
}
