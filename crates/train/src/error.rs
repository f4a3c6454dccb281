//! Errors of training.

use std::fmt;
use std::path::PathBuf;

use brainmae_files::{FileError, InvalidField};
use brainmae_model::ModelError;
use brainmae_run::RunError;

use crate::memory::TooLittleMemory;

/// The last checkpoint before a non-finite loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastGood {
    /// Its folder.
    pub path: PathBuf,
    /// Number of completed steps.
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
pub enum TrainError {
    /// A loss or a gradient that is not finite.
    #[error(
        "{what} is {value} at step {step}, batch {examples:?}; last good checkpoint: {}. \
         Look at these scans, lower the learning rate, then run again",
        last_good.as_ref().map_or("none yet".to_string(), ToString::to_string)
    )]
    NonFinite {
        /// The loss, or the norm of the gradient.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The step that was not completed.
        step: u64,
        /// Scans and first volumes of the batch.
        examples: Vec<String>,
        /// The checkpoint to resume from; `None` if there is none.
        last_good: Option<LastGood>,
    },
    /// A batch that does not fit into memory.
    #[error(transparent)]
    Memory(#[from] TooLittleMemory),
    /// An invalid config value.
    #[error("training config: {0}")]
    Config(InvalidField),
    /// Processes whose checkpoints are of different steps.
    #[error(
        "process {rank} found a checkpoint of step {step} where the first process found one of step {first}: {path}. \
         All processes must see the same run folder"
    )]
    Apart {
        /// Rank of the process.
        rank: usize,
        /// Step of its checkpoint, 0 if there is none.
        step: u64,
        /// Step of the first process's checkpoint.
        first: u64,
        /// Folder of its checkpoints.
        path: String,
    },
    /// A saved optimiser state that cannot be read.
    #[error("the optimiser's state in {path} is not readable: {problem}; start anew")]
    OptimizerState {
        /// Path of the checkpoint.
        path: String,
        /// Description of the error.
        problem: String,
    },
    /// From the folder of a fit.
    #[error(transparent)]
    Files(#[from] FileError),
    /// From the run folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// From the model.
    #[error(transparent)]
    Model(#[from] ModelError),
}
