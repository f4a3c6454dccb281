//! The data stage: raw files or a plan of synthetic ones become a prepared data set.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use brainmae_atlas::builtin;
use brainmae_data::ingest::{IngestSpec, ingest_folder};
use brainmae_data::{
    PrepareOptions, PrepareReport, PreparedDataset, Progress, SplitFile, Step, prepare_recipe,
};
use brainmae_run::Seeds;
use brainmae_simulate::cohort::{self, CohortReport, CohortSpec};
use brainmae_simulate::{PlantedSpec, prepare_planted};

use super::Scans;
use crate::experiment::{ExperimentConfig, Origin, raw_place};
use crate::progress::Steps;
use crate::{interrupt, workspace};

/// Where prepared data sets lie when nothing else is said.
pub fn default_root() -> PathBuf {
    workspace::root().join("prepared")
}

/// Prepares the raw data set in `source`, at `out`.
///
/// # Errors
/// From the data.
pub fn prepare_source(source: &Path, out: &Path, overwrite: bool) -> Result<PrepareReport> {
    let (options, mut show) = (replacing(overwrite), shower("preparing"));
    prepare_recipe(source, out, &streams, &options, &mut show)
        .with_context(|| format!("preparing {}", workspace::shown(source)))
}

/// Prepares the scans that `spec` finds in `source`, at `out`.
///
/// # Errors
/// From the data.
pub fn ingest_cohort(
    source: &Path,
    out: &Path,
    spec: &IngestSpec,
    options: &PrepareOptions,
) -> Result<PrepareReport> {
    let mut show = shower("reading scans");
    ingest_folder(source, out, spec, options, &mut show)
        .with_context(|| format!("preparing {}", workspace::shown(source)))
}

/// Prepares a release as an experiment's recipe says, whose relative paths are within `source`.
fn prepare_release(source: &Path, out: &Path, recipe: &IngestSpec) -> Result<PrepareReport> {
    let spec = recipe.clone().within(source);
    spec.check()?;
    let report = ingest_cohort(source, out, &spec, &PrepareOptions::default())?;
    if !report.failures.is_empty() {
        tracing::warn!(
            "{} scans could not be read: `cargo xtask data list {}` says why",
            report.failures.len(),
            workspace::shown(out)
        );
    }
    Ok(report)
}

/// Writes the synthetic data set of `spec` at `out`.
///
/// # Errors
/// From the data.
pub fn simulate(spec: &PlantedSpec, out: &Path, overwrite: bool) -> Result<PrepareReport> {
    let (options, mut show) = (replacing(overwrite), shower("simulating"));
    prepare_planted(spec, out, &streams, &options, &mut show).context("simulating scans")
}

/// Writes a cohort as a release has it on disk, at `out`.
///
/// # Errors
/// From the data.
pub fn simulate_cohort(spec: &CohortSpec, atlas: &str, out: &Path) -> Result<CohortReport> {
    let labels = builtin::surface_labels(atlas)?;
    let atlas = builtin::atlas(atlas)?;
    let mut show = shower("simulating");
    let report = cohort::simulate_cohort(spec, &atlas, &labels, out, &streams, &mut show);
    report.context("simulating a cohort")
}

/// The streams of random numbers that crates ask for.
fn streams(seed: u64, name: &str) -> Box<dyn rand::Rng> {
    Box::new(Seeds::new(seed).stream(name))
}

fn replacing(overwrite: bool) -> PrepareOptions {
    PrepareOptions {
        overwrite,
        ..PrepareOptions::default()
    }
}

/// Shows how far a step is.
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
        // Finished scans are kept: the next call goes on from here.
        interrupt::exit_if_asked();
        ControlFlow::Continue(())
    }
}

/// Where the data set of an experiment lies, or will lie.
pub fn place(config: &ExperimentConfig, root: &Path) -> Result<PathBuf> {
    config.data.origin()?.place(root)
}

/// The scans of an experiment, prepared if they are not yet.
///
/// # Errors
/// From the data.
pub fn scans(config: &ExperimentConfig, root: &Path) -> Result<Scans> {
    let _span = tracing::info_span!("stage", name = "data").entered();
    let origin = config.data.origin()?;
    let place = origin.place(root)?;
    let report = match &origin {
        Origin::Source(source) => Some(prepare_source(source, &place, false)?),
        Origin::Release(source, recipe) => Some(prepare_release(source, &place, recipe)?),
        Origin::Cohort(cohort, recipe) => {
            let raw = raw_place(cohort, &recipe.atlas.name, root)?;
            // A cohort appears at its place when it is whole.
            if !raw.exists() {
                simulate_cohort(cohort, &recipe.atlas.name, &raw)?;
            }
            Some(prepare_release(&raw, &place, recipe)?)
        }
        Origin::Planted(spec) => Some(simulate(spec, &place, false)?),
        Origin::Prepared(_) => {
            // The others compare checksums too before they call a data set up to date.
            PreparedDataset::open(&place)?.verify()?;
            None
        }
    };
    if let Some(report) = report {
        let state = if report.up_to_date {
            "is there"
        } else {
            "prepared"
        };
        tracing::info!(
            scans = report.included,
            rois = report.n_rois,
            "data set {} {state}",
            report.name
        );
        if !report.exclusions.is_empty() {
            // Names of scans hold those of subjects, which must not reach a log.
            tracing::warn!(
                "{} scans are left out: `cargo xtask data list {}` says which and why",
                report.exclusions.len(),
                workspace::shown(&place)
            );
        }
    }
    open(&place, config)
}

/// A prepared data set with its split.
///
/// # Errors
/// From the data.
pub fn open(place: &Path, config: &ExperimentConfig) -> Result<Scans> {
    let dataset = PreparedDataset::open(place)
        .with_context(|| format!("opening the prepared data set {}", workspace::shown(place)))?;
    let layout = config.segments.layout(dataset.dt_secs())?;
    let split = match &config.split_file {
        Some(choice) => {
            let path = workspace::root().join(&choice.path);
            let file = SplitFile::read(&path, &dataset)?;
            let n_folds = file.splits().len();
            let split = choice
                .fold
                .checked_sub(1)
                .and_then(|at| file.splits().get(at));
            split.cloned().with_context(|| {
                format!(
                    "split_file.fold is {}, expected 1 to {n_folds}",
                    choice.fold
                )
            })?
        }
        None => {
            let rng = &mut Seeds::new(config.split_seed).stream("split");
            config.split.draw(&dataset, rng)?
        }
    };
    split.check(&dataset)?;
    Ok(Scans {
        dataset: Arc::new(dataset),
        split,
        layout,
    })
}
