//! Tests of the trainer with a linear autoencoder.

use std::collections::BTreeMap;

use brainmae_run::{Card, Checkpoint, Manifest, Metric, MetricLog, RunFolder, Seeds};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;

use super::*;
use crate::{Alone, LossOf, PartLoss, Scores};

mod averaged;
mod scored;
mod several;

#[derive(Module, Debug)]
struct LinearAutoencoder {
    down: Linear,
    up: Linear,
}

fn model() -> LinearAutoencoder {
    let device = Device::flex().autodiff();
    let linear = |n_in, n_out, start: f32| {
        let mut linear = LinearConfig::new(n_in, n_out).init(&device);
        let values: Vec<f32> = (0..n_in * n_out).map(|i| start + 0.1 * i as f32).collect();
        let values = Tensor::from_data(TensorData::new(values, [n_in, n_out]), &device);
        linear.weight = linear.weight.map(|_| values.require_grad());
        linear.bias = linear
            .bias
            .map(|b| b.map(|b| b.zeros_like().require_grad()));
        linear
    };
    LinearAutoencoder {
        down: linear(4, 2, -0.3),
        up: linear(2, 4, 0.2),
    }
}

/// Learns to reconstruct points of a plane in four dimensions; `poison` makes the loss of one step
/// infinite.
struct CopyPlane {
    parts: usize,
    poison: Option<u64>,
}

impl Objective for CopyPlane {
    type Model = LinearAutoencoder;
    type Error = TrainError;

    fn parts(&self) -> usize {
        self.parts
    }

    fn loss(&self, model: &Self::Model, step: u64, part: usize) -> LossOf<TrainError> {
        let mut rng = Seeds::new(1).stream_at("points", &[step, part as u64]);
        let mut points = Vec::new();
        for _ in 0..5 {
            let [a, b]: [f32; 2] = [rng.random(), rng.random()];
            points.extend([a, b, a + b, a - b]);
        }
        if self.poison == Some(step) {
            points[0] = f32::INFINITY;
        }
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::from_data(TensorData::new(points, [5, 4]), &device);
        let drawn = model.up.forward(model.down.forward(x.clone()));
        let total = (drawn - x).square().mean();
        Ok(Some(PartLoss {
            terms: vec![("train/term", total.clone())],
            total,
            weight: 1.0 + part as f64,
        }))
    }

    fn examples(&self, step: u64) -> Vec<String> {
        vec![format!("points of step {step}")]
    }

    fn epoch(&self, step: u64) -> f64 {
        step as f64
    }

    fn validate(&self, model: &Self::Model) -> Result<Scores, TrainError> {
        let loss = self.loss(&model.clone().train(), 1_000_000, 0)?;
        let loss = loss.expect("not empty");
        Ok(vec![(
            "validation/loss",
            f64::from(loss.total.into_scalar::<f32>()),
        )])
    }

    fn card(&self) -> Card {
        Card::default()
    }
}

fn plan() -> Plan {
    Plan {
        steps: 12,
        schedule: Schedule::WarmupCosine {
            peak: 0.25,
            warmup: 0.1,
            end: 1e-6,
        },
        optimizer: OptimizerConfig::default(),
        rate_factors: Vec::new(),
        validate_every: 4,
        checkpoint_every: 5,
        log_every: 3,
        patience: None,
        least_gain: 0.0,
        ema: None,
    }
}

struct Run {
    folder: RunFolder,
    log_every: u64,
    root: tempfile::TempDir,
}

impl Run {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let config = serde_json::json!({});
        let manifest = Manifest::new("test", "pretrain", config, BTreeMap::new(), 1, "cpu");
        Self {
            folder: RunFolder::open(root.path(), manifest).expect("new"),
            log_every: 3,
            root,
        }
    }

    /// Trains; a stop is requested after `stop_after` steps.
    fn train(
        &self,
        objective: &CopyPlane,
        workers: &Workers,
        stop_after: u64,
    ) -> Result<Outcome, TrainError> {
        self.train_in(&self.folder, objective, workers, &Alone, stop_after)
    }

    fn train_in(
        &self,
        folder: &RunFolder,
        objective: &CopyPlane,
        workers: &Workers,
        communicator: &dyn Communicator,
        stop_after: u64,
    ) -> Result<Outcome, TrainError> {
        let plan = Plan {
            log_every: self.log_every,
            ..plan()
        };
        let stop = AtomicBool::new(false);
        let mut progress = |at: Progress| stop.store(at.step >= stop_after, Ordering::Relaxed);
        let mut watch = Watch {
            stop: &stop,
            progress: &mut progress,
            workers,
            communicator,
        };
        let trainer = Trainer::new(&plan, objective, Keep::Run(folder));
        Ok(trainer.train(model(), &mut watch)?.outcome)
    }

    fn metrics(&self) -> Vec<Metric> {
        MetricLog::read(&self.folder.path().join("metrics.jsonl")).expect("readable")
    }

    fn weights(&self) -> Vec<u8> {
        let last = Checkpoint::find(&self.folder.checkpoints(), "last").expect("readable");
        last.expect("there")
            .read("model.safetensors")
            .expect("whole")
    }
}

/// Workers that compute one part at a time.
fn one() -> Workers {
    Workers::on_one_device(1)
}

const GOOD: CopyPlane = CopyPlane {
    parts: 4,
    poison: None,
};

#[test]
fn a_model_that_is_not_brainmae_learns() {
    let run = Run::new();
    assert_eq!(
        run.train(&GOOD, &one(), u64::MAX).expect("finite"),
        Outcome::Finished
    );
    let losses: Vec<f64> = run
        .metrics()
        .into_iter()
        .filter(|m| m.name == "train/loss")
        .filter_map(|m| m.value)
        .collect();
    assert_eq!(losses.len(), 12);
    assert!(losses[11] < 0.5 * losses[0], "{losses:?}");
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one_to_the_last_bit() {
    let (straight, resumed) = (Run::new(), Run::new());
    straight.train(&GOOD, &one(), u64::MAX).expect("finite");
    for stop_after in [3, 7, u64::MAX] {
        resumed.train(&GOOD, &one(), stop_after).expect("finite");
    }
    assert_eq!(straight.metrics(), resumed.metrics());
    assert_eq!(straight.weights(), resumed.weights());
}

#[test]
fn devices_do_not_change_the_result() {
    let (alone, shared) = (Run::new(), Run::new());
    alone.train(&GOOD, &one(), u64::MAX).expect("finite");
    let workers = Workers {
        others: vec![Device::flex().autodiff()],
        per_device: 1,
    };
    shared.train(&GOOD, &workers, u64::MAX).expect("finite");
    assert_eq!(alone.metrics(), shared.metrics());
    assert_eq!(alone.weights(), shared.weights());
}

#[test]
fn devices_that_cannot_share_the_parts_are_refused() {
    let workers = Workers {
        others: vec![Device::flex().autodiff(); 2],
        per_device: 1,
    };
    let error = Run::new().train(&GOOD, &workers, u64::MAX);
    assert!(matches!(
        error,
        Err(TrainError::Config(InvalidField { field: "parts", .. }))
    ));
}

#[test]
fn threads_do_not_change_the_result() {
    let (alone, three) = (Run::new(), Run::new());
    alone.train(&GOOD, &one(), u64::MAX).expect("finite");
    three
        .train(&GOOD, &Workers::on_one_device(3), u64::MAX)
        .expect("finite");
    assert_eq!(alone.metrics(), three.metrics());
    assert_eq!(alone.weights(), three.weights());
}

#[test]
fn how_often_losses_are_read_changes_no_number() {
    let (often, seldom) = (Run::new(), Run::new());
    let often = Run {
        log_every: 1,
        ..often
    };
    let seldom = Run {
        log_every: 1000,
        ..seldom
    };
    often.train(&GOOD, &one(), u64::MAX).expect("finite");
    seldom.train(&GOOD, &one(), u64::MAX).expect("finite");
    assert_eq!(often.metrics(), seldom.metrics());
    assert_eq!(often.weights(), seldom.weights());
}

#[test]
fn every_step_is_logged_once_and_in_order() {
    let run = Run::new();
    run.train(&GOOD, &one(), u64::MAX).expect("finite");
    let logged: Vec<(u64, String)> = run
        .metrics()
        .into_iter()
        .map(|m| (m.step, m.name))
        .collect();
    let names = ["train/loss", "train/lr", "train/grad_norm", "train/term"];
    let of_step = |step: u64| {
        let validation = step.is_multiple_of(4).then_some("validation/loss");
        let names = names.into_iter().chain(validation);
        names.map(move |name| (step, name.to_string()))
    };
    assert_eq!(logged, (1..=12).flat_map(of_step).collect::<Vec<_>>());
}

#[test]
fn a_loss_that_is_not_finite_names_step_batch_and_checkpoint() {
    let run = Run::new();
    let error = run.train(
        &CopyPlane {
            poison: Some(7),
            ..GOOD
        },
        &one(),
        u64::MAX,
    );
    let TrainError::NonFinite {
        step: 7,
        examples,
        last_good: Some(last_good),
        ..
    } = error.expect_err("infinite")
    else {
        panic!("expected a loss that is not finite at step 7")
    };
    assert_eq!(examples, ["points of step 7"]);
    assert_eq!(last_good.step, 5);
    assert!(last_good.path.ends_with("checkpoints/last"));
    let last = Checkpoint::find(&run.folder.checkpoints(), "last").expect("readable");
    assert_eq!(last.expect("there").card().step, 5);
    let logged = run.metrics().last().map(|metric| metric.step);
    assert_eq!(logged, Some(7), "the steps before it are logged");
}

#[test]
fn the_best_checkpoint_has_the_lowest_validation_score() {
    let run = Run::new();
    run.train(&GOOD, &one(), u64::MAX).expect("finite");
    let scores: Vec<(u64, f64)> = run
        .metrics()
        .into_iter()
        .filter(|m| m.name == "validation/loss")
        .filter_map(|m| Some((m.step, m.value?)))
        .collect();
    assert_eq!(
        scores.iter().map(|(step, _)| *step).collect::<Vec<_>>(),
        [4, 8, 12]
    );
    let best = scores
        .iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .expect("three");
    let saved = Checkpoint::find(&run.folder.checkpoints(), "best").expect("readable");
    assert_eq!(saved.expect("there").card().step, best.0);
}

fn bytes(model: &LinearAutoencoder) -> Vec<u8> {
    weights::to_safetensors(&weights::export(model, &[]), None).expect("shapes fit")
}

#[test]
fn messages_say_what_was_expected_and_what_to_do() {
    let non_finite = TrainError::NonFinite {
        what: "the loss",
        value: f64::INFINITY,
        step: 7,
        examples: vec!["scan a from volume 3".into()],
        last_good: Some(crate::error::LastGood {
            path: "checkpoints/last".into(),
            step: 5,
        }),
    };
    let apart = TrainError::Apart {
        rank: 1,
        step: 5,
        first: 10,
        path: "checkpoints".into(),
    };
    let errors = [check_parts(4, 3).expect_err("4 parts"), non_finite, apart];
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    training config: parts is 4, expected a multiple of 3, the devices that share a batch
    the loss is inf at step 7, batch ["scan a from volume 3"]; last good checkpoint: checkpoints/last (step 5). Look at these scans, lower the learning rate, then run again
    process 1 found a checkpoint of step 5 where the first process found one of step 10: checkpoints. All processes must see the same run folder
    "#);
}
