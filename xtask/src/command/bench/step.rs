//! `cargo xtask bench step`: time and memory of one training step, beside a peer measured in the same run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use brainmae_data::{
    BoldSeries, PlantedSpec, PreparedDataset, ScanId, ScanStore, SegmentLayout, SegmentSpec,
    StoreBudget, StoredScan, SubjectId,
};
use brainmae_model::{BrainMaeConfig, DataShape, TseKind};
use brainmae_pretrain::batch_gradient::BatchGradient;
use brainmae_pretrain::brainmae::{MaskedReconstruction, Setup};
use brainmae_pretrain::mask::{MaskConfig, Ratio};
use brainmae_pretrain::optimizer::{Optimizer, OptimizerConfig};
use brainmae_run::{Card, Seeds};
use burn::module::Module;
use clap::{Args, ValueEnum};
use rand::RngExt;
use tempfile::TempDir;

use super::peak_rss_mib;
use crate::device::DeviceName;
use crate::stage::data::simulate;

/// ROIs of the scans.
const N_ROIS: usize = 100;
/// Seconds between their volumes.
const DT_SECS: f64 = 0.75;

/// A step of pretraining: fresh mask, forward, backward, clip, AdamW; data are random.
#[derive(Args)]
pub struct StepBench {
    /// Size of model and batch.
    #[arg(long, value_enum, default_value = "quick")]
    size: Size,
    /// Transient state encoder.
    #[arg(long, value_enum, default_value = "static")]
    tse: Tse,
    /// Samples of a step, instead of the size's own.
    #[arg(long)]
    batch: Option<usize>,
    /// Steps measured in each round.
    #[arg(long, default_value_t = 3)]
    steps: u64,
    /// Rounds; ours and the peer's take turns.
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Read the training scans from disk for every batch, as for data larger than memory.
    #[arg(long)]
    on_disk: bool,
    /// Where tensors live.
    #[arg(long, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Threads of both.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// A Python program that times the peer's step and prints a JSON line with ms_per_step and peak_rss_mib.
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// The Python to run it with.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
}

/// Sizes of model and batch.
#[derive(Clone, Copy, ValueEnum)]
pub enum Size {
    /// Width 64, batch 32.
    Quick,
    /// Width 512, batch 64.
    Paper,
}

/// Kinds of the transient state encoder.
#[derive(Clone, Copy, ValueEnum)]
pub enum Tse {
    /// SG.
    Static,
    /// AG.
    Adaptive,
}

impl StepBench {
    /// Measures and prints.
    ///
    /// # Errors
    /// From the device, or from the peer's program.
    pub fn run(self) -> Result<()> {
        let Self {
            size,
            tse,
            batch,
            steps,
            rounds,
            on_disk,
            device,
            threads,
            reference,
            python,
        } = self;
        device.provide()?;
        let (config, own_batch) = match size {
            Size::Quick => (BrainMaeConfig::default(), 32),
            Size::Paper => (BrainMaeConfig::paper(), 64),
        };
        let tse_kind = match tse {
            Tse::Static => TseKind::Static,
            Tse::Adaptive => TseKind::Adaptive,
        };
        let config = BrainMaeConfig {
            tse: tse_kind,
            ..config
        };
        let batch = batch.unwrap_or(own_batch);
        let mut ours = Step::new(&config, batch, threads, on_disk, device)?;
        let word = |value: &dyn ValueName| value.word();
        let mut rows = Vec::new();
        for _ in 0..rounds {
            rows.push(("brainmae", ours.measure(steps)?, peak_rss_mib()));
            if let Some(file) = &reference {
                let output = Command::new(&python)
                    .arg(file)
                    .args(["--size", &word(&size), "--tse", &word(&tse)])
                    .args([
                        "--batch",
                        &batch.to_string(),
                        "--threads",
                        &threads.to_string(),
                    ])
                    .args(["--steps", &steps.to_string(), "--warmup", "1"])
                    .output()
                    .with_context(|| format!("cannot start {python:?}"))?;
                if !output.status.success() {
                    bail!(
                        "the peer failed: {}",
                        String::from_utf8_lossy(&output.stderr)
                    );
                }
                let line: serde_json::Value = serde_json::from_slice(&output.stdout)
                    .context("the peer printed no JSON line")?;
                let ms = line["ms_per_step"]
                    .as_f64()
                    .context("no ms_per_step from the peer")?;
                rows.push(("reference", ms, line["peak_rss_mib"].as_f64()));
            }
        }
        println!(
            "one training step, {} {}, batch {batch}, {threads} threads, {device}",
            word(&size),
            word(&tse)
        );
        println!("{:<12}{:>12}{:>12}", "who", "ms per step", "peak MiB");
        for (who, ms, mib) in &rows {
            println!(
                "{who:<12}{ms:>12.0}{:>12}",
                mib.map_or("–".to_string(), |mib| format!("{mib:.0}"))
            );
        }
        println!(
            "waited for batches: {:.1} ms per step",
            ours.waited_ms_per_step()
        );
        let best = |who| {
            rows.iter()
                .filter(|r| r.0 == who)
                .map(|r| r.1)
                .min_by(f64::total_cmp)
        };
        if let (Some(ours), Some(peer)) = (best("brainmae"), best("reference")) {
            println!("ratio of the best rounds: {:.2}", ours / peer);
        }
        Ok(())
    }
}

trait ValueName {
    fn word(&self) -> String;
}

impl<T: ValueEnum> ValueName for T {
    fn word(&self) -> String {
        self.to_possible_value()
            .map_or(String::new(), |v| v.get_name().to_string())
    }
}

/// A model in training, on random scans.
struct Step {
    /// Scans on disk.
    _folder: Option<TempDir>,
    objective: MaskedReconstruction,
    model: Option<brainmae_model::BrainMae>,
    optimizer: Optimizer,
    threads: usize,
    next: u64,
}

impl Step {
    fn new(
        config: &BrainMaeConfig,
        batch: usize,
        threads: usize,
        on_disk: bool,
        device: DeviceName,
    ) -> Result<Self> {
        let seeds = Seeds::new(0);
        let layout = SegmentSpec::default().layout(DT_SECS)?;
        let store = |name: &str, n: usize| -> Result<ScanStore> {
            let scans = (0..n).map(|i| {
                let rng = &mut seeds.stream_at(name, &[i as u64]);
                let values = (0..layout.sample_len_trs() * N_ROIS)
                    .map(|_| rng.random_range(-1.7f32..1.7))
                    .collect();
                Ok(StoredScan {
                    scan: ScanId::new(format!("{name}-{i}")),
                    subject: SubjectId::new(format!("{name}-{i}")),
                    series: BoldSeries::new(values, N_ROIS, DT_SECS)?,
                })
            });
            Ok(ScanStore::new(scans.collect::<Result<_>>()?)?)
        };
        let setup = Setup {
            layout,
            mask: MaskConfig {
                ratio: Ratio::Fixed(0.5),
                ..MaskConfig::default()
            },
            seeds,
            batch_size: batch,
            parts: if batch.is_multiple_of(threads) {
                threads
            } else {
                1
            },
            card: Card::default(),
        };
        let folder = on_disk.then(tempfile::tempdir).transpose()?;
        let training = match &folder {
            Some(folder) => stored_on_disk(folder.path(), batch, &layout)?,
            None => store("training", batch)?,
        };
        let objective = MaskedReconstruction::new(setup, training, store("validation", 1)?)?;
        let data = DataShape {
            n_rois: N_ROIS,
            segment_len_trs: layout.segment_len_trs,
        };
        let place = device.open()?.autodiff();
        let model = config.init(data, &mut seeds.stream("weights"), &place)?;
        eprintln!("{} parameters", model.num_params());
        Ok(Self {
            _folder: folder,
            objective,
            optimizer: Optimizer::new(&OptimizerConfig::default(), &model),
            model: Some(model),
            threads: device.share_threads(threads),
            next: 0,
        })
    }

    /// Time that the threads of a step have stood waiting for their part of the batch, together.
    fn waited_ms_per_step(&self) -> f64 {
        self.objective.waited().as_secs_f64() * 1e3 / self.next.max(1) as f64
    }

    /// Median milliseconds of `steps` steps after one to warm up.
    fn measure(&mut self, steps: u64) -> Result<f64> {
        let mut times = Vec::new();
        for i in 0..=steps {
            let started = Instant::now();
            let model = self.model.take().context("a step failed before")?;
            let batch = BatchGradient::of(&self.objective, &model, self.next, self.threads)?;
            let (model, _) = self.optimizer.step(1e-4, model, batch.gradients);
            self.model = Some(model);
            self.next += 1;
            if i > 0 {
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    }
}

/// Planted scans of 15 minutes in `folder`, of which none is in memory.
fn stored_on_disk(folder: &Path, n_scans: usize, layout: &SegmentLayout) -> Result<ScanStore> {
    let spec = PlantedSpec {
        n_subjects: n_scans,
        scans_per_subject: 1,
        n_networks: N_ROIS / 10,
        rois_per_network: 10,
        dt_secs: DT_SECS,
        n_volumes: 1200,
        ..PlantedSpec::default()
    };
    let place = folder.join("planted");
    simulate(&spec, &place, false)?;
    let dataset = PreparedDataset::open(&place)?;
    let ids: Vec<ScanId> = dataset.included().map(|scan| scan.scan.clone()).collect();
    let nothing = &mut StoreBudget::new(0);
    Ok(ScanStore::load_within(&dataset, &ids, layout, nothing)?)
}
