//! Learning-rate schedule of a run.

use serde::{Deserialize, Serialize};

/// Linear warm-up, then half a cosine down to `min_lr`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Peak learning rate for a batch of 64 samples; the peak is proportional to the batch size.
    pub base_lr: f64,
    /// Share of the steps for the warm-up.
    pub warmup: f64,
    /// Learning rate at the end.
    pub min_lr: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            base_lr: 2.5e-4,
            warmup: 0.1,
            min_lr: 1e-6,
        }
    }
}

impl Schedule {
    /// The learning rate of `step` (the first is 0) out of `steps`.
    pub fn at(&self, step: u64, steps: u64, batch_size: usize) -> f64 {
        let peak = self.base_lr * batch_size as f64 / 64.0;
        let warmup = (self.warmup * steps as f64).round();
        let step = step as f64;
        if step < warmup {
            return peak * (step + 1.0) / warmup;
        }
        let left = (steps as f64 - warmup).max(1.0);
        let cosine = (std::f64::consts::PI * (step - warmup) / left).cos();
        self.min_lr + (peak - self.min_lr).max(0.0) * 0.5 * (1.0 + cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_climbs_in_a_line_and_falls_in_a_cosine() {
        let schedule = Schedule {
            base_lr: 1.0,
            warmup: 0.1,
            min_lr: 0.0,
        };
        let at = |step| schedule.at(step, 100, 64);
        assert_eq!(at(0), 0.1);
        assert_eq!(at(9), 1.0);
        assert_eq!(at(10), 1.0);
        assert!((at(55) - 0.5).abs() < 1e-12);
        assert!(at(99) < 0.001);
    }

    #[test]
    fn the_peak_is_proportional_to_the_batch() {
        let peak = |batch| Schedule::default().at(10, 100, batch);
        assert!((peak(32) - 1.25e-4).abs() < 1e-12);
    }
}
