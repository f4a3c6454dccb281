//! Card of a checkpoint: the data behind the weights, and the subjects seen in training.

use serde::{Deserialize, Serialize};

/// Everything besides the weights that a user of a checkpoint needs.
///
/// The descriptions of model and data are opaque here: the crates that wrote them read them.
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
    /// Hash of the split into training, validation and test sets.
    pub split_sha256: String,
    /// Subjects whose scans the weights have seen. They are barred from the test folds of every
    /// later evaluation of these weights.
    pub pretraining_subjects: Vec<String>,
    /// Scans that the weights have seen.
    pub pretraining_scans: Vec<String>,
}
