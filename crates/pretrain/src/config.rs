//! Settings of pretraining, as in an experiment file.

use brainmae_files::InvalidField;
use brainmae_model::Precision;
use brainmae_train::trainer::Plan;
use brainmae_train::{OptimizerConfig, Schedule, TrainError};
use serde::{Deserialize, Serialize};

/// Settings of the training loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Number of optimiser steps of the whole run.
    pub steps: u64,
    /// Samples per step.
    pub batch_size: usize,
    /// Number of equal parts of a batch, computed in parallel by threads, or one after another on
    /// one thread (gradient accumulation). It is a multiple of the number of devices that share a
    /// batch. The last bits of the result depend on it, but not on threads and devices.
    pub parts: usize,
    /// dtype of the model's computations in training; outside of training it is 32 bits.
    pub precision: Precision,
    /// Course of the learning rate over the steps.
    pub schedule: ScheduleConfig,
    /// Optimiser.
    pub optimizer: OptimizerConfig,
    /// Decay of the exponential moving average of the weights, which is then validated and kept in
    /// place of the weights; without it, nothing is averaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Steps between validations.
    pub validate_every: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Steps between reads of the losses from the device, which wait for it; losses are then
    /// appended to the metric log. Losses are also read before every validation and every
    /// checkpoint. No result depends on this number, so it is not part of a run's identity.
    #[serde(skip_serializing)]
    pub log_every: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            steps: 1000,
            batch_size: 32,
            parts: 2,
            precision: Precision::F32,
            schedule: ScheduleConfig::default(),
            optimizer: OptimizerConfig::default(),
            ema: None,
            validate_every: 50,
            checkpoint_every: 50,
            log_every: 10,
        }
    }
}

impl TrainConfig {
    /// # Errors
    /// [`TrainError::Config`] for an invalid setting.
    pub fn check(&self) -> Result<(), TrainError> {
        let (schedule, optimizer) = (&self.schedule, &self.optimizer);
        let peak = schedule.base_lr * self.batch_size as f64 / 64.0;
        let positive = f64::MIN_POSITIVE..=f64::MAX;
        let ranges = [
            ("steps", self.steps as f64, positive.clone()),
            ("batch_size", self.batch_size as f64, positive.clone()),
            ("parts", self.parts as f64, positive.clone()),
            (
                "validate_every",
                self.validate_every as f64,
                positive.clone(),
            ),
            (
                "checkpoint_every",
                self.checkpoint_every as f64,
                positive.clone(),
            ),
            ("log_every", self.log_every as f64, positive.clone()),
            ("schedule.base_lr", schedule.base_lr, positive.clone()),
            ("schedule.warmup", schedule.warmup, 0.0..=1.0),
            ("schedule.min_lr", schedule.min_lr, 0.0..=peak),
            ("optimizer.beta_1", optimizer.beta_1, 0.0..=0.999_999),
            ("optimizer.beta_2", optimizer.beta_2, 0.0..=0.999_999),
            ("optimizer.eps", optimizer.eps, positive.clone()),
            (
                "optimizer.weight_decay",
                optimizer.weight_decay,
                0.0..=f64::MAX,
            ),
            ("optimizer.clip_norm", optimizer.clip_norm, positive),
            ("ema", self.ema.unwrap_or(0.5), 1e-6..=0.999_999),
        ];
        for (field, value, range) in ranges {
            if !range.contains(&value) {
                let expected = match (*range.start(), *range.end()) {
                    (low, f64::MAX) if low > 0.0 => "a positive number".to_string(),
                    (low, f64::MAX) => format!("at least {low}"),
                    (low, high) => format!("from {low} to {high}"),
                };
                return Err(TrainError::Config(InvalidField {
                    field,
                    found: value.to_string(),
                    expected,
                }));
            }
        }
        Ok(())
    }

    /// The course of the training.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn plan(&self) -> Result<Plan, TrainError> {
        self.check()?;
        Ok(Plan {
            steps: self.steps,
            schedule: self.schedule.of_batch(self.batch_size),
            optimizer: self.optimizer.clone(),
            rate_factors: Vec::new(),
            validate_every: self.validate_every,
            checkpoint_every: self.checkpoint_every,
            log_every: self.log_every,
            patience: None,
            least_gain: 0.0,
            ema: self.ema,
        })
    }
}

/// Linear warm-up, then half a cosine down to `min_lr`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleConfig {
    /// Peak learning rate for a batch of 64 samples; the peak is proportional to the batch size
    /// (Goyal et al. 2017). For AdamW, growth with its square root (Malladi et al. 2022) is often
    /// safer: for another batch size, multiply this by `sqrt(old / new)`.
    pub base_lr: f64,
    /// Share of the steps for the warm-up.
    pub warmup: f64,
    /// Learning rate at the end.
    pub min_lr: f64,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            base_lr: 2.5e-4,
            warmup: 0.1,
            min_lr: 1e-6,
        }
    }
}

impl ScheduleConfig {
    /// The schedule for batches of `batch_size` samples.
    fn of_batch(&self, batch_size: usize) -> Schedule {
        Schedule::WarmupCosine {
            peak: self.base_lr * batch_size as f64 / 64.0,
            warmup: self.warmup,
            end: self.min_lr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_proportional_to_the_batch() {
        let peak = |batch| ScheduleConfig::default().of_batch(batch).at(10, 100);
        assert!((peak(32) - 1.25e-4).abs() < 1e-12);
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let refused = |config: TrainConfig| match config.plan() {
            Err(TrainError::Config(InvalidField { field, .. })) => field,
            other => panic!("{other:?}"),
        };
        let mut config = TrainConfig::default();
        config.schedule.warmup = 2.0;
        assert_eq!(refused(config), "schedule.warmup");
        let mut config = TrainConfig::default();
        config.optimizer.beta_1 = 1.0;
        assert_eq!(refused(config), "optimizer.beta_1");
    }
}
