//! Command `bench step`: time and memory of one training step, in comparison with a peer in the
//! same run.

mod case;
mod ceiling;
mod measurement;
mod ours;
mod work;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use brainmae_machine::device::libtorch_version;
use brainmae_machine::libtorch;
use brainmae_model::DataShape;
use clap::Args;

pub use self::case::{Case, Size, Tse, Work, word};
#[cfg(test)]
pub use self::measurement::tests::example;
pub use self::measurement::{Measurement, OURS, PEER};

use self::ceiling::Ceiling;
use self::measurement::Row;
use self::ours::{N_ROIS, Step};
use self::work::StepWork;
use super::{gpu, peak_rss_mib};

/// File name that means stdout.
pub const STDOUT: &str = "-";

/// A step of pretraining: fresh mask, forward, backward, clip, AdamW; data are random.
#[derive(Args)]
pub struct StepBench {
    #[command(flatten)]
    case: Case,
    /// Steps measured in each round.
    #[arg(long, default_value_t = 3)]
    steps: u64,
    /// Rounds; ours and the peer's take turns.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Read the training scans from disk for every batch, as for data larger than memory.
    #[arg(long)]
    on_disk: bool,
    /// Threads of both.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// A Python program that times the peer's step and prints a JSON line with ms_per_step and
    /// peak_rss_mib.
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Write what was measured as JSON too; with `-`, to stdout instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The Python to run it with.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
}

impl StepBench {
    /// Measures, and prints the table.
    ///
    /// # Errors
    /// Errors of the device, or of the peer's program.
    pub fn run(self) -> Result<()> {
        self.case.device.provide(self.case.precision)?;
        let measured = self.measure()?;
        let json = serde_json::to_string_pretty(&measured)?;
        match &self.json {
            Some(path) if path == Path::new(STDOUT) => println!("{json}"),
            Some(path) => {
                println!("{measured}");
                std::fs::write(path, json).with_context(|| format!("cannot write {path:?}"))?;
            }
            None => println!("{measured}"),
        }
        Ok(())
    }

    fn measure(&self) -> Result<Measurement> {
        let gpu_used_mib = || self.case.gpu().and_then(gpu::used_mib);
        let used_before = gpu_used_mib();
        let mut ours = Step::new(&self.case, self.threads, self.on_disk)?;
        let mut rows = Vec::new();
        for _ in 0..self.rounds {
            rows.push(Row {
                who: OURS.to_string(),
                ms_per_step: ours.measure(self.steps)?,
                peak_mib: peak_rss_mib(),
                peak_gpu_mib: gpu_used_mib()
                    .zip(used_before)
                    .map(|(now, before)| now - before),
            });
            if let Some(file) = &self.reference {
                rows.push(self.peer(file)?);
            }
        }
        let data = DataShape {
            n_rois: N_ROIS,
            segment_len_trs: ours.segment_len_trs(),
        };
        let case = self.case;
        let work = StepWork::of(
            &case.config(),
            data,
            case.batch(),
            ours.segments(),
            case.trains(),
            case.precision,
        );
        let waited_ms_per_step = ours.waited_ms_per_step();
        drop(ours);
        let ceiling = Ceiling::measure(case.device, case.precision, self.threads)?;
        let measured = Measurement::new(case, self.threads, rows, work, ceiling)
            .context("no round was measured")?;
        let linked = libtorch_version(case.device);
        Ok(Measurement {
            libtorch: linked.map(|linked| match libtorch::named_version() {
                Some(named) => named.to_string(),
                None => linked.to_string(),
            }),
            waited_ms_per_step,
            ..measured
        })
    }

    /// One round of the peer.
    fn peer(&self, file: &Path) -> Result<Row> {
        let case = &self.case;
        let mut command = Command::new(&self.python);
        command
            .arg(file)
            .args(["--size", &word(&case.size), "--tse", &word(&case.tse)])
            .args(["--batch", &case.batch().to_string()])
            .args(["--threads", &self.threads.to_string()])
            .args(["--steps", &self.steps.to_string(), "--warmup", "1"])
            // This variable is for our program only: the peer's threads use their own default.
            .env_remove("OMP_WAIT_POLICY");
        command.args(["--dtype", &case.precision.to_string()]);
        if !case.trains() {
            command.arg("--infer");
        }
        if let Some(index) = case.gpu() {
            command.args(["--device", &format!("cuda:{index}"), "--compile"]);
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
            who: PEER.to_string(),
            ms_per_step: line["ms_per_step"]
                .as_f64()
                .context("no ms_per_step from the peer")?,
            peak_mib: line["peak_rss_mib"].as_f64(),
            peak_gpu_mib: line["peak_gpu_mib"].as_f64(),
        })
    }
}
