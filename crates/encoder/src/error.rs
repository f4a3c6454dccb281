//! Errors of opening a checkpoint and of using its encoder.

use brainmae_data::{DataError, DataMismatch, ScanId};
use brainmae_model::ModelError;
use brainmae_run::RunError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// The data differ from those that the checkpoint was trained on.
    #[error(transparent)]
    Mismatch(#[from] DataMismatch),
    /// The checkpoint belongs to another kind of model.
    #[error("the checkpoint does not fit: the model is {expected} here, {found} in the checkpoint")]
    OtherModel {
        /// Model of the checkpoint.
        found: String,
        /// Model that was asked for.
        expected: String,
    },
    /// No kind of model has this name.
    #[error("unknown kind of model `{found}`, expected one of `{}`", known.join("`, `"))]
    UnknownKind {
        /// Name that was asked for.
        found: String,
        /// Names of the known kinds.
        known: Vec<&'static str>,
    },
    /// Settings that are not those of the kind of model.
    #[error("the settings of the model are not those of a {kind}")]
    Config {
        /// Name of the kind.
        kind: &'static str,
        /// First setting that is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The config of the model differs from the checkpoint's.
    #[error(
        "the checkpoint does not fit: the model's {field} is {found} here, {expected} in the checkpoint; use the \
         config that the checkpoint was trained with"
    )]
    OtherConfig {
        /// Field of the model's config.
        field: String,
        /// Its value in the config that was asked for.
        found: Box<serde_json::Value>,
        /// Its value in the checkpoint.
        expected: Box<serde_json::Value>,
    },
    /// The encoder was trained on a held-out scan.
    #[error(
        "the checkpoint was trained on scan {scan}, on its subject or on a relative, who is held out in this split"
    )]
    Seen {
        /// The first such scan.
        scan: ScanId,
    },
    /// The card has no valid description of the data or the model.
    #[error("the {part} in the card of the checkpoint {path:?} is damaged")]
    Card {
        /// `data` or `model_config`.
        part: &'static str,
        /// The checkpoint.
        path: std::path::PathBuf,
        /// Parse error.
        #[source]
        source: serde_json::Error,
    },
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
