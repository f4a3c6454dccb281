//! Objective: the interface between the trainer and what learns.

use brainmae_model::weights::Names;
use brainmae_run::Card;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::TrainError;

/// The loss of one part of a batch.
pub struct PartLoss {
    /// The loss to minimise: a scalar, the mean over the part.
    pub total: Tensor<1>,
    /// Other scalars for the metric log.
    pub terms: Vec<(&'static str, Tensor<1>)>,
    /// Weight of the part in the mean over the batch.
    pub weight: f64,
}

/// Names and values of scores.
pub type Scores = Vec<(&'static str, f64)>;

/// The loss of a part; `None` for an empty part.
pub type LossOf<Error> = Result<Option<PartLoss>, Error>;

/// A model with its data and its loss.
///
/// Batches are pure functions of the step: for the same step, an objective returns the same loss to
/// the last bit. A resumed run is therefore equal to an uninterrupted one.
pub trait Objective: Sync {
    /// The model that is trained.
    type Model: Module;

    /// Errors of batches and of validation, which include those of training.
    type Error: From<TrainError> + Send;

    /// Names of the model's parameters in checkpoints.
    fn weight_names(&self) -> &'static Names {
        &[]
    }

    /// Number of parts of a batch; parts are computed in parallel or one after another, and
    /// averaged.
    fn parts(&self) -> usize;

    /// The loss of one part of the batch of `step`; `None` if the part is empty. A step whose parts
    /// are all empty changes no weights.
    ///
    /// # Errors
    /// If the batch cannot be created.
    fn loss(&self, model: &Self::Model, step: u64, part: usize) -> LossOf<Self::Error>;

    /// Properties of the batch of `step`, for the metric log.
    fn describe(&self, step: u64) -> Vec<(&'static str, f64)> {
        let _ = step;
        Vec::new()
    }

    /// Scans and first volumes of the batch of `step`, for error messages.
    fn examples(&self, step: u64) -> Vec<String>;

    /// Number of passes over the training data after `step` steps.
    fn epoch(&self, step: u64) -> f64;

    /// Scores on the validation set; the first one chooses the best checkpoint, and lower is
    /// better. Without a validation set there are none, and the last weights are the best.
    /// `model` takes no gradients.
    ///
    /// # Errors
    /// If the validation data cannot be read.
    fn validate(&self, model: &Self::Model) -> Result<Scores, Self::Error>;

    /// Card that is saved with the weights; the trainer sets the step.
    fn card(&self) -> Card {
        Card::default()
    }
}
