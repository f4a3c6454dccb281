//! Errors of training and of reconstruction scores.

use brainmae_data::DataError;
use brainmae_encoder::EncoderError;
use brainmae_model::ModelError;
use brainmae_run::RunError;
use brainmae_table::TableError;
use brainmae_train::TrainError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PretrainError {
    /// From training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A callback stopped the work.
    #[error("stopped on request")]
    Interrupted,
    /// An invalid config value.
    #[error("training config: {field} is {found}, expected {expected}")]
    Config {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        found: String,
        /// The valid values.
        expected: String,
    },
    /// A training, validation or test set without scans.
    #[error("the {set} set of the split has no scans")]
    NoScans {
        /// training, validation or test.
        set: &'static str,
    },
    /// A covariance that is not invertible with any ridge of the grid.
    #[error(
        "the linear predictor cannot be fitted: the covariance of the training scans is not positive definite at any ridge"
    )]
    Covariance,
    /// An invalid table.
    #[error("table of reconstructions")]
    Table(#[from] TableError),
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
    Data(Box<DataError>),
}

// In a box: results carry errors on every path, and this one is the largest.
impl From<DataError> for PretrainError {
    fn from(error: DataError) -> Self {
        Self::Data(Box::new(error))
    }
}
