//! Data stage: raw files or a plan of synthetic ones become a prepared data set.

mod partitions;
mod preparing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use brainmae_data::{PreparedDataset, SplitFile};
use brainmae_machine::front::command;
use brainmae_machine::workspace;
use brainmae_run::{RunFolder, Seeds};
use brainmae_train::communicator::first_alone;

pub use preparing::{ingest_cohort, prepare_source, simulate, simulate_cohort};

use super::{Desk, Material, PlannedRun, Scans, Stage};
use crate::experiment::{Origin, Resolved, raw_place};
use preparing::prepare_release;

/// Name of the stage.
pub const NAME: &str = "data";

/// Preparation of an experiment's data.
struct Data<'a> {
    experiment: &'a Resolved,
}

/// Returns the data stage, with which every experiment begins.
///
/// # Errors
/// Never.
pub fn stages(experiment: &Resolved) -> Result<Vec<Box<dyn Stage + '_>>> {
    Ok(vec![Box::new(Data { experiment })])
}

impl Stage for Data<'_> {
    fn name(&self) -> String {
        NAME.to_string()
    }

    fn inputs(&self) -> Vec<String> {
        Vec::new()
    }

    fn cost(&self, desk: &Desk) -> Result<String> {
        let place = place(self.experiment, &desk.options.data)?;
        let place = workspace::shown(&place);
        Ok(match desk.found_material() {
            None => format!("to be prepared in {place}"),
            Some(material) if material.folds.is_empty() => {
                format!("{place}: {}", material.scans.sets())
            }
            Some(_) => place,
        })
    }

    fn open(&self, desk: &Desk) -> Result<()> {
        let place = place(self.experiment, &desk.options.data)?;
        if place.join("dataset.toml").exists() {
            desk.put(open(&place, self.experiment)?);
        }
        Ok(())
    }

    fn runs(&self, _desk: &Desk) -> Result<Vec<PlannedRun>> {
        Ok(Vec::new())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn run(&self, desk: &Desk) -> Result<Vec<RunFolder>> {
        let root = &desk.options.data;
        let communicator = desk.options.processes.communicator()?;
        desk.put(first_alone(communicator, || {
            prepared(self.experiment, root)
        })?);
        Ok(Vec::new())
    }
}

/// Default folder of prepared data sets.
pub fn default_root() -> PathBuf {
    workspace::work_folder().join("prepared")
}

/// Present or future folder of the data set of an experiment.
///
/// # Errors
/// If a folder has no name.
fn place(experiment: &Resolved, root: &Path) -> Result<PathBuf> {
    let origin = experiment.base.data.origin()?;
    origin.place(root, &experiment.files)
}

/// Opens the data of an experiment; prepares them if necessary.
///
/// # Errors
/// Errors of the data.
fn prepared(experiment: &Resolved, root: &Path) -> Result<Material> {
    let _span = tracing::info_span!("stage", name = "data").entered();
    let origin = experiment.base.data.origin()?;
    let place = origin.place(root, &experiment.files)?;
    let open_source = |source| experiment.files.open_source(source, root);
    let report = match &origin {
        Origin::Source(source) => Some(prepare_source(&open_source(source)?, &place, false)?),
        Origin::Release(source, recipe) => {
            Some(prepare_release(&open_source(source)?, &place, recipe)?)
        }
        Origin::Cohort(cohort, recipe) => {
            let raw = raw_place(cohort, &recipe.atlas.name, root)?;
            // The folder of a cohort appears only when it is complete.
            if !raw.exists() {
                simulate_cohort(cohort, &recipe.atlas.name, &raw)?;
            }
            Some(prepare_release(&raw, &place, recipe)?)
        }
        Origin::Planted(spec) => Some(simulate(spec, &place, false)?),
        Origin::Prepared(_) => {
            // The other sources compare checksums before they call a data set up to date.
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
            // Names of scans contain those of subjects, which must not reach a log.
            tracing::warn!(
                "{} scans are left out: `{} {}` says which and why",
                report.exclusions.len(),
                command("data list"),
                workspace::shown(&place)
            );
        }
    }
    open(&place, experiment)
}

/// Opens a prepared data set with its split and its folds.
///
/// # Errors
/// Errors of the data.
fn open(place: &Path, experiment: &Resolved) -> Result<Material> {
    let config = &experiment.base;
    let dataset = PreparedDataset::open(place)
        .with_context(|| format!("opening the prepared data set {}", workspace::shown(place)))?;
    let layout = config.segments.layout(dataset.dt_secs())?;
    let split = match &config.split_file {
        Some(choice) => {
            let path = experiment.files.find(&choice.path);
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
    let scans = Scans {
        dataset: Arc::new(dataset),
        split,
        layout,
    };
    let (mut folds, mut repeated) = (Vec::new(), Vec::new());
    if let Some(downstream) = &config.downstream {
        let (spec, repeats) = (&downstream.folds, downstream.repeats);
        folds = partitions::folds(spec, config.split_seed, &scans)?;
        repeated = partitions::further(spec, repeats, config.split_seed, &scans, &folds)?;
    }
    Ok(Material {
        scans,
        folds,
        repeated,
    })
}
