//! Card of a checkpoint: what is behind the weights, and who was seen in training.

use serde::{Deserialize, Serialize};

/// Everything beside the weights that using them takes.
///
/// Descriptions of the model and of its data are opaque here: the crates that made them read them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Name of the kind of model.
    pub model: String,
    /// Config of the model, every default written out.
    pub model_config: serde_json::Value,
    /// Optimiser steps behind the weights.
    pub step: u64,
    /// Description of the data that the model was trained on and fits.
    pub data: serde_json::Value,
    /// Hash of the split into training, validation and test side.
    pub split_sha256: String,
    /// Subjects whose scans the weights have seen; barred from the test folds of anything that uses
    /// them.
    pub pretraining_subjects: Vec<String>,
    /// Scans that the weights have seen.
    pub pretraining_scans: Vec<String>,
}
