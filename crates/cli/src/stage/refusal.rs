//! Refusals of the libraries in the words of an experiment file: libraries name fields, experiment
//! files put them into tables.

use anyhow::{Error, anyhow};
use brainmae_downstream::DownstreamError;
use brainmae_encoder::EncoderError;
use brainmae_pretrain::PretrainError;

/// A setting that makes no sense, with its table in the experiment file: `train` makes `steps`
/// `train.steps`.
pub fn training(table: &str, error: PretrainError) -> Error {
    match error {
        PretrainError::Config {
            field,
            found,
            expected,
        } => anyhow!("training config: {table}.{field} is {found}, expected {expected}"),
        other => other.into(),
    }
}

/// The same for settings of the downstream stage.
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

/// A checkpoint that is refused; `hint` says what to do when it has seen somebody who is held out.
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
