//! Benchmarks: speed and memory, as ratios measured side by side in one run.
//!
//! This crate is the subcommand `bench` of `brainmae` and of `cargo xtask`. It knows no experiment
//! and no stage.

mod all;
mod baselines;
mod fc;
mod gpu;
mod ingest;
mod linear;
pub mod pack;
mod scale;
mod side_by_side;
mod step;

use anyhow::Result;
use brainmae_machine::usage::peak_mib as peak_rss_mib;
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
    /// How time grows with ROIs, volumes and scans, with exponents; what UK Biobank would take.
    Scale(scale::ScaleBench),
    /// Training steps and predictions of the neural baselines, beside PyTorch.
    Baselines(baselines::BaselinesBench),
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
            Bench::Scale(scale) => scale.run(),
            Bench::Baselines(baselines) => baselines.run(),
            Bench::Linear(linear) => linear.run(),
        }
    }
}

/// Streams of random numbers for planted scans and simulated releases.
fn streams(seed: u64, name: &str) -> Box<dyn rand::Rng> {
    Box::new(Seeds::new(seed).stream(name))
}
