//! Planted truth through the whole path: simulate, split by subject, pretrain, score on held-out subjects.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use brainmae_data::{
    PlantedSpec, PrepareOptions, PreparedDataset, ScanStore, SegmentSpec, SplitSpec, SplitUnit,
    prepare_planted,
};
use brainmae_model::{BrainMaeConfig, DataShape};
use brainmae_pretrain::brainmae::{MaskedReconstruction, Setup};
use brainmae_pretrain::engine::{Engine, EngineConfig, Outcome, Watch, load_weights};
use brainmae_pretrain::mask::MaskConfig;
use brainmae_pretrain::predictor::{BrainMaePredictor, Predictor, VisibleMean, Zero};
use brainmae_pretrain::reconstruction::{ReconstructionConfig, score, summarise};
use brainmae_pretrain::roi_similarity::{cosine_similarity, network_auroc};
use brainmae_pretrain::schedule::Schedule;
use brainmae_pretrain::{Alone, Workers};
use brainmae_run::{Card, Manifest, RunFolder, Seeds};
use burn::tensor::Device;

use crate::device::device;

fn planted() -> PlantedSpec {
    PlantedSpec {
        n_subjects: 320,
        n_networks: 3,
        rois_per_network: 8,
        n_states: 2,
        mean_dwell_secs: 60.0,
        dt_secs: 3.0,
        n_volumes: 60,
        ar1: 0.6,
        noise_sd: 0.4,
        strength_low: 0.8,
        strength_high: 1.2,
        signs: brainmae_data::Signs::Positive,
        ..PlantedSpec::default()
    }
}

#[test]
fn a_short_pretraining_finds_the_networks_and_reconstructs_hidden_rois() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seeds = Seeds::new(3);
    let streams =
        |seed, name: &str| -> Box<dyn rand::Rng> { Box::new(Seeds::new(seed).stream(name)) };
    let options = PrepareOptions {
        overwrite: false,
        streams: &streams,
    };
    let place = folder.path().join("planted");
    prepare_planted(&planted(), &place, &options, &mut |_| ()).expect("a valid plan");
    let dataset = PreparedDataset::open(&place).expect("just written");
    let split = SplitSpec::default().draw(&dataset, &mut seeds.stream("split"));
    let split = split.expect("enough subjects");
    assert_eq!(split.unit, SplitUnit::Subject);
    split.check(&dataset).expect("nobody is on two sides");

    let spec = SegmentSpec {
        sample_secs: 75.0,
        ..SegmentSpec::default()
    };
    let layout = spec.layout(dataset.dt_secs()).expect("whole volumes");
    let load = |ids| ScanStore::load(&dataset, ids, &layout).expect("long enough");
    let train = EngineConfig {
        steps: 600,
        batch_size: 16,
        schedule: Schedule {
            base_lr: 0.02,
            ..Schedule::default()
        },
        validate_every: 100,
        checkpoint_every: 300,
        ..EngineConfig::default()
    };
    let setup = Setup {
        layout,
        mask: MaskConfig::default(),
        seeds,
        batch_size: train.batch_size,
        parts: train.parts,
        own: 0..train.parts,
        card: Card::default(),
    };
    let objective = MaskedReconstruction::new(setup, load(&split.train), load(&split.validation));
    let objective = objective.expect("valid settings");

    let config = BrainMaeConfig {
        d_model: 32,
        encoder_depth: 1,
        ..BrainMaeConfig::default()
    };
    let data = DataShape {
        n_rois: dataset.atlas().n_rois(),
        segment_len_trs: layout.segment_len_trs,
    };
    let init = |device: &Device| {
        config
            .init(data, &mut seeds.stream("weights"), device)
            .expect("sizes fit")
    };
    let manifest = Manifest::new(
        "test",
        "pretrain",
        serde_json::json!({}),
        BTreeMap::new(),
        3,
        "cpu",
    );
    let run = RunFolder::open(folder.path(), manifest).expect("new");
    let mut watch = Watch {
        stop: &AtomicBool::new(false),
        progress: &mut |_| (),
        workers: &Workers::on_one_device(2),
        world: &Alone,
    };
    let outcome = Engine::new(&train, &objective, &run)
        .and_then(|engine| engine.train(init(&device().autodiff()), &mut watch));
    assert_eq!(outcome.expect("finite losses"), Outcome::Finished);
    let best = run.checkpoints().join("best");
    let model = load_weights(init(&device()), &best).expect("just saved");

    let vectors: Vec<f32> = model.roi_vectors().into_data().iter::<f32>().collect();
    let networks: Vec<Option<&str>> = dataset
        .atlas()
        .rois
        .iter()
        .map(|roi| roi.network.as_deref())
        .collect();
    let auroc = network_auroc(&cosine_similarity(&vectors, config.d_model), &networks);
    let auroc = auroc.expect("pairs of both kinds");

    let model = BrainMaePredictor::new("BrainMAE", model);
    let predictors: [&dyn Predictor; 3] = [&model, &VisibleMean, &Zero];
    let scoring = ReconstructionConfig {
        mask_ratios: vec![0.2, 0.5, 0.8],
        draws: 1,
        batch_size: 32,
        resamples: 500,
    };
    let scores = score(
        &load(&split.test),
        &layout,
        &scoring,
        &predictors,
        &seeds,
        |_| (),
    );
    let summary = summarise(&scores.expect("test scans"), scoring.resamples, &seeds);
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
    for ratio in scoring.mask_ratios {
        let of = |name: &str| {
            let mut rows = summary
                .iter()
                .filter(|s| s.predictor == name && s.mask_ratio == ratio);
            rows.next().expect("a row").mse
        };
        // The intervals over held-out subjects do not even touch.
        assert!(of("BrainMAE").high < of("zero").low, "{}", table.join("\n"));
        assert!(
            of("BrainMAE").high < of("visible mean").low,
            "{}",
            table.join("\n")
        );
    }
}
