//! Planted effects through the whole path: simulate, split by subject, pretrain, score on the test
//! set.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use brainmae_data::{
    PreparedDataset, ScanId, ScanStore, SegmentLayout, SegmentSpec, Split, SplitSpec, SplitUnit,
};
use brainmae_model::{BrainMae, BrainMaeConfig, DataShape, Precision};
use brainmae_pretrain::mask::MaskConfig;
use brainmae_pretrain::predictor::{BrainMaePredictor, Predictor, VisibleMean, Zero};
use brainmae_pretrain::reconstruction::{ReconstructionConfig, Score, score, summarise};
use brainmae_pretrain::roi_similarity::{cosine_similarity, network_auroc};
use brainmae_pretrain::{
    MaskedReconstruction, Pretext, Pretraining, ScheduleConfig, Setup, TrainConfig,
};
use brainmae_run::{Card, Manifest, RunFolder, Seeds};
use brainmae_simulate::{PlantedSpec, planted_dataset};
use brainmae_train::{Alone, Keep, Outcome, Trainer, Watch, Workers, load_weights};
use burn::tensor::Device;
use tempfile::TempDir;

use crate::device::device;

fn planted() -> PlantedSpec {
    PlantedSpec {
        n_subjects: 320,
        ..PlantedSpec::small()
    }
}

/// A small planted data set with its split, and a small model to train on it.
struct Trial {
    folder: TempDir,
    dataset: PreparedDataset,
    split: Split,
    layout: SegmentLayout,
    config: BrainMaeConfig,
    seeds: Seeds,
}

impl Trial {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let seeds = Seeds::new(3);
        let streams =
            |seed, name: &str| -> Box<dyn rand::Rng> { Box::new(Seeds::new(seed).stream(name)) };
        let place = folder.path().join("planted");
        let dataset = planted_dataset(&planted(), &place, &streams).expect("a valid plan");
        let split = SplitSpec::default().draw(&dataset, &mut seeds.stream("split"));
        let split = split.expect("enough subjects");
        assert_eq!(split.unit, SplitUnit::Subject);
        split.check(&dataset).expect("nobody is in two sets");
        let spec = SegmentSpec {
            sample_secs: 75.0,
            ..SegmentSpec::default()
        };
        Self {
            folder,
            layout: spec.layout(dataset.dt_secs()).expect("whole volumes"),
            dataset,
            split,
            config: BrainMaeConfig {
                d_model: 32,
                encoder_depth: 1,
                ..BrainMaeConfig::default()
            },
            seeds,
        }
    }

    fn load(&self, ids: &[ScanId]) -> ScanStore {
        ScanStore::load(&self.dataset, ids, &self.layout).expect("long enough")
    }

    fn init(&self, device: &Device) -> BrainMae {
        let data = DataShape {
            n_rois: self.dataset.atlas().n_rois(),
            segment_len_trs: self.layout.segment_len_trs,
        };
        let rng = &mut self.seeds.stream("weights");
        self.config.init(data, rng, device).expect("sizes fit")
    }

    /// Trains `steps` steps in `precision`, and returns the best model.
    fn train(&self, steps: u64, precision: Precision) -> BrainMae {
        let train = TrainConfig {
            steps,
            batch_size: 16,
            schedule: ScheduleConfig {
                base_lr: 0.02,
                ..ScheduleConfig::default()
            },
            validate_every: steps / 6,
            checkpoint_every: steps / 2,
            ..TrainConfig::default()
        };
        let pretext = MaskedReconstruction::new(&MaskConfig::default()).expect("valid settings");
        let setup = Setup {
            layout: self.layout,
            seeds: self.seeds,
            batch_size: train.batch_size,
            parts: train.parts,
            own: 0..train.parts,
            card: Card::default(),
        };
        let [training, validation] =
            [&self.split.train, &self.split.validation].map(|ids| self.load(ids));
        let objective =
            Pretraining::new(setup, pretext, training, validation).expect("valid settings");
        let manifest = Manifest::new(
            "test",
            "pretrain",
            serde_json::json!({ "precision": precision }),
            BTreeMap::new(),
            3,
            "cpu",
        );
        let run = RunFolder::open(self.folder.path(), manifest).expect("new");
        let mut watch = Watch {
            stop: &AtomicBool::new(false),
            progress: &mut |_| (),
            workers: &Workers::on_one_device(2),
            communicator: &Alone,
        };
        let model = self.init(&device().autodiff()).with_precision(precision);
        let plan = train.plan().expect("valid settings");
        let trained = Trainer::new(&plan, &objective, Keep::Run(&run)).train(model, &mut watch);
        assert_eq!(trained.expect("finite losses").outcome, Outcome::Finished);
        let best = run.checkpoints().join("best");
        load_weights(self.init(&device()), BrainMae::WEIGHT_NAMES, &best).expect("just saved")
    }

    /// Errors of the hidden ROIs of subjects in the test set.
    fn score(&self, predictors: &[&dyn Predictor], mask_ratios: &[f64]) -> Vec<Score> {
        let scoring = ReconstructionConfig {
            mask_ratios: mask_ratios.to_vec(),
            draws: 1,
            batch_size: 32,
            resamples: 500,
        };
        let test = self.load(&self.split.test);
        let scores = score(
            &test,
            &self.layout,
            &scoring,
            predictors,
            &self.seeds,
            |_| ControlFlow::Continue(()),
        );
        let scores = scores.expect("test scans");
        summarise(&scores, &[], scoring.resamples, &self.seeds)
    }
}

#[test]
fn a_short_pretraining_finds_the_networks_and_reconstructs_hidden_rois() {
    let trial = Trial::new();
    let model = trial.train(600, Precision::F32);
    let vectors: Vec<f32> = model.roi_vectors().into_data().iter::<f32>().collect();
    let rois = &trial.dataset.atlas().rois;
    let networks: Vec<Option<&str>> = rois.iter().map(|roi| roi.network.as_deref()).collect();
    let auroc = network_auroc(
        &cosine_similarity(&vectors, trial.config.d_model),
        &networks,
    );
    let auroc = auroc.expect("pairs of both kinds");

    let model = BrainMaePredictor::new("BrainMAE", model);
    let ratios = [0.2, 0.5, 0.8];
    let summary = trial.score(&[&model, &VisibleMean, &Zero], &ratios);
    let table: Vec<String> = summary
        .iter()
        .map(|s| {
            format!(
                "{:<13} {:.1} {:.3} [{:.3}, {:.3}]",
                s.predictor, s.mask_ratio, s.mse.mean, s.mse.low, s.mse.high
            )
        })
        .collect();
    println!("AUROC of planted networks {auroc:.3}\n{}", table.join("\n"));

    assert!(
        auroc > 0.9,
        "ROI vectors do not separate the planted networks: AUROC {auroc}"
    );
    for ratio in ratios {
        let of = |name: &str| {
            let mut rows = summary
                .iter()
                .filter(|s| s.predictor == name && s.mask_ratio == ratio);
            rows.next().expect("a row").mse
        };
        // The intervals over subjects of the test set do not overlap.
        assert!(of("BrainMAE").high < of("zero").low, "{}", table.join("\n"));
        assert!(
            of("BrainMAE").high < of("visible mean").low,
            "{}",
            table.join("\n")
        );
    }
}

/// Only LibTorch has bfloat16; the gate `libtorch` runs this test.
#[cfg(feature = "libtorch")]
#[test]
fn bf16_training_reaches_the_error_of_f32() {
    let trial = Trial::new();
    let error = |precision: Precision| {
        let model = BrainMaePredictor::new("BrainMAE", trial.train(600, precision));
        trial.score(&[&model], &[0.5])[0].mse.mean
    };
    let (full, mixed) = (error(Precision::F32), error(Precision::Bf16));
    println!("error of hidden ROIs: f32 {full:.4}, bf16 {mixed:.4}");
    assert!(mixed <= 1.02 * full, "bf16 {mixed}, f32 {full}");
    assert_ne!(full, mixed, "bf16 computed in 32 bits");
}
