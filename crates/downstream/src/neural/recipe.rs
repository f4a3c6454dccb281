//! Training settings of a network: those of its paper, and limits on epochs.

use brainmae_train::{Method, OptimizerConfig, Schedule};
use serde::{Deserialize, Serialize};

/// Training settings of a paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Optimiser of the paper, with its usual betas (0.9, 0.999).
    pub optimizer: Method,
    /// Learning rate over the steps.
    pub schedule: Schedule,
    /// Weight decay of the weight matrices.
    pub weight_decay: f64,
    /// Examples per step.
    pub batch_size: usize,
    /// Passes over the training set.
    pub epochs: usize,
    /// Longest input of the network; `None` for whole examples.
    pub crop: Option<Span>,
}

impl Recipe {
    /// Adam with a constant learning rate, without weight decay, on whole examples.
    pub fn adam(lr: f64, batch_size: usize, epochs: usize) -> Self {
        Self {
            optimizer: Method::Adam,
            schedule: Schedule::constant(lr),
            weight_decay: 0.0,
            batch_size,
            epochs,
            crop: None,
        }
    }

    /// Settings of the optimiser: weight matrices decay, and the gradient is not clipped.
    pub(super) fn optimizer(&self) -> OptimizerConfig {
        OptimizerConfig {
            beta_2: 0.999,
            weight_decay: self.weight_decay,
            clip_norm: f64::INFINITY,
            method: self.optimizer,
            ..OptimizerConfig::default()
        }
    }
}

/// A length in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// Number of volumes, for any dt.
    Volumes(usize),
    /// Duration in seconds.
    Secs(f64),
}

impl Span {
    /// Length in volumes of `dt_secs`, at least 1.
    pub fn volumes(self, dt_secs: f64) -> usize {
        match self {
            Span::Volumes(volumes) => volumes.max(1),
            Span::Secs(secs) => (secs / dt_secs).round().max(1.0) as usize,
        }
    }
}

/// Volumes that the signals of an example are z-scored over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Those of its scan. A segment keeps its mean, which may tell the state.
    #[default]
    Scan,
    /// Its own. A segment loses its mean, and a single volume becomes 0.
    Example,
}

/// Settings of the training of networks besides those of their papers, as in an experiment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Maximum number of passes over the training set; the number of the paper if it is smaller.
    /// Schedules are scaled to this number.
    pub max_epochs: usize,
    /// Passes without a better validation loss after which training stops.
    pub patience: usize,
    /// Crops of a subject or scan in a step; the loss is that of their mean. Fewer if fewer cover
    /// its scans.
    pub bag: usize,
    /// Volumes that signals are z-scored over.
    pub scale: Scaling,
}

impl Default for Budget {
    /// Epochs of the papers, with the patience of Popov et al. 2024.
    fn default() -> Self {
        Self {
            max_epochs: 500,
            patience: 30,
            bag: 4,
            scale: Scaling::Scan,
        }
    }
}

impl Budget {
    /// Few epochs, for a quick test of a table on a laptop.
    pub fn lite() -> Self {
        Self {
            max_epochs: 30,
            patience: 8,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_become_volumes() {
        assert_eq!(Span::Secs(36.0).volumes(0.72), 50);
        assert_eq!(Span::Secs(0.1).volumes(2.0), 1);
        assert_eq!(Span::Volumes(7).volumes(2.0), 7);
    }
}
