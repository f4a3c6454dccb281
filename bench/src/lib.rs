//! Benchmarks: speed and memory, as ratios measured side by side in one run.
//!
//! This crate is the subcommand `bench` of `brainmae` and of `cargo xtask`. It knows no experiment
//! and no stage.

mod all;
mod fc;
mod gpu;
mod ingest;
mod linear;
pub mod pack;
mod side_by_side;
mod step;

use anyhow::Result;
use brainmae_run::Seeds;
use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub enum Bench {
    /// A step of pretraining: fresh mask, forward, backward, clip, AdamW; data are random.
    Step(step::StepBench),
    /// Steps of every size, encoder, work and device, each in a process of its own; leaves
    /// bench.json and bench.md.
    All(all::AllBench),
    /// Reading raw files: CIFTI and compressed NIfTI to ROI means, a whole cohort, batches from
    /// disk.
    Ingest(ingest::IngestBench),
    /// Functional connectivity of a cohort in memory, beside numpy.
    Fc(fc::FcBench),
    /// Logistic and ridge regression of features in memory, beside scikit-learn.
    Linear(linear::LinearBench),
}

impl Bench {
    /// Runs the benchmark, and prints its results.
    ///
    /// # Errors
    /// Errors of the benchmark.
    pub fn run(self) -> Result<()> {
        match self {
            Bench::Step(step) => step.run(),
            Bench::All(all) => all.run(),
            Bench::Ingest(ingest) => ingest.run(),
            Bench::Fc(fc) => fc.run(),
            Bench::Linear(linear) => linear.run(),
        }
    }
}

/// Streams of random numbers for planted scans and simulated releases.
fn streams(seed: u64, name: &str) -> Box<dyn rand::Rng> {
    Box::new(Seeds::new(seed).stream(name))
}

/// Peak resident memory of this process in MiB; `None` if the system does not report it.
fn peak_rss_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
