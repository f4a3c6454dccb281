//! What every way to predict a target is: a model of this project, a baseline, a peer.

use brainmae_run::Seeds;
use burn::tensor::Device;

use crate::{DownstreamError, Examples, FitError, Kind, Labelled, Output};

/// What is to be learned, and with what.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Name of the target, for messages.
    pub target: String,
    /// Number or class.
    pub kind: Kind,
    /// Whether all scans of a subject have one truth: what is said of a subject is then the mean
    /// over its scans.
    pub of_subjects: bool,
    /// ROIs of the atlas.
    pub n_rois: usize,
    /// Seconds from one volume to the next, in every scan.
    pub dt_secs: f64,
    /// Volumes of a segment of the transient state encoder.
    pub segment_len_trs: usize,
    /// Names of the confounds of every scan.
    pub confounds: Vec<String>,
    /// Randomness of this fold.
    pub seeds: Seeds,
    /// Where tensors live; without autodiff.
    pub device: Device,
}

impl Problem {
    /// An error that says who cannot learn it, and why.
    pub(crate) fn refused(&self, learner: &str, reason: FitError) -> DownstreamError {
        DownstreamError::Fit {
            learner: learner.to_string(),
            target: self.target.clone(),
            reason,
        }
    }
}

/// A way to predict a target.
///
/// Whatever it learns, normalisation and selection included, it learns from the training side; the
/// validation side decides (when to stop, how much to shrink). The test side is unknown to it until
/// [`Fitted::predict`], and its truth for ever.
pub trait Learner: Sync {
    /// Its name in tables.
    fn name(&self) -> &str;

    /// Learns.
    ///
    /// # Errors
    /// [`DownstreamError::Fit`] if nothing can be learned from these examples.
    fn fit(
        &self,
        problem: &Problem,
        training: &Labelled,
        validation: &Labelled,
    ) -> Result<Box<dyn Fitted>, DownstreamError>;
}

/// What has been learned.
pub trait Fitted {
    /// Predictions, one row for each example.
    ///
    /// # Errors
    /// If the examples do not fit what was learned from.
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError>;
}
