//! Training settings of a network: those of its paper, and limits on epochs.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer};
use serde::{Deserialize, Serialize};

/// Training settings of a paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Optimiser.
    pub optimizer: Optimizer,
    /// Largest learning rate.
    pub lr: f64,
    /// Course of the learning rate over the steps.
    pub schedule: Schedule,
    /// Weight decay of all parameters: added to the gradient by Adam, taken from the weights by
    /// AdamW.
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
            optimizer: Optimizer::Adam,
            lr,
            schedule: Schedule::Constant,
            weight_decay: 0.0,
            batch_size,
            epochs,
            crop: None,
        }
    }

    /// A new optimiser.
    pub(super) fn optimizer(&self) -> ModuleOptimizer {
        let decay = self.weight_decay as f32;
        match self.optimizer {
            Optimizer::Adam => AdamConfig::new()
                .with_epsilon(1e-8)
                .with_weight_decay((decay > 0.0).then(|| WeightDecayConfig::new(decay)))
                .init(),
            Optimizer::AdamW => AdamWConfig::new()
                .with_epsilon(1e-8)
                .with_weight_decay(decay)
                .init(),
        }
    }
}

/// Optimisers of the papers, with their usual betas (0.9, 0.999).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimizer {
    /// Adam.
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
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

/// Learning rate over the steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// A constant learning rate.
    Constant,
    /// Half a cosine from the peak down to `end`.
    Cosine {
        /// Learning rate at the end.
        end: f64,
    },
    /// Half a cosine from `start` up to the peak, then half a cosine down to `end`.
    OneCycle {
        /// Learning rate at the start.
        start: f64,
        /// Share of the steps for the rise.
        rise: f64,
        /// Learning rate at the end.
        end: f64,
    },
}

impl Schedule {
    /// The learning rate of `step` (the first is 0) out of `steps`.
    pub fn at(self, peak: f64, step: usize, steps: usize) -> f64 {
        let between = |from: f64, to: f64, share: f64| {
            to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * share.clamp(0.0, 1.0)).cos())
        };
        let share = step as f64 / steps.max(1) as f64;
        match self {
            Schedule::Constant => peak,
            Schedule::Cosine { end } => between(peak, end, share),
            Schedule::OneCycle { start, rise, .. } if share < rise => {
                between(start, peak, share / rise)
            }
            Schedule::OneCycle { rise, end, .. } => {
                between(peak, end, (share - rise) / (1.0 - rise))
            }
        }
    }
}

/// Limits on the training of a network, as in an experiment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Maximum number of passes over the training set; the number of the paper if it is smaller.
    /// Schedules are scaled to this number.
    pub max_epochs: usize,
    /// Passes without a better validation loss after which training stops.
    pub patience: usize,
}

impl Default for Budget {
    /// Epochs of the papers, with the patience of Popov et al. 2024.
    fn default() -> Self {
        Self {
            max_epochs: 500,
            patience: 30,
        }
    }
}

impl Budget {
    /// Few epochs, for a quick test of a table on a laptop.
    pub fn lite() -> Self {
        Self {
            max_epochs: 30,
            patience: 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cycle_climbs_and_falls() {
        let cycle = Schedule::OneCycle {
            start: 0.5,
            rise: 0.2,
            end: 0.0,
        };
        let at = |step| cycle.at(1.0, step, 100);
        assert_eq!((at(0), at(20)), (0.5, 1.0));
        assert!((at(10) - 0.75).abs() < 1e-12);
        assert!((at(60) - 0.5).abs() < 1e-12);
        assert!(at(99) < 0.001);
    }

    #[test]
    fn spans_become_volumes() {
        assert_eq!(Span::Secs(36.0).volumes(0.72), 50);
        assert_eq!(Span::Secs(0.1).volumes(2.0), 1);
        assert_eq!(Span::Volumes(7).volumes(2.0), 7);
    }
}
