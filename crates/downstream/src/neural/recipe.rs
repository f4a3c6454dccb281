//! How a network is trained: what its paper says, and how long we can wait.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer};
use serde::{Deserialize, Serialize};

/// Settings of a paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Optimiser.
    pub optimizer: Optimizer,
    /// Largest learning rate.
    pub lr: f64,
    /// Learning rate over the steps.
    pub schedule: Schedule,
    /// Weight decay of all parameters: added to the gradient by Adam, taken from the weights by
    /// AdamW.
    pub weight_decay: f64,
    /// Examples of a step.
    pub batch_size: usize,
    /// Passes over the training side.
    pub epochs: usize,
    /// Longest stretch that the network sees at once; nothing for whole examples.
    pub crop: Option<Span>,
}

impl Recipe {
    /// The optimiser, without state yet.
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

/// Optimisers of the papers, with their usual moments (0.9, 0.999).
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
    /// Volumes, whatever the TR.
    Volumes(usize),
    /// Seconds.
    Secs(f64),
}

impl Span {
    /// The same in volumes of `dt_secs`, at least one.
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
    /// Always the same.
    Constant,
    /// Half a cosine down to `end`.
    Cosine {
        /// Learning rate at the end.
        end: f64,
    },
    /// Half a cosine up from `start`, half a cosine down to `end`.
    OneCycle {
        /// Learning rate at the start.
        start: f64,
        /// Share of the steps spent going up.
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

/// How long a network may train, as an experiment file says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Most passes over the training side; the paper's number where that is smaller. Schedules are
    /// stretched over what is left.
    pub max_epochs: usize,
    /// Passes without a better validation loss after which training stops.
    pub patience: usize,
}

impl Default for Budget {
    /// The papers' epochs, with the patience of Popov et al. 2024.
    fn default() -> Self {
        Self {
            max_epochs: 500,
            patience: 30,
        }
    }
}

impl Budget {
    /// For a look at a table's shape on a laptop.
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
