//! A model of your own: a linear autoencoder, trained without a stop, and stopped half-way and
//! resumed to the same weights.
//!
//! `cargo run -p brainmae-train --example linear_autoencoder`

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use brainmae_model::weights::export;
use brainmae_run::Seeds;
use brainmae_train::{
    Alone, Keep, LossOf, Objective, OptimizerConfig, PartLoss, Plan, Progress, Schedule, Scores,
    TrainError, Trained, Trainer, Watch, Workers,
};
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;

const N_ROIS: usize = 12;
const PARTS: usize = 2;

/// Twelve ROIs through three numbers and back.
#[derive(Module, Debug)]
struct Autoencoder {
    down: Linear,
    up: Linear,
}

/// Volumes in which every third ROI has the same signal.
struct Reconstruction;

impl Reconstruction {
    fn volumes(name: &str, place: &[u64], device: &Device) -> Tensor<2> {
        let mut rng = Seeds::new(1).stream_at(name, place);
        let volume = |_| {
            let networks: [f32; 3] = rng.random();
            (0..N_ROIS).map(move |roi| networks[roi % 3] - 0.5)
        };
        let values: Vec<f32> = (0..16).flat_map(volume).collect();
        Tensor::from_data(TensorData::new(values, [16, N_ROIS]), device)
    }

    fn error(model: &Autoencoder, volumes: Tensor<2>) -> Tensor<1> {
        let drawn = model.up.forward(model.down.forward(volumes.clone()));
        (drawn - volumes).square().mean()
    }
}

impl Objective for Reconstruction {
    type Model = Autoencoder;
    type Error = TrainError;

    fn parts(&self) -> usize {
        PARTS
    }

    fn loss(&self, model: &Autoencoder, step: u64, part: usize) -> LossOf<TrainError> {
        let device = model.down.weight.val().device();
        let volumes = Self::volumes("training", &[step, part as u64], &device);
        Ok(Some(PartLoss {
            total: Self::error(model, volumes),
            terms: Vec::new(),
            weight: 1.0,
        }))
    }

    fn examples(&self, step: u64) -> Vec<String> {
        vec![format!("volumes of step {step}")]
    }

    fn epoch(&self, step: u64) -> f64 {
        step as f64
    }

    fn validate(&self, model: &Autoencoder) -> Result<Scores, TrainError> {
        let device = model.down.weight.val().device();
        let error = Self::error(model, Self::volumes("validation", &[], &device));
        Ok(vec![(
            "validation/loss",
            f64::from(error.into_scalar::<f32>()),
        )])
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (straight, stopped) = (
        folder.path().join("straight"),
        folder.path().join("stopped"),
    );
    let whole = train(&straight, u64::MAX)?;
    println!("{:?}: {:?}", whole.outcome, train(&stopped, 90)?.outcome);
    let resumed = train(&stopped, u64::MAX)?;
    println!(
        "error of held-out volumes {:.5}, best after step {}",
        resumed.score.unwrap_or(f64::NAN),
        resumed.best_step
    );
    assert_eq!(export(&whole.best, &[]), export(&resumed.best, &[]));
    Ok(())
}

/// Trains in `folder`; a stop is requested after `stop_after` steps.
fn train(folder: &Path, stop_after: u64) -> Result<Trained<Autoencoder>, TrainError> {
    let plan = Plan {
        steps: 200,
        schedule: Schedule::WarmupCosine {
            peak: 0.03,
            warmup: 0.1,
            end: 1e-4,
        },
        optimizer: OptimizerConfig::default(),
        rate_factors: Vec::new(),
        validate_every: 20,
        checkpoint_every: 50,
        log_every: 10,
        patience: Some(5),
        least_gain: 0.0,
        ema: None,
    };
    let device = Device::default().autodiff();
    device.seed(5);
    let model = Autoencoder {
        down: LinearConfig::new(N_ROIS, 3).init(&device),
        up: LinearConfig::new(3, N_ROIS).init(&device),
    };
    let stop = AtomicBool::new(false);
    let mut watch = Watch {
        stop: &stop,
        progress: &mut |at: Progress| stop.store(at.step >= stop_after, Ordering::Relaxed),
        workers: &Workers::on_one_device(PARTS),
        communicator: &Alone,
    };
    Trainer::new(&plan, &Reconstruction, Keep::Folder(folder)).train(model, &mut watch)
}
