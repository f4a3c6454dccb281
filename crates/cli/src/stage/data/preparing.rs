//! Preparation of data sets with progress: raw files, releases, planted scans and simulated
//! releases.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result};
use brainmae_atlas::builtin;
use brainmae_data::ingest::{IngestSpec, ingest_folder};
use brainmae_data::{PrepareOptions, PrepareReport, Progress, Step, prepare_recipe};
use brainmae_machine::front::command;
use brainmae_machine::progress::Steps;
use brainmae_machine::{interrupt, workspace};
use brainmae_run::Seeds;
use brainmae_simulate::cohort::{self, CohortReport, CohortSpec};
use brainmae_simulate::{PlantedSpec, prepare_planted};

use crate::stage::stopped;

/// Prepares the raw data set in `source`, at `out`.
///
/// # Errors
/// Errors of the data.
pub fn prepare_source(source: &Path, out: &Path, overwrite: bool) -> Result<PrepareReport> {
    let (options, mut show) = (replacing(overwrite), shower("preparing"));
    prepare_recipe(source, out, &streams, &options, &mut show)
        .map_err(stopped)
        .with_context(|| format!("preparing {}", workspace::shown(source)))
}

/// Prepares the scans that `spec` finds in `source`, at `out`.
///
/// # Errors
/// Errors of the data.
pub fn ingest_cohort(
    source: &Path,
    out: &Path,
    spec: &IngestSpec,
    options: &PrepareOptions,
) -> Result<PrepareReport> {
    let mut show = shower("reading scans");
    ingest_folder(source, out, spec, options, &mut show)
        .map_err(stopped)
        .with_context(|| format!("preparing {}", workspace::shown(source)))
}

/// Prepares a release according to an experiment's recipe, whose relative paths start at `source`.
pub(super) fn prepare_release(
    source: &Path,
    out: &Path,
    recipe: &IngestSpec,
) -> Result<PrepareReport> {
    let spec = recipe.clone().within(source);
    spec.check()?;
    let report = ingest_cohort(source, out, &spec, &PrepareOptions::default())?;
    if !report.failures.is_empty() {
        tracing::warn!(
            "{} scans could not be read: `{} {}` says why",
            report.failures.len(),
            command("data list"),
            workspace::shown(out)
        );
    }
    Ok(report)
}

/// Writes the synthetic data set of `spec` at `out`.
///
/// # Errors
/// Errors of the data.
pub fn simulate(spec: &PlantedSpec, out: &Path, overwrite: bool) -> Result<PrepareReport> {
    let (options, mut show) = (replacing(overwrite), shower("simulating"));
    prepare_planted(spec, out, &streams, &options, &mut show)
        .map_err(stopped)
        .context("simulating scans")
}

/// Writes a cohort to `out`, in the files of its release.
///
/// # Errors
/// Errors of the data.
pub fn simulate_cohort(spec: &CohortSpec, atlas: &str, out: &Path) -> Result<CohortReport> {
    let labels = builtin::surface_labels(atlas)?;
    let atlas = builtin::atlas(atlas)?;
    let mut show = shower("simulating");
    cohort::simulate_cohort(spec, &atlas, &labels, out, &streams, &mut show)
        .map_err(stopped)
        .context("simulating a cohort")
}

/// Streams of random numbers for the crates that need them.
fn streams(seed: u64, name: &str) -> Box<dyn rand::Rng> {
    Box::new(Seeds::new(seed).stream(name))
}

fn replacing(overwrite: bool) -> PrepareOptions {
    PrepareOptions {
        overwrite,
        ..PrepareOptions::default()
    }
}

/// Shows the progress of a step, and ends it if this process was asked to stop.
fn shower(name: &str) -> impl FnMut(Progress) -> ControlFlow<()> {
    let mut current: Option<(Step, Steps)> = None;
    move |at: Progress| {
        if current.as_ref().is_none_or(|(step, _)| *step != at.step) {
            let what = match at.step {
                Step::Verify => "checksums",
                Step::Assemble => "writing",
                _ => name,
            };
            current = Some((at.step, Steps::new(what, at.total as u64)));
        }
        if let Some((_, steps)) = &mut current {
            steps.set(at.done as u64, at.name.to_string());
        }
        // Finished scans are kept: the next call continues after them.
        interrupt::flow()
    }
}
