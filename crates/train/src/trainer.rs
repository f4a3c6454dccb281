//! Trainer: the loop that takes steps, validates, keeps the best weights, stops and resumes, for
//! any [`Objective`].

use std::sync::atomic::{AtomicBool, Ordering};

use brainmae_files::InvalidField;
use brainmae_model::weights;
use brainmae_run::WEIGHTS;
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::average::Average;
use crate::batch_gradient::BatchGradient;
use crate::communicator::{Communicator, first_alone};
use crate::error::LastGood;
use crate::keep::{Keep, Log, weights_of};
use crate::optimizer::{Optimizer, OptimizerConfig, RateFactor};
use crate::readings::Readings;
use crate::{Objective, Schedule, TrainError, Workers};

/// Name of the validation score in [`TrainError::NonFinite`].
pub const VALIDATION: &str = "the validation score";

/// Name of the file of averaged weights in a checkpoint.
const AVERAGE: &str = "average.safetensors";

/// Course of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Number of optimiser steps of the whole run.
    pub steps: u64,
    /// Learning rate over the steps.
    pub schedule: Schedule,
    /// Optimiser.
    pub optimizer: OptimizerConfig,
    /// Factors on the learning rates of parts of the model.
    pub rate_factors: Vec<RateFactor>,
    /// Steps between validations.
    pub validate_every: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Steps between reads of the losses from the device, which wait for it. Losses are also read
    /// before every validation and every checkpoint.
    pub log_every: u64,
    /// Validations without a better score after which training ends; `None` for all steps.
    pub patience: Option<u64>,
    /// Least gain of a validation on the best one before it that ends the wait: smaller gains are
    /// kept as the best weights, and do not prolong training. 0 if every gain counts.
    pub least_gain: f64,
    /// Decay of the [`Average`] of the weights, above 0 and below 1. With it, the average is
    /// validated and kept as the best weights; `None` for the weights themselves.
    pub ema: Option<f64>,
}

/// Checks that all `n_devices` devices of all processes get the same number of parts of a batch.
///
/// # Errors
/// [`TrainError::Config`] for `parts` if they do not.
pub fn check_parts(parts: usize, n_devices: usize) -> Result<(), TrainError> {
    if parts.is_multiple_of(n_devices) {
        return Ok(());
    }
    Err(TrainError::Config(InvalidField {
        field: "parts",
        found: parts.to_string(),
        expected: format!("a multiple of {n_devices}, the devices that share a batch"),
    }))
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
    /// All steps are completed, or validation has not improved for too long.
    Finished,
    /// The run was stopped; if checkpoints are kept, it can be resumed.
    Interrupted {
        /// Number of completed steps.
        step: u64,
    },
}

/// A trained model.
#[derive(Clone, Debug)]
pub struct Trained<M> {
    /// End of the run.
    pub outcome: Outcome,
    /// Weights with the best validation score, or the last ones if nothing was validated; without
    /// autodiff.
    pub best: M,
    /// Best validation score; `None` if nothing was validated.
    pub score: Option<f64>,
    /// Number of steps that led to the best weights.
    pub best_step: u64,
}

/// Trains the model of an objective.
pub struct Trainer<'a, O: Objective> {
    plan: &'a Plan,
    objective: &'a O,
    keep: Keep<'a>,
}

/// Progress of a run, saved in each checkpoint as `progress.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Standing {
    step: u64,
    best: Option<f64>,
    validation: Option<f64>,
    /// Step of the best validation.
    #[serde(default)]
    best_step: u64,
    /// Validations since the last one that gained enough on the best before it.
    #[serde(default)]
    waited: u64,
}

/// Values on the host for a step whose loss is still on the device.
struct Unread {
    /// Number of completed steps, including this one.
    step: u64,
    epoch: f64,
    lr: f64,
    described: Vec<(&'static str, f64)>,
}

/// What a run goes on from.
struct Start<M> {
    model: M,
    best: Option<M>,
    average: Option<Average<M>>,
    optimizer: Optimizer,
    at: Standing,
}

impl<'a, O: Objective> Trainer<'a, O> {
    /// A trainer that keeps its checkpoints in `keep`.
    pub fn new(plan: &'a Plan, objective: &'a O, keep: Keep<'a>) -> Self {
        Self {
            plan,
            objective,
            keep,
        }
    }

    /// Trains `model` to the last step, from its last checkpoint if there is one, and writes the
    /// checkpoints `last` and `best`.
    ///
    /// `model` has the initial weights, on a device with autodiff.
    ///
    /// # Errors
    /// [`TrainError::NonFinite`] stops the run; the last checkpoint stays valid. Other errors come
    /// from batches and files.
    pub fn train(&self, model: O::Model, watch: &mut Watch) -> Result<Trained<O::Model>, O::Error> {
        let (workers, communicator) = (watch.workers, watch.communicator);
        check_parts(
            self.objective.parts(),
            workers.n_devices() * communicator.size(),
        )?;
        // The saved optimiser state identifies parameters by name.
        let names = self.objective.weight_names();
        let model = weights::with_stable_ids(model, names);
        let Start {
            mut model,
            mut best,
            mut average,
            mut optimizer,
            mut at,
        } = first_alone(communicator, || self.start(model))?;
        self.require_together(at.step, communicator)?;
        // Only the first process writes.
        let is_first = communicator.is_first();
        let keep = if is_first { self.keep } else { Keep::Nowhere };
        let mut log = keep.log((at.step > 0).then_some(at.step))?;
        let mut readings = Readings::default();
        let (resumed, steps) = (at.step, self.plan.steps);
        let mut is_over = self.has_waited(&at);
        while at.step < steps && !is_over {
            let step = at.step;
            let lr = self.plan.schedule.at(step, steps);
            let batch = BatchGradient::of(self.objective, &model, step, workers, communicator)?;
            at.step += 1;
            if batch.loss.weight() > 0.0 {
                let norm;
                (model, norm) = optimizer.step(lr, model, batch.gradients);
                if let Some(average) = &mut average {
                    average.add(&model, at.step);
                }
                let unread = Unread {
                    step: at.step,
                    epoch: self.objective.epoch(at.step),
                    lr,
                    described: self.objective.describe(step),
                };
                readings.push(unread, batch.loss, norm);
            }

            let stop = communicator.any(watch.stop.load(Ordering::Relaxed));
            let last = at.step == steps;
            let every = |steps: u64| at.step % steps == 0 || last;
            let validate = every(self.plan.validate_every);
            let mut save = every(self.plan.checkpoint_every) || stop;
            if !(every(self.plan.log_every) || validate || save) {
                continue;
            }
            // Losses are checked before the weights are used: a non-finite loss makes the weights
            // invalid.
            let loss = self.read(&mut readings, &mut log, communicator)?;
            let mut is_best = false;
            if is_first {
                if validate {
                    let valid = kept(&model, average.as_ref());
                    is_best = self.validate(&valid, &mut at, &mut log)?;
                    if is_best {
                        best = Some(valid);
                    }
                }
                (watch.progress)(Progress {
                    resumed,
                    step: at.step,
                    steps,
                    loss,
                    validation: at.validation,
                });
            }
            // Without patience no process has to ask the others.
            is_over = self.plan.patience.is_some() && communicator.any(self.has_waited(&at));
            save |= is_over;
            if is_first {
                // The best checkpoint is saved first. If the process is killed between the two, the
                // resumed run repeats this step and does not lose the best checkpoint.
                if is_best && let Some(best) = &best {
                    self.save("best", best, None, &optimizer, &at)?;
                }
                if save {
                    self.save("last", &model, average.as_ref(), &optimizer, &at)?;
                }
            }
            if stop && !last && !is_over {
                let outcome = Outcome::Interrupted { step: at.step };
                let last = kept(&model, average.as_ref());
                return Ok(trained(outcome, best, last, &at));
            }
        }
        let last = kept(&model, average.as_ref());
        Ok(trained(Outcome::Finished, best, last, &at))
    }

    fn has_waited(&self, at: &Standing) -> bool {
        let patience = self.plan.patience;
        patience.is_some_and(|patience| at.best.is_some() && at.waited >= patience)
    }

    /// Reads and logs the losses that were not read yet; returns the newest one.
    fn read(
        &self,
        readings: &mut Readings<Unread>,
        log: &mut Log,
        communicator: &dyn Communicator,
    ) -> Result<f64, O::Error> {
        let mut newest = f64::NAN;
        for (of, numbers) in readings.read(communicator) {
            // Steps are counted from 0, like batches.
            let step = of.step - 1;
            self.require_finite("the loss", numbers.loss, step)?;
            self.require_finite("the norm of the gradient", numbers.grad_norm, step)?;
            newest = numbers.loss;
            let mut metrics = of.described;
            metrics.extend([
                ("train/loss", numbers.loss),
                ("train/lr", of.lr),
                ("train/grad_norm", numbers.grad_norm),
            ]);
            metrics.extend(numbers.terms);
            log.append(of.step, of.epoch, metrics)?;
        }
        Ok(newest)
    }

    /// Computes and logs the validation scores; returns true if the model is the best one so far.
    fn validate(
        &self,
        model: &O::Model,
        at: &mut Standing,
        log: &mut Log,
    ) -> Result<bool, O::Error> {
        let scores = self.objective.validate(model)?;
        at.validation = scores.first().map(|(_, score)| *score);
        if let Some(score) = at.validation {
            self.require_finite(VALIDATION, score, at.step - 1)?;
        }
        let best =
            matches!((at.validation, at.best), (Some(new), old) if old.is_none_or(|old| new < old));
        let gain = (at.best.zip(at.validation)).map_or(f64::INFINITY, |(old, new)| old - new);
        at.waited += 1;
        if best {
            at.best = at.validation;
            at.best_step = at.step;
            if gain >= self.plan.least_gain {
                at.waited = 0;
            }
        }
        log.append(at.step, self.objective.epoch(at.step), scores)?;
        Ok(best)
    }

    fn start(&self, model: O::Model) -> Result<Start<O::Model>, TrainError> {
        let optimizer = Optimizer::new(&self.plan.optimizer, &self.plan.rate_factors, &model);
        let Some(last) = self.keep.find("last")? else {
            return Ok(Start {
                average: (self.plan.ema).map(|decay| Average::new(decay, model.valid())),
                model,
                best: None,
                optimizer,
                at: Standing::default(),
            });
        };
        let place = last.path().display().to_string();
        let best = self.keep.find("best")?;
        let names = self.objective.weight_names();
        let best = best.map(|best| weights_of(model.valid(), names, &best));
        let average = match self.plan.ema {
            None => None,
            Some(decay) => {
                let file = last.read(AVERAGE)?;
                let saved = weights::from_safetensors(&file, "").map_err(TrainError::from)?;
                let model = weights::import(model.valid(), names, saved)?;
                Some(Average::new(decay, model))
            }
        };
        let model = weights_of(model, names, &last)?;
        let optimizer = optimizer.load(last.read("state")?, &place)?;
        let at = serde_json::from_slice(&last.read("progress.json")?).map_err(|e| {
            TrainError::OptimizerState {
                path: place,
                problem: e.to_string(),
            }
        })?;
        tracing::info!(step = last.card().step, "resumed from the last checkpoint");
        Ok(Start {
            model,
            average,
            best: best.transpose()?,
            optimizer,
            at,
        })
    }

    /// Checks that all processes have found the same checkpoint.
    fn require_together(
        &self,
        step: u64,
        communicator: &dyn Communicator,
    ) -> Result<(), TrainError> {
        let first = communicator.of_first(&[step as f64])[0] as u64;
        if step == first {
            return Ok(());
        }
        let path = self.keep.checkpoints().unwrap_or_default();
        Err(TrainError::Apart {
            rank: communicator.rank(),
            step,
            first,
            path: path.display().to_string(),
        })
    }

    fn require_finite(&self, what: &'static str, value: f64, step: u64) -> Result<(), TrainError> {
        if value.is_finite() {
            return Ok(());
        }
        let last = self.keep.find("last")?;
        let last_good = last.map(|last| LastGood {
            path: last.path().to_path_buf(),
            step: last.card().step,
        });
        Err(TrainError::NonFinite {
            what,
            value,
            step,
            examples: self.objective.examples(step),
            last_good,
        })
    }

    fn save(
        &self,
        name: &str,
        model: &O::Model,
        average: Option<&Average<O::Model>>,
        optimizer: &Optimizer,
        at: &Standing,
    ) -> Result<(), TrainError> {
        if self.keep.checkpoints().is_none() {
            return Ok(());
        }
        let mut card = self.objective.card();
        card.step = at.step;
        let names = self.objective.weight_names();
        let file = |model| weights::to_safetensors(&weights::export(model, names), None);
        let standing = serde_json::to_vec(at).map_err(|e| TrainError::OptimizerState {
            path: name.to_string(),
            problem: e.to_string(),
        })?;
        let mut files = vec![
            (WEIGHTS, file(model)?),
            ("state", optimizer.save()?),
            ("progress.json", standing),
        ];
        if let Some(average) = average {
            files.push((AVERAGE, file(average.model())?));
        }
        self.keep.save(name, &card, &files)
    }
}

/// The weights that are validated and kept, without autodiff: the average, if there is one.
fn kept<M: Module>(model: &M, average: Option<&Average<M>>) -> M {
    average.map_or_else(|| model.valid(), |average| average.model().clone())
}

fn trained<M>(outcome: Outcome, best: Option<M>, last: M, at: &Standing) -> Trained<M> {
    let best_step = match best {
        Some(_) => at.best_step,
        None => at.step,
    };
    Trained {
        outcome,
        best: best.unwrap_or(last),
        score: at.best,
        best_step,
    }
}

#[cfg(test)]
mod tests;
