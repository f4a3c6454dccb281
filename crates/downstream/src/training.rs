//! Training of networks on the examples of a fold, in epochs.

use std::sync::atomic::AtomicBool;

use brainmae_data::epoch_order;
use brainmae_run::Seeds;
use brainmae_train::memory::{Division, Memory, Need};
use brainmae_train::trainer::VALIDATION;
use brainmae_train::{
    Alone, EpochOrder, Keep, LossOf, Objective, Outcome, Plan, TrainError, Trained, Trainer, Watch,
    Workers,
};
use burn::module::Module;

use crate::{DownstreamError, FitError, FitNeed, Problem};

/// Number of parts of a batch. The last bits of a result depend on it, but not on threads.
pub const PARTS: usize = 2;

/// Batches of a training set: each epoch has each example once, in a random order.
pub struct Epochs {
    n_examples: usize,
    batch_size: usize,
    order: EpochOrder,
}

impl Epochs {
    /// Epochs of `n_examples`, at least one, in batches of `batch_size`; `stream` is the name of
    /// the random stream of their order.
    pub fn new(seeds: Seeds, stream: &str, n_examples: usize, batch_size: usize) -> Self {
        let stream = stream.to_string();
        Self {
            n_examples,
            batch_size,
            order: EpochOrder::new(move |epoch| {
                epoch_order(n_examples, &mut seeds.stream_at(&stream, &[epoch]))
            }),
        }
    }

    /// Number of steps in an epoch.
    pub fn steps(&self) -> u64 {
        self.n_examples.div_ceil(self.batch_size) as u64
    }

    /// Epoch of a step, and the number of the step in it.
    pub fn place(&self, step: u64) -> (u64, u64) {
        (step / self.steps(), step % self.steps())
    }

    /// Number of epochs after `step` steps.
    pub fn passed(&self, step: u64) -> f64 {
        step as f64 / self.steps() as f64
    }

    /// Examples of one of `parts` parts of the batch of `step`; a part of a small batch may be
    /// empty.
    pub fn part(&self, step: u64, part: usize, parts: usize) -> Vec<usize> {
        let (epoch, place) = self.place(step);
        let from = place as usize * self.batch_size;
        self.order.at(epoch, |order| {
            let batch = &order[from..(from + self.batch_size).min(self.n_examples)];
            let size = batch.len().div_ceil(parts).max(1);
            let part = batch.chunks(size).nth(part);
            part.map(<[usize]>::to_vec).unwrap_or_default()
        })
    }
}

/// Threads that compute the `parts` of a batch.
pub fn n_threads(problem: &Problem, parts: usize) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, |n| n.get());
    let threads = match problem.fits.threads {
        0 => processors(),
        threads => threads,
    };
    threads.min(parts).max(1)
}

/// Values of `of` for batches, in their order, computed on the threads of `problem`. Each thread
/// has a copy of `model` that shares its weights.
pub fn map_batches<M: Module, B: Sync, T: Send>(
    problem: &Problem,
    model: &M,
    batches: &[B],
    of: impl Fn(&M, &B) -> T + Sync,
) -> Vec<T> {
    let n = n_threads(problem, batches.len());
    let all: Vec<Vec<T>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n)
            .map(|first| {
                let (model, of) = (model.clone(), &of);
                let own = batches.iter().skip(first).step_by(n);
                scope.spawn(move || own.map(|batch| of(&model, batch)).collect())
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<Vec<T>>| match thread.join() {
            Ok(values) => values,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().map(join).collect()
    });
    let mut all: Vec<_> = all.into_iter().map(Vec::into_iter).collect();
    (0..batches.len())
        .filter_map(|i| all[i % n].next())
        .collect()
}

/// Memory that the training of a network needs, measured before its first step.
pub struct Trial<'a> {
    memory: &'a dyn Memory,
    available: u64,
    before: u64,
}

impl<'a> Trial<'a> {
    /// Begins before the data of the network are made; `None` if the memory is not known.
    pub fn begin(memory: &'a dyn Memory) -> Option<Self> {
        Some(Self {
            memory,
            available: memory.available()?,
            before: memory.resident()?,
        })
    }

    /// The need of `model` with the data that are there now, for batches of `batch_size` examples.
    /// `loss` is that of a number of examples.
    ///
    /// # Errors
    /// From `loss`.
    pub fn need<O: Objective<Error = DownstreamError>>(
        &self,
        problem: &Problem,
        batch_size: usize,
        objective: &O,
        model: &O::Model,
        loss: impl Fn(usize) -> LossOf<DownstreamError>,
    ) -> Result<Option<FitNeed>, DownstreamError> {
        let parts = objective.parts();
        let workers = Workers::on_one_device(n_threads(problem, parts));
        let division = Division {
            batch_size,
            parts,
            at_once: workers.n_at_a_time(),
        };
        let data = (self.memory.resident()).map(|now| now.saturating_sub(self.before));
        let in_part = batch_size.div_ceil(parts);
        let part = Need::measure(self.memory, self.available, in_part, |n| {
            if let Some(loss) = loss(n)? {
                loss.total.backward();
            }
            Ok::<(), DownstreamError>(())
        })?;
        let weights = Need::of_weights(model.num_params(), false, &workers);
        Ok(data.zip(part).map(|(data, part)| FitNeed {
            need: Need {
                once: data + weights,
                ..part
            },
            division,
        }))
    }
}

/// Trains `model`, which is on a device with autodiff, for `problem`.
pub fn train<O>(
    learner: &str,
    problem: &Problem,
    plan: &Plan,
    objective: &O,
    model: O::Model,
) -> Result<Trained<O::Model>, DownstreamError>
where
    O: Objective<Error = DownstreamError>,
    O::Model: Module,
{
    let never = AtomicBool::new(false);
    let fits = &problem.fits;
    let threads = n_threads(problem, objective.parts());
    let mut watch = Watch {
        stop: fits.stop.unwrap_or(&never),
        progress: &mut |at| {
            tracing::debug!(
                learner,
                step = at.step,
                loss = at.loss,
                validation = at.validation,
                "epoch"
            );
        },
        workers: &Workers::on_one_device(threads),
        communicator: &Alone,
    };
    let keep = match &fits.folder {
        Some(folder) => Keep::Folder(folder),
        None => Keep::Nowhere,
    };
    let trained = Trainer::new(plan, objective, keep).train(model, &mut watch);
    let trained = trained.map_err(|error| match error {
        DownstreamError::Train(TrainError::NonFinite {
            what, value, step, ..
        }) => {
            let set = if what == VALIDATION {
                "validation"
            } else {
                "training"
            };
            let reason = FitError::Diverged {
                set,
                value,
                epoch: objective.epoch(step) as usize,
            };
            problem.refused(learner, reason)
        }
        other => other,
    })?;
    if matches!(trained.outcome, Outcome::Interrupted { .. }) {
        return Err(DownstreamError::Interrupted);
    }
    tracing::info!(
        learner,
        target = problem.target,
        best_epoch = objective.epoch(trained.best_step),
        validation_loss = trained.score,
        "trained"
    );
    Ok(trained)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use brainmae_data::{BoldSeries, SegmentLayout};
    use brainmae_model::BrainMae;
    use burn::tensor::Device;
    use rand::RngExt;

    use super::*;
    use crate::encoders::{FineTune, FineTuneConfig, FoldEncoder, Readout};
    use crate::neural::mean_mlp::MeanMlp;
    use crate::neural::{Budget, Neural};
    use crate::{Example, Examples, Fits, Kind, Labelled, Learner, Scan};

    #[test]
    fn an_epoch_has_every_example_once_whatever_the_parts() {
        let epochs = Epochs::new(Seeds::new(1), "order", 7, 3);
        assert_eq!(epochs.steps(), 3);
        let of = |epoch: u64, parts: usize| -> Vec<usize> {
            let steps = epoch * 3..(epoch + 1) * 3;
            steps
                .flat_map(|step| (0..parts).map(move |part| (step, part)))
                .flat_map(|(step, part)| epochs.part(step, part, parts))
                .collect()
        };
        assert_eq!(of(0, 1), of(0, 2));
        assert_ne!(of(0, 2), of(1, 2));
        let mut all = of(1, 2);
        all.sort_unstable();
        assert_eq!(all, (0..7).collect::<Vec<_>>());
        // The last batch has one example, so its second part is empty.
        assert_eq!(epochs.part(2, 0, 2).len(), 1);
        assert!(epochs.part(2, 1, 2).is_empty());
    }

    /// A process that has `available` bytes, and holds `grows` bytes more during any work.
    struct Process {
        available: u64,
        grows: u64,
    }

    impl Memory for Process {
        fn available(&self) -> Option<u64> {
            Some(self.available)
        }

        fn resident(&self) -> Option<u64> {
            Some(0)
        }

        fn peak_of(&self, work: &mut dyn FnMut()) -> Option<u64> {
            work();
            Some(self.grows)
        }
    }

    /// Need of a network for six scans, and whether its batch fits.
    fn need(learner: &dyn Learner, grows: u64) -> (FitNeed, bool) {
        let seeds = Seeds::new(1);
        let rng = &mut seeds.stream("scans");
        let scans: Vec<Scan> = (0..6)
            .map(|i| {
                let values = (0..24 * 5).map(|_| rng.random_range(-1.5f32..1.5));
                let series = BoldSeries::new(values.collect(), 5, 3.0).expect("finite");
                Scan {
                    scan: format!("scan-{i}").as_str().into(),
                    subject: "subject".into(),
                    unit: "subject".into(),
                    series: Arc::new(series),
                    confounds: Vec::new(),
                    site: None,
                    computed: Default::default(),
                }
            })
            .collect();
        let whole = |scan| Example {
            scan,
            start_volume: 0,
            n_volumes: 24,
        };
        let all = Labelled {
            examples: Examples {
                scans: &scans,
                list: (0..6).map(whole).collect(),
            },
            truth: (0..6).map(f64::from).collect(),
        };
        let problem = Problem {
            target: "t".into(),
            kind: Kind::Regression,
            of_subjects: false,
            n_rois: 5,
            dt_secs: 3.0,
            segment_len_trs: 4,
            confounds: Vec::new(),
            seeds,
            device: Device::flex(),
            fits: Fits {
                threads: 2,
                ..Fits::default()
            },
        };
        let memory = Process {
            available: 100 << 20,
            grows,
        };
        let need = learner
            .need(&problem, &all, &all, &memory)
            .expect("learnable");
        let need = need.expect("memory is known");
        let fits = need.need.check(need.division, memory.available).is_ok();
        (need, fits)
    }

    #[test]
    fn networks_are_tried_before_they_are_trained() {
        let layout = SegmentLayout {
            segment_len_trs: 4,
            n_segments: 3,
        };
        let encoder = FoldEncoder::small(5, layout);
        let finetune = FineTune::<BrainMae>::new(
            "BrainMAE",
            encoder,
            FineTuneConfig::default(),
            Readout::default(),
        );
        let mlp = Neural {
            architecture: MeanMlp::default(),
            budget: Budget::default(),
        };
        // Six scans, of two samples each for BrainMAE.
        let learners: [(&dyn Learner, usize); 2] = [(&finetune, 12), (&mlp, 6)];
        for (learner, batch_size) in learners {
            let (found, fits) = need(learner, 9 << 20);
            assert_eq!(found.division.batch_size, batch_size, "{}", learner.name());
            assert_eq!(found.division.at_once, 2, "{}", learner.name());
            // Each of the two parts grows by nine MiB.
            let in_part = batch_size as u64 / 2;
            assert_eq!(
                found.need.example,
                (9 << 20) / in_part,
                "{}",
                learner.name()
            );
            assert!(found.need.once > 0 && fits, "{}", learner.name());
            let (_, fits) = need(learner, 60 << 20);
            assert!(!fits, "{}", learner.name());
        }
    }
}
