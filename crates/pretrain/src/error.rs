//! What can go wrong while training.

use std::fmt;
use std::path::PathBuf;

use brainmae_data::DataError;
use brainmae_encoder::EncoderError;
use brainmae_model::ModelError;
use brainmae_run::RunError;

/// The checkpoint before a loss that is not finite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastGood {
    /// Its folder.
    pub path: PathBuf,
    /// Steps behind it.
    pub step: u64,
}

impl fmt::Display for LastGood {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} (step {})", self.path.display(), self.step)
    }
}

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PretrainError {
    /// A loss or a gradient that is no finite number.
    #[error(
        "{what} is {value} at step {step}, batch {examples:?}; last good checkpoint: {}. \
         Look at these scans, lower schedule.base_lr, then run again",
        last_good.as_ref().map_or("none yet".to_string(), ToString::to_string)
    )]
    NonFinite {
        /// The loss, or the norm of the gradient.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The step that would have been done.
        step: u64,
        /// Where the batch was cut from.
        examples: Vec<String>,
        /// The checkpoint to go on from, if there is one.
        last_good: Option<LastGood>,
    },
    /// A callback ended the work.
    #[error("stopped on request")]
    Interrupted,
    /// A config value that makes no sense.
    #[error("training config: {field} is {found}, expected {expected}")]
    Config {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// Processes that do not stand at the same step.
    #[error(
        "process {rank} found a checkpoint of step {step} where the first process found one of step {first}: {path}. \
         All processes must see the same run folder"
    )]
    Apart {
        /// The process.
        rank: usize,
        /// Where it stands, 0 without a checkpoint.
        step: u64,
        /// Where the first process stands.
        first: u64,
        /// Where it looked.
        path: String,
    },
    /// The saved state of an optimiser that cannot be read.
    #[error("the optimiser's state in {path} is not readable: {problem}; start anew")]
    OptimizerState {
        /// The checkpoint.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// Nothing to learn from, or to measure on.
    #[error("the {side} side of the split has no scans")]
    NoScans {
        /// training, validation or test.
        side: &'static str,
    },
    /// A covariance that no ridge of the grid makes invertible.
    #[error(
        "the linear predictor cannot be fitted: the covariance of the training scans is not positive definite at any ridge"
    )]
    Covariance,
    /// A table that is not what it should be.
    #[error("table of reconstructions")]
    Table(#[from] polars::error::PolarsError),
    /// From a checkpoint.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// From the run folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// From the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// From the data.
    #[error(transparent)]
    Data(#[from] DataError),
}
