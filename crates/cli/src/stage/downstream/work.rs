//! Work of the downstream stage: one fit for each fold, target, share and model, several side by
//! side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use brainmae_downstream::registry::Settings;
use brainmae_downstream::{
    DownstreamError, FitNeed, Fits, FoldOf, Learner, LearnerKind, Prediction, Predictions, Problem,
    Task,
};
use brainmae_machine::interrupt;
use brainmae_machine::progress::Steps;
use brainmae_run::Seeds;
use brainmae_run::table::{read_table, write_table};
use brainmae_train::memory::{Memory, TooLittleMemory, side_by_side};
use burn::tensor::Device;

use super::encoders::Start;
use super::place::Place;
use crate::experiment::Design;
use crate::stage::{Scans, stopped};

/// All fits of a run.
pub(super) struct Work<'a> {
    /// Models, shares and settings.
    pub design: &'a Design<'a>,
    /// Scans of each fold.
    pub folds: &'a [Scans],
    /// Scans of each fold of the further partitions, for linear models.
    pub repeated: &'a [Vec<Scans>],
    /// Randomness of the experiment.
    pub seeds: Seeds,
    /// Device of the tensors, without autodiff.
    pub device: Device,
    /// Folder of finished and unfinished fits.
    pub parts: PathBuf,
    /// Number of threads of all fits together; no result depends on it.
    pub threads: usize,
    /// Number of fits that run side by side; fewer if they do not fit into memory.
    pub side_by_side: usize,
    /// Memory into which the fits must fit; `None` if it is not known, as that of a GPU.
    pub memory: Option<&'a dyn Memory>,
}

/// Predictions of all fits.
pub(super) struct Predicted {
    /// Those on the folds of the experiment.
    pub folds: Vec<Prediction>,
    /// Those on each further partition.
    pub repeated: Vec<Vec<Prediction>>,
}

/// One fit.
struct Fit<'a> {
    task: &'a Task,
    place: &'a Place<'a>,
    share: f64,
    model: &'a dyn LearnerKind,
    /// Name of its files.
    part: String,
}

impl Work<'_> {
    /// Predictions of every fit, in the order of folds, targets, shares and models; models that
    /// need segments have no fit for targets of whole scans. On further partitions only linear
    /// models are fitted, on the largest share. Those that an earlier run has finished are read.
    /// Several fits run side by side; the last ones share the threads that have nothing else to do.
    ///
    /// # Errors
    /// The first error of a fit; fits that run beside it end first, and are kept.
    pub fn predict_all(&self, tasks: &[Task], starts: &[Start]) -> Result<Predicted> {
        let parts = &self.parts;
        std::fs::create_dir_all(parts).with_context(|| format!("cannot make {parts:?}"))?;
        let places = self.places(starts)?;
        let fits = self.fits(tasks, &places);
        let mut found = Vec::with_capacity(fits.len());
        for fit in &fits {
            found.push(read_part(parts, &fit.part)?);
        }
        let left: Vec<usize> = (0..fits.len()).filter(|at| found[*at].is_none()).collect();
        let side_by_side = self.fitting(&fits, &left)?;
        let mut steps = Steps::new("downstream", fits.len() as u64);
        steps.begin_after((fits.len() - left.len()) as u64);

        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Mutex::new((steps, fits.len() - left.len(), &mut found));
        let work = || -> Result<()> {
            while !failed.load(Ordering::Relaxed) {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(at) = left.get(place).copied() else {
                    break;
                };
                let fit = &fits[at];
                let threads = self.threads / side_by_side.min(left.len() - place);
                let rows = self.predict(fit, threads);
                let rows = rows.inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
                let (steps, done, found) = &mut *shared.lock().unwrap_or_else(|e| e.into_inner());
                found[at] = Some(rows);
                *done += 1;
                let title = fit.model.title(fit.task.kind);
                steps.set(
                    *done as u64,
                    format!("{}, {}, {title}", fit.place, fit.task.name),
                );
                interrupt::check()?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers = side_by_side.min(left.len());
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let join = |worker: std::thread::ScopedJoinHandle<Result<()>>| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            let results: Vec<Result<()>> = workers.into_iter().map(join).collect();
            results.into_iter().collect::<Result<()>>()
        })?;
        let mut predicted = Predicted {
            folds: Vec::new(),
            repeated: vec![Vec::new(); self.repeated.len()],
        };
        for (fit, rows) in fits.iter().zip(found.into_iter().flatten()) {
            match fit.place.repeat.checked_sub(1) {
                None => predicted.folds.extend(rows),
                Some(at) => predicted.repeated[at as usize].extend(rows),
            }
        }
        Ok(predicted)
    }

    /// All folds, of the experiment's partition and then of the further ones.
    fn places(&self, starts: &[Start]) -> Result<Vec<Place<'_>>> {
        let variant = self.design.variant;
        let mut places = Vec::new();
        for (fold, (scans, start)) in (1..).zip(self.folds.iter().zip(starts)) {
            places.push(Place {
                repeat: 0,
                fold,
                scans,
                encoder: start.encoder(scans, variant)?,
            });
        }
        for (repeat, folds) in (1..).zip(self.repeated) {
            for (fold, scans) in (1..).zip(folds) {
                places.push(Place {
                    repeat,
                    fold,
                    scans,
                    // No linear model looks at it.
                    encoder: Start::Random.encoder(scans, variant)?,
                });
            }
        }
        Ok(places)
    }

    fn fits<'f>(&'f self, tasks: &'f [Task], places: &'f [Place<'f>]) -> Vec<Fit<'f>> {
        let all = &self.design.config.train_shares[..];
        let largest = [all.iter().copied().fold(0.0, f64::max)];
        let mut fits = Vec::new();
        for place in places {
            let shares = if place.repeat == 0 { all } else { &largest };
            for task in tasks {
                for share in shares {
                    let models = self.design.models.iter();
                    let models = models.filter(|m| place.repeat == 0 || m.is_linear());
                    for model in models.filter(|m| task.of_segments || !m.needs_segments()) {
                        fits.push(Fit {
                            task,
                            place,
                            share: *share,
                            model: *model,
                            part: place.part(&task.name, *share, &model.title(task.kind)),
                        });
                    }
                }
            }
        }
        fits
    }

    /// Number of the fits that are `left` which fit into memory side by side, up to
    /// [`Work::side_by_side`]. Each model is tried once for each target, on its largest training
    /// set.
    ///
    /// # Errors
    /// If a fit does not fit into memory alone.
    fn fitting(&self, fits: &[Fit], left: &[usize]) -> Result<usize> {
        let Some(memory) = self.memory else {
            return Ok(self.side_by_side);
        };
        let mut tried: BTreeMap<(&str, &str), Option<u64>> = BTreeMap::new();
        let mut needs = Vec::new();
        // The largest training set of a model comes first.
        let mut left: Vec<&Fit> = left.iter().map(|at| &fits[*at]).collect();
        left.sort_by(|a, b| b.share.total_cmp(&a.share));
        for fit in left {
            let model = (fit.task.name.as_str(), fit.model.name());
            let need = match tried.get(&model) {
                Some(known) => *known,
                None => {
                    let need = self.need(fit, memory)?;
                    tried.insert(model, need);
                    need
                }
            };
            needs.extend(need);
        }
        let available = memory.available().unwrap_or(u64::MAX);
        let fitting = side_by_side(self.side_by_side, needs, available);
        if fitting < self.side_by_side {
            tracing::info!(
                "{fitting} fits side by side instead of {}: more do not fit into memory",
                self.side_by_side
            );
        }
        Ok(fitting)
    }

    /// Bytes that a fit needs with all threads; `None` if it is not known.
    fn need(&self, fit: &Fit, memory: &dyn Memory) -> Result<Option<u64>> {
        let (fold, learner) = (self.fold(fit)?, self.learner(fit));
        let fits = Fits {
            threads: self.threads,
            ..Fits::default()
        };
        let problem = self.problem(fit, fits);
        let about = || self.about(fit);
        let Some(FitNeed { need, division }) =
            (fold.need(&*learner, &problem, memory).map_err(stopped)).with_context(about)?
        else {
            return Ok(None);
        };
        let available = memory.available().unwrap_or(u64::MAX);
        let refuse = |reason: TooLittleMemory| DownstreamError::Fit {
            learner: learner.name().to_string(),
            target: fit.task.name.clone(),
            reason: reason.into(),
        };
        tracing::debug!(
            learner = learner.name(),
            ?need,
            ?division,
            available,
            "memory of a fit"
        );
        (need.check(division, available).map_err(refuse)).with_context(about)?;
        Ok(Some(need.bytes(division)))
    }

    fn fold<'f>(&self, fit: &Fit<'f>) -> Result<FoldOf<'f>> {
        let Place { fold, scans, .. } = fit.place;
        let (split, seeds) = (&scans.split, &self.seeds);
        Ok(FoldOf::new(fit.task, *fold, split, fit.share, seeds)?)
    }

    fn learner(&self, fit: &Fit) -> Box<dyn Learner> {
        let config = self.design.config;
        fit.model.learner(&Settings {
            kind: fit.task.kind,
            encoder: &fit.place.encoder,
            finetune: &config.finetune,
            readout: config.readout,
            budget: config.neural,
            linear: config.linear,
        })
    }

    fn problem(&self, fit: &Fit, fits: Fits) -> Problem {
        let Place { scans, .. } = fit.place;
        let dataset = &scans.dataset;
        Problem {
            target: fit.task.name.clone(),
            kind: fit.task.kind,
            of_subjects: fit.task.of_subjects,
            n_rois: dataset.atlas().n_rois(),
            dt_secs: dataset.dt_secs(),
            segment_len_trs: scans.layout.segment_len_trs,
            confounds: fit.task.confounds.clone(),
            seeds: fit.place.seeds(&self.seeds),
            device: self.device.clone(),
            fits,
        }
    }

    /// Model, target and fold of a fit, for messages.
    fn about(&self, fit: &Fit) -> String {
        let title = fit.model.title(fit.task.kind);
        format!("{title} for {}, {}", fit.task.name, fit.place)
    }

    /// Trains, predicts, and keeps the predictions.
    fn predict(&self, fit: &Fit, threads: usize) -> Result<Vec<Prediction>> {
        let unfinished = self.parts.join(format!("{}.fit", fit.part));
        let (fold, learner) = (self.fold(fit)?, self.learner(fit));
        let fits = Fits {
            threads,
            folder: Some(unfinished.clone()),
            stop: Some(interrupt::stop_flag()),
        };
        let problem = self.problem(fit, fits);
        let rows = (fold.predict(&*learner, &problem).map_err(stopped))
            .with_context(|| self.about(fit))?;
        let names = fit.task.table_confounds.clone();
        let predictions = Predictions::new(names, rows.clone())?;
        write_table(&self.parts, &fit.part, &predictions.to_table()?)?;
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)
                .with_context(|| format!("cannot remove {unfinished:?}"))?;
        }
        Ok(rows)
    }
}

/// Reads predictions that are already finished; `None` if there are none.
fn read_part(parts: &Path, name: &str) -> Result<Option<Vec<Prediction>>> {
    if !parts.join(format!("{name}.parquet")).exists() {
        return Ok(None);
    }
    let table = read_table(parts, name)?;
    Ok(Some(Predictions::from_table(&table)?.rows().to_vec()))
}
