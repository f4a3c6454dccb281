//! Training loop for any [`Objective`].

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use brainmae_model::{Precision, weights};
use brainmae_run::{Checkpoint, Metric, MetricLog, RunFolder};
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::batch_gradient::BatchGradient;
use crate::communicator::{Communicator, first_alone};
use crate::error::LastGood;
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::readings::Readings;
use crate::schedule::Schedule;
use crate::{Objective, PretrainError, Workers};

pub use brainmae_encoder::WEIGHTS;

/// Settings of the training loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
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
    pub schedule: Schedule,
    /// Optimiser.
    pub optimizer: OptimizerConfig,
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

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            steps: 1000,
            batch_size: 32,
            parts: 2,
            precision: Precision::F32,
            schedule: Schedule::default(),
            optimizer: OptimizerConfig::default(),
            validate_every: 50,
            checkpoint_every: 50,
            log_every: 10,
        }
    }
}

impl EngineConfig {
    /// # Errors
    /// [`PretrainError::Config`] for an invalid setting.
    pub fn check(&self) -> Result<(), PretrainError> {
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
        ];
        for (field, value, range) in ranges {
            if !range.contains(&value) {
                let expected = match (*range.start(), *range.end()) {
                    (low, f64::MAX) if low > 0.0 => "a positive number".to_string(),
                    (low, f64::MAX) => format!("at least {low}"),
                    (low, high) => format!("from {low} to {high}"),
                };
                return Err(PretrainError::Config {
                    field,
                    found: value.to_string(),
                    expected,
                });
            }
        }
        Ok(())
    }
}

/// Checks that all `n_devices` devices of all processes get the same number of parts of a batch.
///
/// # Errors
/// [`PretrainError::Config`] for `parts` if they do not.
pub fn check_parts(parts: usize, n_devices: usize) -> Result<(), PretrainError> {
    if parts.is_multiple_of(n_devices) {
        return Ok(());
    }
    Err(PretrainError::Config {
        field: "parts",
        found: parts.to_string(),
        expected: format!("a multiple of {n_devices}, the devices that share a batch"),
    })
}

/// Progress of a run, for display.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Number of steps of the earlier run that this one resumes.
    pub resumed: u64,
    /// Number of completed steps.
    pub step: u64,
    /// Number of steps of the whole run.
    pub steps: u64,
    /// Loss of the last completed step.
    pub loss: f64,
    /// Last validation score; `None` before the first validation.
    pub validation: Option<f64>,
}

/// Connections of the loop to its caller.
pub struct Watch<'a> {
    /// If true, the loop stops after the current step; the run can be resumed.
    pub stop: &'a AtomicBool,
    /// Callback after each read of losses.
    pub progress: &'a mut dyn FnMut(Progress),
    /// Workers that compute parts of a batch; the result does not depend on them.
    pub workers: &'a Workers,
    /// Communicator of the processes that train together; it shares the parts of a batch.
    pub communicator: &'a dyn Communicator,
}

/// End of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are completed.
    Finished,
    /// The run was stopped, and a checkpoint was saved.
    Interrupted {
        /// Number of completed steps.
        step: u64,
    },
}

/// Trains the model of an objective in a run folder.
pub struct Engine<'a, O: Objective> {
    config: &'a EngineConfig,
    objective: &'a O,
    run: &'a RunFolder,
}

/// Progress of a run, saved in each checkpoint as `progress.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Standing {
    step: u64,
    best: Option<f64>,
    validation: Option<f64>,
}

/// Values on the host for a step whose loss is still on the device.
struct Unread {
    /// Number of completed steps, including this one.
    step: u64,
    epoch: f64,
    lr: f64,
    described: Vec<(&'static str, f64)>,
}

impl<'a, O: Objective> Engine<'a, O> {
    /// # Errors
    /// [`PretrainError::Config`] for an invalid setting.
    pub fn new(
        config: &'a EngineConfig,
        objective: &'a O,
        run: &'a RunFolder,
    ) -> Result<Self, PretrainError> {
        config.check()?;
        Ok(Self {
            config,
            objective,
            run,
        })
    }

    /// Trains `model` to the last step, from its last checkpoint if there is one, and writes
    /// `checkpoints/{last,best}`.
    ///
    /// `model` has the initial weights, on a device with autodiff.
    ///
    /// # Errors
    /// [`PretrainError::NonFinite`] stops the run; the last checkpoint stays valid. Other errors
    /// come from batches and files.
    pub fn train(&self, model: O::Model, watch: &mut Watch) -> Result<Outcome, PretrainError> {
        let (workers, communicator) = (watch.workers, watch.communicator);
        check_parts(
            self.objective.parts(),
            workers.n_devices() * communicator.size(),
        )?;
        // The saved optimiser state identifies parameters by name.
        let model = weights::with_stable_ids(model);
        let (mut model, mut optimizer, mut at) = first_alone(communicator, || self.start(model))?;
        self.require_together(at.step, communicator)?;
        // Only the first process writes.
        let mut log = match communicator.is_first() {
            true => Some(self.run.metric_log((at.step > 0).then_some(at.step))?),
            false => None,
        };
        let mut readings = Readings::default();
        let resumed = at.step;
        while at.step < self.config.steps {
            let step = at.step;
            let schedule = &self.config.schedule;
            let lr = schedule.at(step, self.config.steps, self.config.batch_size);
            let batch = BatchGradient::of(self.objective, &model, step, workers, communicator)?;
            let norm;
            (model, norm) = optimizer.step(lr, model, batch.gradients);
            at.step += 1;
            let unread = Unread {
                step: at.step,
                epoch: self.objective.epoch(at.step),
                lr,
                described: self.objective.describe(step),
            };
            readings.push(unread, batch.loss, norm);

            let stop = communicator.any(watch.stop.load(Ordering::Relaxed));
            let last = at.step == self.config.steps;
            let every = |steps: u64| at.step % steps == 0 || last;
            let validate = every(self.config.validate_every);
            let save = every(self.config.checkpoint_every) || stop;
            if !(every(self.config.log_every) || validate || save) {
                continue;
            }
            // Losses are checked before the weights are used: a non-finite loss makes the weights
            // invalid.
            let loss = self.read(&mut readings, log.as_mut(), communicator)?;
            if let Some(log) = &mut log {
                let best = validate && self.validate(&model, &mut at, log)?;
                (watch.progress)(Progress {
                    resumed,
                    step: at.step,
                    steps: self.config.steps,
                    loss,
                    validation: at.validation,
                });
                // The best checkpoint is saved first. If the process is killed between the two, the
                // resumed run repeats this step and does not lose the best checkpoint.
                if best {
                    self.save("best", &model, &optimizer, &at)?;
                }
                if save {
                    self.save("last", &model, &optimizer, &at)?;
                }
            }
            if stop && !last {
                return Ok(Outcome::Interrupted { step: at.step });
            }
        }
        Ok(Outcome::Finished)
    }

    /// Reads and logs the losses that were not read yet; returns the newest one.
    fn read(
        &self,
        readings: &mut Readings<Unread>,
        mut log: Option<&mut MetricLog>,
        communicator: &dyn Communicator,
    ) -> Result<f64, PretrainError> {
        let mut newest = f64::NAN;
        for (of, numbers) in readings.read(communicator) {
            // Steps are counted from 0, like batches.
            let step = of.step - 1;
            self.require_finite("the loss", numbers.loss, step)?;
            self.require_finite("the norm of the gradient", numbers.grad_norm, step)?;
            newest = numbers.loss;
            let Some(log) = log.as_deref_mut() else {
                continue;
            };
            let mut metrics = of.described;
            metrics.extend([
                ("train/loss", numbers.loss),
                ("train/lr", of.lr),
                ("train/grad_norm", numbers.grad_norm),
            ]);
            metrics.extend(numbers.terms);
            self.append(log, of.step, of.epoch, metrics)?;
        }
        Ok(newest)
    }

    /// Computes and logs the validation scores; returns true if the model is the best one so far.
    fn validate(
        &self,
        model: &O::Model,
        at: &mut Standing,
        log: &mut MetricLog,
    ) -> Result<bool, PretrainError> {
        let scores = self.objective.validate(&model.valid())?;
        at.validation = scores.first().map(|(_, score)| *score);
        let best =
            matches!((at.validation, at.best), (Some(new), old) if old.is_none_or(|old| new < old));
        if best {
            at.best = at.validation;
        }
        self.append(log, at.step, self.objective.epoch(at.step), scores)?;
        Ok(best)
    }

    fn start(&self, model: O::Model) -> Result<(O::Model, Optimizer, Standing), PretrainError> {
        let optimizer = Optimizer::new(&self.config.optimizer, &model);
        let Some(last) = Checkpoint::find(&self.run.checkpoints(), "last")? else {
            return Ok((model, optimizer, Standing::default()));
        };
        let place = last.path().display().to_string();
        let saved = weights::from_safetensors(&last.read(WEIGHTS)?, "")?;
        let model = weights::import(model, saved)?;
        let optimizer = optimizer.load(last.read("state")?, &place)?;
        let standing = serde_json::from_slice(&last.read("progress.json")?).map_err(|e| {
            PretrainError::OptimizerState {
                path: place,
                problem: e.to_string(),
            }
        })?;
        tracing::info!(step = last.card().step, "resumed from the last checkpoint");
        Ok((model, optimizer, standing))
    }

    /// Checks that all processes have found the same checkpoint.
    fn require_together(
        &self,
        step: u64,
        communicator: &dyn Communicator,
    ) -> Result<(), PretrainError> {
        let first = communicator.of_first(&[step as f64])[0] as u64;
        if step == first {
            return Ok(());
        }
        Err(PretrainError::Apart {
            rank: communicator.rank(),
            step,
            first,
            path: self.run.checkpoints().display().to_string(),
        })
    }

    fn require_finite(
        &self,
        what: &'static str,
        value: f64,
        step: u64,
    ) -> Result<(), PretrainError> {
        if value.is_finite() {
            return Ok(());
        }
        let last = Checkpoint::find(&self.run.checkpoints(), "last")?;
        let last_good = last.map(|last| LastGood {
            path: last.path().to_path_buf(),
            step: last.card().step,
        });
        Err(PretrainError::NonFinite {
            what,
            value,
            step,
            examples: self.objective.examples(step),
            last_good,
        })
    }

    fn append(
        &self,
        log: &mut MetricLog,
        step: u64,
        epoch: f64,
        metrics: Vec<(&'static str, f64)>,
    ) -> Result<(), PretrainError> {
        let stage = &self.run.manifest().stage;
        let record = |(name, value): (&str, f64)| Metric {
            stage: stage.clone(),
            fold: None,
            epoch,
            step,
            name: name.to_string(),
            value: value.is_finite().then_some(value),
        };
        let records: Vec<Metric> = metrics.into_iter().map(record).collect();
        Ok(log.append(&records)?)
    }

    fn save(
        &self,
        name: &str,
        model: &O::Model,
        optimizer: &Optimizer,
        at: &Standing,
    ) -> Result<(), PretrainError> {
        let mut card = self.objective.card();
        card.step = at.step;
        let weights = weights::to_safetensors(&weights::export(model), None)?;
        let standing = serde_json::to_vec(at).map_err(|e| PretrainError::OptimizerState {
            path: name.to_string(),
            problem: e.to_string(),
        })?;
        let files = [
            (WEIGHTS, weights),
            ("state", optimizer.save()?),
            ("progress.json", standing),
        ];
        Ok(Checkpoint::save(
            &self.run.checkpoints(),
            name,
            &card,
            &files,
        )?)
    }
}

/// Loads the weights of a checkpoint into `model`.
///
/// # Errors
/// If the checkpoint is not readable or belongs to another model.
pub fn load_weights<M: Module>(model: M, checkpoint: &Path) -> Result<M, PretrainError> {
    let bytes = Checkpoint::open(checkpoint)?.read(WEIGHTS)?;
    Ok(weights::import(
        model,
        weights::from_safetensors(&bytes, "")?,
    )?)
}

#[cfg(test)]
mod tests;
