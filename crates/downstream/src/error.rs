//! What can go wrong while predicting targets.

use brainmae_data::DataError;
use brainmae_encoder::EncoderError;
use brainmae_model::ModelError;
use brainmae_run::RunError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownstreamError {
    /// A config value that makes no sense.
    #[error("downstream config: {field} is {found}, expected {expected}")]
    Config {
        /// The field.
        field: String,
        /// Its value.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// A learner that cannot learn from what it is given.
    #[error("{learner} cannot learn target {target}: {problem}")]
    Fit {
        /// Who.
        learner: String,
        /// What was to be learned.
        target: String,
        /// Why not, and what to do.
        problem: String,
    },
    /// Predictions of which no score can be computed.
    #[error("predictions of {target} by {model}: {problem}")]
    Predictions {
        /// What was predicted.
        target: String,
        /// By whom.
        model: String,
        /// What is wrong with them.
        problem: String,
    },
    /// A word in a table that stands for nothing.
    #[error("column {column} has {found:?}: the table is damaged, or of a later version")]
    UnknownWord {
        /// The column.
        column: &'static str,
        /// The word.
        found: String,
    },
    /// A table that is not what it should be.
    #[error("table of predictions or results")]
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
