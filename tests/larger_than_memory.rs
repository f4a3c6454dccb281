//! Training on scans that stay on disk, compared with the same training from memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use brainmae_data::{PreparedDataset, ScanId, ScanStore, SegmentSpec, SplitSpec, StoreBudget};
use brainmae_model::{BrainMaeConfig, DataShape};
use brainmae_pretrain::mask::MaskConfig;
use brainmae_pretrain::{MaskedReconstruction, Pretext, Pretraining, Setup, TrainConfig};
use brainmae_run::{Card, Checkpoint, Manifest, Metric, MetricLog, RunFolder, Seeds};
use brainmae_simulate::{PlantedSpec, planted_dataset};
use brainmae_train::{Alone, Keep, Progress, Trainer, Watch, Workers};

use crate::device::device;

/// Result of a training: its metrics and the bytes of its weights.
type Left = (Vec<Metric>, Vec<u8>);

/// Trains six steps with at most `bytes` of scans in memory; stops after each of `stops` and
/// resumes with a new loader.
fn train(dataset: &PreparedDataset, runs: &Path, bytes: u64, stops: &[u64]) -> Left {
    let seeds = Seeds::new(4);
    let split = SplitSpec::default().draw(dataset, &mut seeds.stream("split"));
    let split = split.expect("enough subjects");
    let spec = SegmentSpec {
        sample_secs: 75.0,
        ..SegmentSpec::default()
    };
    let layout = spec.layout(dataset.dt_secs()).expect("whole volumes");
    let config = TrainConfig {
        steps: 6,
        batch_size: 4,
        validate_every: 3,
        checkpoint_every: 2,
        ..TrainConfig::default()
    };
    let manifest = Manifest::new(
        "test",
        "pretrain",
        serde_json::json!({}),
        BTreeMap::new(),
        4,
        "cpu",
    );
    let run = RunFolder::open(runs, manifest).expect("new");
    for &stop_after in stops.iter().chain([&u64::MAX]) {
        let mut budget = StoreBudget::new(bytes);
        let mut load = |ids: &[ScanId]| {
            ScanStore::load_within(dataset, ids, &layout, &mut budget).expect("long enough")
        };
        let pretext = MaskedReconstruction::new(&MaskConfig::default()).expect("valid settings");
        let setup = Setup {
            layout,
            seeds,
            batch_size: config.batch_size,
            parts: config.parts,
            own: 0..config.parts,
            card: Card::default(),
        };
        let (training, validation) = (load(&split.train), load(&split.validation));
        assert_eq!(training.n_on_disk() > 0, bytes < 1 << 20);
        let objective = Pretraining::new(setup, pretext, training, validation);
        let objective = objective.expect("valid settings");
        let data = DataShape {
            n_rois: dataset.atlas().n_rois(),
            segment_len_trs: layout.segment_len_trs,
        };
        let model = BrainMaeConfig {
            d_model: 8,
            n_heads: 2,
            encoder_depth: 1,
            ..BrainMaeConfig::default()
        };
        let rng = &mut seeds.stream("weights");
        let model = model.init(data, rng, &device().autodiff());
        let stop = AtomicBool::new(false);
        let mut watch = Watch {
            stop: &stop,
            progress: &mut |at: Progress| stop.store(at.step >= stop_after, Ordering::Relaxed),
            workers: &Workers::on_one_device(2),
            communicator: &Alone,
        };
        let plan = config.plan().expect("valid settings");
        Trainer::new(&plan, &objective, Keep::Run(&run))
            .train(model.expect("sizes fit"), &mut watch)
            .expect("finite losses");
    }
    let last = Checkpoint::find(&run.checkpoints(), "last").expect("readable");
    (
        MetricLog::read(&run.path().join("metrics.jsonl")).expect("readable"),
        last.expect("there")
            .read("model.safetensors")
            .expect("whole"),
    )
}

#[test]
fn training_from_disk_equals_training_from_memory_to_the_last_bit_and_so_does_a_resumed_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let streams =
        |seed, name: &str| -> Box<dyn rand::Rng> { Box::new(Seeds::new(seed).stream(name)) };
    let spec = PlantedSpec {
        n_subjects: 20,
        n_networks: 2,
        rois_per_network: 4,
        dt_secs: 3.0,
        n_volumes: 60,
        ..PlantedSpec::default()
    };
    let place = folder.path().join("planted");
    let dataset = planted_dataset(&spec, &place, &streams).expect("a valid plan");

    let runs = |name: &str| folder.path().join(name);
    let memory = train(&dataset, &runs("memory"), 1 << 30, &[]);
    assert!(memory.0.iter().any(|m| m.name == "validation/loss_hidden"));
    // No scans in memory, or some: 60 volumes of 8 ROIs of 4 bytes are 1920 bytes.
    for (name, bytes) in [("disk", 0), ("mixed", 10 * 1920)] {
        assert!(train(&dataset, &runs(name), bytes, &[]) == memory, "{name}");
    }
    assert!(train(&dataset, &runs("resumed"), 0, &[1, 3]) == memory);
}
