//! Errors of libraries in the terms of an experiment file: libraries name fields, experiment files
//! group them into tables.

use anyhow::{Error, anyhow};
use brainmae_data::DataError;
use brainmae_downstream::DownstreamError;
use brainmae_encoder::EncoderError;
use brainmae_files::InvalidField;
use brainmae_pretrain::PretrainError;
use brainmae_train::TrainError;

/// Error of an invalid setting, with its table in the experiment file: for `train`, `steps` becomes
/// `train.steps`.
pub fn training(table: &str, error: PretrainError) -> Error {
    match error {
        PretrainError::Config {
            field,
            found,
            expected,
        }
        | PretrainError::Train(TrainError::Config(InvalidField {
            field,
            found,
            expected,
        })) => anyhow!("training config: {table}.{field} is {found}, expected {expected}"),
        other => other.into(),
    }
}

/// As [`training`], for settings of the data.
pub fn data(table: &str, error: DataError) -> Error {
    match error {
        DataError::Config(InvalidField {
            field,
            found,
            expected,
        }) => anyhow!("{table}.{field} is {found}, expected {expected}"),
        other => other.into(),
    }
}

/// As [`training`], for settings of the downstream stage.
pub fn downstream(table: &str, error: DownstreamError) -> Error {
    match error {
        DownstreamError::Config {
            field,
            found,
            expected,
        } => anyhow!("downstream config: {table}.{field} is {found}, expected {expected}"),
        other => other.into(),
    }
}

/// Error of a refused checkpoint; `hint` says what to do if it has seen a subject of the test set.
pub fn checkpoint(error: EncoderError, hint: &str) -> Error {
    match error {
        EncoderError::OtherConfig {
            field,
            found,
            expected,
        } => anyhow!(
            "the checkpoint does not fit: model.{field} is {found} here, {expected} in the checkpoint; use the config \
             that the checkpoint was trained with"
        ),
        EncoderError::Seen { .. } => anyhow!("{error}\nhint: {hint}"),
        other => other.into(),
    }
}
