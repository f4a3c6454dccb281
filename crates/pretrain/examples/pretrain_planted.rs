//! A short pretraining on planted data, scored on subjects that the model has not seen.
//!
//! `cargo run -p brainmae-pretrain --example pretrain_planted`

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use brainmae_data::{PreparedDataset, ScanId, ScanStore, SegmentSpec, SplitSpec};
use brainmae_model::{BrainMaeConfig, DataShape};
use brainmae_pretrain::mask::MaskConfig;
use brainmae_pretrain::predictor::{BrainMaePredictor, Predictor, VisibleMean, Zero};
use brainmae_pretrain::reconstruction::{
    ReconstructionConfig, ScanScore, score, scored_training_scans, summarise,
};
use brainmae_pretrain::{
    MaskedReconstruction, Pretext, Pretraining, ScheduleConfig, Setup, TrainConfig,
};
use brainmae_run::{Card, Manifest, RunFolder, Seeds};
use brainmae_simulate::{PlantedSpec, planted_dataset};
use brainmae_train::{Alone, Keep, Trainer, Watch, Workers};
use burn::tensor::Device;

const SEED: u64 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let seeds = Seeds::new(SEED);
    let dataset = planted(&folder.path().join("planted"))?;
    let split = SplitSpec::default().draw(&dataset, &mut seeds.stream("split"))?;
    let spec = SegmentSpec {
        sample_secs: 75.0,
        ..SegmentSpec::default()
    };
    let layout = spec.layout(dataset.dt_secs())?;
    let load = |scans: &[_]| ScanStore::load(&dataset, scans, &layout);

    let train = TrainConfig {
        steps: 120,
        batch_size: 16,
        schedule: ScheduleConfig {
            base_lr: 0.02,
            ..ScheduleConfig::default()
        },
        validate_every: 40,
        checkpoint_every: 40,
        log_every: 20,
        ..TrainConfig::default()
    };
    let pretext = MaskedReconstruction::new(&MaskConfig::default())?;
    let setup = Setup {
        layout,
        seeds,
        batch_size: train.batch_size,
        parts: train.parts,
        own: 0..train.parts,
        card: Card::default(),
    };
    let objective = Pretraining::new(
        setup,
        pretext,
        load(&split.train)?,
        load(&split.validation)?,
    )?;

    let config = BrainMaeConfig {
        d_model: 32,
        encoder_depth: 1,
        ..BrainMaeConfig::default()
    };
    let data = DataShape {
        n_rois: dataset.atlas().n_rois(),
        segment_len_trs: layout.segment_len_trs,
    };
    let init = |device: &Device| config.init(data, &mut seeds.stream("weights"), device);
    let manifest = Manifest::new(
        "example",
        "pretrain",
        serde_json::to_value(&train)?,
        BTreeMap::new(),
        SEED,
        "cpu",
    );
    let run = RunFolder::open(folder.path(), manifest)?;
    let mut watch = Watch {
        stop: &AtomicBool::new(false),
        progress: &mut |at| println!("step {} of {}: loss {:.3}", at.step, at.steps, at.loss),
        workers: &Workers::on_one_device(train.parts),
        communicator: &Alone,
    };
    let device = Device::default();
    let plan = train.plan()?;
    let trained = Trainer::new(&plan, &objective, Keep::Run(&run))
        .train(init(&device.clone().autodiff())?, &mut watch)?;
    println!(
        "{:?}, best after step {}",
        trained.outcome, trained.best_step
    );
    let scoring = ReconstructionConfig {
        mask_ratios: vec![0.5],
        draws: 1,
        batch_size: 32,
        resamples: 500,
    };
    let ours = BrainMaePredictor::new("BrainMAE", trained.best);
    let score_on = |scans: &[ScanId]| -> Result<Vec<ScanScore>, Box<dyn Error>> {
        let predictors: [&dyn Predictor; 3] = [&ours, &VisibleMean, &Zero];
        let done = |_| ControlFlow::Continue(());
        Ok(score(
            &load(scans)?,
            &layout,
            &scoring,
            &predictors,
            &seeds,
            done,
        )?)
    };
    let scores = score_on(&split.test)?;
    let of_training = score_on(&scored_training_scans(&split.train))?;
    println!("mean squared error of hidden ROIs of held-out subjects, with 95 % intervals:");
    for score in summarise(&scores, &of_training, scoring.resamples, &seeds) {
        let mse = score.mse;
        print!(
            "{:<12} {:.3} [{:.3}, {:.3}]",
            score.predictor, mse.mean, mse.low, mse.high
        );
        match score.training {
            Some(training) => println!(
                ", {:.3} on {} training scans",
                training.mse, training.n_scans
            ),
            None => println!(),
        }
    }
    Ok(())
}

/// A small planted data set: three networks of eight ROIs, two states.
fn planted(path: &Path) -> Result<PreparedDataset, Box<dyn Error>> {
    let spec = PlantedSpec {
        n_subjects: 120,
        ..PlantedSpec::small()
    };
    let streams =
        |seed, name: &str| -> Box<dyn rand::Rng> { Box::new(Seeds::new(seed).stream(name)) };
    Ok(planted_dataset(&spec, path, &streams)?)
}
