//! What the engine asks of a self-supervised model.

use brainmae_run::Card;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::PretrainError;

/// The loss of one part of a batch.
pub struct PartLoss {
    /// What is minimised: a scalar, the mean over the part.
    pub total: Tensor<1>,
    /// Other scalars for the metric log.
    pub terms: Vec<(&'static str, Tensor<1>)>,
    /// How much the part counts in the mean over the batch.
    pub weight: f64,
}

/// A model together with its data and its loss.
///
/// Batches are pure functions of the step: asked twice for the same step, an objective gives the
/// same loss to the last bit. That is what makes a resumed run equal an uninterrupted one.
pub trait Objective: Sync {
    /// What learns.
    type Model: Module;

    /// Into how many parts a batch is cut; parts are computed in parallel or one after another, and
    /// averaged.
    fn parts(&self) -> usize;

    /// The loss of one part of the batch of `step`.
    ///
    /// # Errors
    /// If the batch cannot be made.
    fn loss(&self, model: &Self::Model, step: u64, part: usize) -> Result<PartLoss, PretrainError>;

    /// Numbers that describe the batch of `step` itself, for the metric log.
    fn describe(&self, step: u64) -> Vec<(&'static str, f64)>;

    /// Where the examples of `step` were cut from, for an error message.
    fn examples(&self, step: u64) -> Vec<String>;

    /// Passes over the training data after `step` steps.
    fn epoch(&self, step: u64) -> f64;

    /// Scores on the validation side, the first of which chooses the best checkpoint: lower is
    /// better. `model` takes no gradients.
    ///
    /// # Errors
    /// If the validation data cannot be read.
    fn validate(&self, model: &Self::Model) -> Result<Vec<(&'static str, f64)>, PretrainError>;

    /// What goes beside the weights; the engine fills in the step.
    fn card(&self) -> Card;
}
