//! Learner and fitted model: the interface of BrainMAE and all baselines.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use brainmae_run::Seeds;
use brainmae_train::memory::{Division, Memory, Need};
use burn::tensor::Device;

use crate::{DownstreamError, Examples, FitError, Kind, Labelled, Output};

/// A prediction problem: the target, the data's sizes and the randomness of one fold.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Name of the target, for messages.
    pub target: String,
    /// Number or class.
    pub kind: Kind,
    /// True if all scans of a subject have one truth. The prediction for a subject is then the mean
    /// over its scans.
    pub of_subjects: bool,
    /// Number of ROIs of the atlas.
    pub n_rois: usize,
    /// dt in seconds, the same in all scans.
    pub dt_secs: f64,
    /// Length of a segment of the transient state encoder, in volumes.
    pub segment_len_trs: usize,
    /// Names of the confounds, the same for all scans.
    pub confounds: Vec<String>,
    /// Randomness of this fold.
    pub seeds: Seeds,
    /// Device of the tensors, without autodiff.
    pub device: Device,
    /// How fits are computed and kept; no result depends on it.
    pub fits: Fits,
}

/// How fits are computed and kept.
#[derive(Clone, Debug, Default)]
pub struct Fits {
    /// Threads that compute the parts of a batch; 0 means one for each processor.
    pub threads: usize,
    /// Folder in which an unfinished fit is kept, so that it goes on after an interruption. It
    /// belongs to one fit alone; the caller removes it when the fit is no longer needed.
    pub folder: Option<PathBuf>,
    /// If true, a fit ends after its current step with [`DownstreamError::Interrupted`].
    pub stop: Option<&'static AtomicBool>,
}

impl Problem {
    /// The error of `learner`, with the reason.
    pub(crate) fn refused(&self, learner: &str, reason: FitError) -> DownstreamError {
        DownstreamError::Fit {
            learner: learner.to_string(),
            target: self.target.clone(),
            reason,
        }
    }
}

/// A method that predicts a target.
///
/// All parameters, including those of normalisation and feature selection, are fitted on the
/// training set. The validation set chooses settings, such as the stopping epoch; ridge regression
/// chooses its penalty by leave-one-out over both sets.
/// The test set is unknown to the learner until [`Fitted::predict`]; its truth stays unknown.
pub trait Learner: Sync {
    /// Name in tables.
    fn name(&self) -> &str;

    /// Trains on `training`; `validation` chooses settings.
    ///
    /// # Errors
    /// [`DownstreamError::Fit`] if the learner cannot be trained on these examples.
    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult;

    /// Memory that [`Learner::fit`] needs at once, measured on a few examples while nothing else is
    /// computed; `None` for a learner that needs little beside its data, or that does not know it.
    ///
    /// # Errors
    /// As [`Learner::fit`], before its first step.
    fn need(
        &self,
        problem: &Problem,
        training: &Labelled,
        validation: &Labelled,
        memory: &dyn Memory,
    ) -> Result<Option<FitNeed>, DownstreamError> {
        let _ = (problem, training, validation, memory);
        Ok(None)
    }
}

/// Memory that a fit needs for its batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FitNeed {
    /// What it needs.
    pub need: Need,
    /// Its batches.
    pub division: Division,
}

/// A trained learner, or why there is none.
pub type FitResult = Result<Box<dyn Fitted>, DownstreamError>;

/// A trained learner.
pub trait Fitted {
    /// Predictions, one row for each example.
    ///
    /// # Errors
    /// If the examples do not match the training examples.
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError>;
}
