//! `cargo xtask bench step`: time and memory of one training step, beside a peer measured in the same run.

mod ceiling;
mod ours;
mod work;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use brainmae_model::{BrainMaeConfig, DataShape, Precision, TseKind};
use clap::{Args, ValueEnum};

use self::ceiling::Ceiling;
use self::ours::{N_ROIS, Step};
use super::peak_rss_mib;
use crate::device::DeviceName;

/// A step of pretraining: fresh mask, forward, backward, clip, AdamW; data are random.
#[derive(Args)]
pub struct StepBench {
    /// Size of model and batch.
    #[arg(long, value_enum, default_value = "quick")]
    size: Size,
    /// Transient state encoder.
    #[arg(long, value_enum, default_value = "static")]
    tse: Tse,
    /// What a step does.
    #[arg(long, value_enum, default_value = "training")]
    work: Work,
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
    /// Write what was measured as JSON too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The Python to run it with.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
}

/// What a step does.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// Fresh mask, forward, backward, clip, AdamW.
    Training,
    /// Encoding, nothing hidden, no gradients.
    Inference,
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
        self.device.provide(Precision::F32)?;
        let (config, own_batch) = match self.size {
            Size::Quick => (BrainMaeConfig::default(), 32),
            Size::Paper => (BrainMaeConfig::paper(), 64),
        };
        let config = BrainMaeConfig {
            tse: match self.tse {
                Tse::Static => TseKind::Static,
                Tse::Adaptive => TseKind::Adaptive,
            },
            ..config
        };
        let batch = self.batch.unwrap_or(own_batch);
        let mut ours = Step::new(
            &config,
            self.work,
            batch,
            self.threads,
            self.on_disk,
            self.device,
        )?;
        let mut rows = Vec::new();
        for _ in 0..self.rounds {
            rows.push(Row {
                who: "brainmae",
                ms: ours.measure(self.steps)?,
                peak_mib: peak_rss_mib(),
            });
            if let Some(file) = &self.reference {
                rows.push(self.peer(file, batch)?);
            }
        }
        let data = DataShape {
            n_rois: N_ROIS,
            segment_len_trs: ours.segment_len_trs(),
        };
        let training = self.work == Work::Training;
        let flop = work::forward_flop(&config, data, batch, ours.segments(), training)
            * if training { 3.0 } else { 1.0 };
        let waited = ours.waited_ms_per_step();
        drop(ours);
        let ceiling = Ceiling::measure(self.device, self.threads)?;
        let measured = self.summary(&rows, batch, flop, &ceiling);
        println!(
            "a step of {}, {} {}, batch {batch}, {} threads, {}",
            word(&self.work),
            word(&self.size),
            word(&self.tse),
            self.threads,
            self.device
        );
        println!(
            "{:<12}{:>12}{:>12}{:>12}{:>12}",
            "who", "ms per step", "samples/s", "GFLOP/s", "peak MiB"
        );
        for row in &rows {
            println!(
                "{:<12}{:>12.0}{:>12.1}{:>12.0}{:>12}",
                row.who,
                row.ms,
                batch as f64 / row.ms * 1e3,
                flop / row.ms / 1e6,
                row.peak_mib.map_or("–".into(), |mib| format!("{mib:.0}")),
            );
        }
        println!("waited for batches: {waited:.1} ms per step");
        println!(
            "the best step does {:.0} % of the {:.0} GFLOP/s of a large product; a copy moves {:.1} GB/s",
            100.0 * measured["fraction_of_product"].as_f64().unwrap_or(0.0),
            ceiling.gflop_per_s,
            ceiling.gb_per_s
        );
        if let Some(ratio) = measured["ratio"].as_f64() {
            println!("ratio of the best rounds: {ratio:.2}");
        }
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(&measured)?;
            std::fs::write(path, text).with_context(|| format!("cannot write {path:?}"))?;
        }
        Ok(())
    }

    /// Everything that was measured.
    fn summary(
        &self,
        rows: &[Row],
        batch: usize,
        flop: f64,
        ceiling: &Ceiling,
    ) -> serde_json::Value {
        let best = |who| {
            let mut of: Vec<f64> = rows.iter().filter(|r| r.who == who).map(|r| r.ms).collect();
            of.sort_by(f64::total_cmp);
            of.first().copied()
        };
        let (ours, peer) = (best("brainmae"), best("reference"));
        let achieved = ours.map(|ms| flop / ms / 1e6);
        let list: Vec<serde_json::Value> = rows
            .iter()
            .map(|row| {
                serde_json::json!({"who": row.who, "ms_per_step": row.ms, "peak_mib": row.peak_mib})
            })
            .collect();
        serde_json::json!({
            "work": word(&self.work),
            "size": word(&self.size),
            "tse": word(&self.tse),
            "batch": batch,
            "threads": self.threads,
            "device": self.device.to_string(),
            "rows": list,
            "gflop_per_step": flop / 1e9,
            "gflop_per_s": achieved,
            "product_gflop_per_s": ceiling.gflop_per_s,
            "copy_gb_per_s": ceiling.gb_per_s,
            "fraction_of_product": achieved.map(|achieved| achieved / ceiling.gflop_per_s),
            "ratio": ours.zip(peer).map(|(ours, peer)| ours / peer),
        })
    }

    /// One round of the peer's.
    fn peer(&self, file: &Path, batch: usize) -> Result<Row> {
        let mut command = Command::new(&self.python);
        command
            .arg(file)
            .args(["--size", &word(&self.size), "--tse", &word(&self.tse)])
            .args(["--batch", &batch.to_string()])
            .args(["--threads", &self.threads.to_string()])
            .args(["--steps", &self.steps.to_string(), "--warmup", "1"])
            // Ours alone: the peer's threads do as they would by themselves.
            .env_remove("OMP_WAIT_POLICY");
        if self.work == Work::Inference {
            command.arg("--infer");
        }
        let output =
            (command.output()).with_context(|| format!("cannot start {:?}", self.python))?;
        if !output.status.success() {
            bail!(
                "the peer failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let line: serde_json::Value =
            serde_json::from_slice(&output.stdout).context("the peer printed no JSON line")?;
        Ok(Row {
            who: "reference",
            ms: line["ms_per_step"]
                .as_f64()
                .context("no ms_per_step from the peer")?,
            peak_mib: line["peak_rss_mib"].as_f64(),
        })
    }
}

/// One round.
struct Row {
    who: &'static str,
    ms: f64,
    peak_mib: Option<f64>,
}

/// The word for a value on the command line.
fn word(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map_or(String::new(), |value| value.get_name().to_string())
}
