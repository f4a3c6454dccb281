//! Runs of an experiment, stage after stage; finished stages are not repeated.

use std::path::PathBuf;

use anyhow::{Result, bail};
use brainmae_machine::devices::Devices;
use brainmae_machine::processes::Processes;
use brainmae_machine::{interrupt, workspace};
use brainmae_model::Precision;
use brainmae_pretrain::world::first_alone;
use brainmae_run::{Manifest, RunFolder, Status};

use super::{ExperimentConfig, Resolved};
use crate::stage::{Graph, pretrain};

/// Options of a run besides the experiment: devices, processes, folders and resuming.
pub struct Options {
    /// Devices of all tensors.
    pub device: Devices,
    /// Processes that train together.
    pub processes: Processes,
    /// Folder of run folders.
    pub runs: PathBuf,
    /// Folder of the prepared data sets.
    pub data: PathBuf,
    /// Number of threads for the parts of a batch.
    pub threads: usize,
    /// Checkpoint with the initial weights of training.
    pub ckpt: Option<PathBuf>,
    /// Whether to fail if there is no unfinished run to resume.
    pub resume: bool,
    /// Whether to set unfinished runs aside and start again.
    pub restart: bool,
}

impl Options {
    /// Reads the manifest of a run from disk; `None` if the run was never started.
    ///
    /// # Errors
    /// If the manifest is damaged.
    pub fn found(&self, manifest: &Manifest) -> Result<Option<Manifest>> {
        let file = RunFolder::place(&self.runs, manifest).join("manifest.json");
        Ok(match file.exists() {
            true => Some(Manifest::read(&file)?),
            false => None,
        })
    }

    /// Opens the folder of a stage according to `--resume` and `--restart`; the other processes
    /// follow the first one into it.
    ///
    /// # Errors
    /// Errors of the run folder.
    pub fn open(&self, manifest: Manifest) -> Result<RunFolder> {
        let world = self.processes.world()?;
        first_alone(world, || match world.is_first() {
            true => self.open_first(manifest),
            false => Ok(RunFolder::follow(&self.runs, &manifest)?),
        })
    }

    fn open_first(&self, manifest: Manifest) -> Result<RunFolder> {
        if self.restart {
            let found = self.found(&manifest)?;
            let finished = found.is_some_and(|run| run.status == Status::Finished);
            if !finished && let Some(aside) = RunFolder::set_aside(&self.runs, &manifest)? {
                tracing::warn!(
                    "the unfinished run was moved to {}",
                    workspace::shown(&aside)
                );
            }
        }
        let versions = manifest.versions.clone();
        let run = RunFolder::open(&self.runs, manifest)?;
        let found = run.manifest();
        if found.versions != versions || !found.earlier_versions.is_empty() {
            let place = workspace::shown(run.path());
            tracing::warn!(
                "{place} was made, or begun, by other code or on another kind of device than this; delete the folder to make it anew"
            );
        }
        Ok(run)
    }
}

/// Runs every stage of an experiment that is needed and not finished; prints the table of results
/// and the path of the report.
///
/// # Errors
/// Errors of the stages.
pub fn run(experiment: &Resolved, options: &Options) -> Result<()> {
    let graph = Graph::of(experiment)?;
    begin(&experiment.variants, options)?;
    let _span = tracing::info_span!("experiment", name = experiment.name).entered();
    graph.run(options).map(|_| ())
}

/// Trains one variant; prints the folder of its best checkpoint.
///
/// # Errors
/// Errors of the stage, or if there is no such variant.
pub fn pretrain_one(experiment: &Resolved, variant: &str, options: &Options) -> Result<()> {
    let Some(at) = experiment
        .variants
        .iter()
        .position(|(name, _)| name == variant)
    else {
        let known: Vec<&String> = experiment.variants.iter().map(|(name, _)| name).collect();
        bail!(
            "experiment {} has no variant {variant:?}\nhint: its variants are {known:?}",
            experiment.name
        );
    };
    let graph = Graph::of_training(experiment, &[variant])?;
    begin(&experiment.variants[at..=at], options)?;
    let is_first = options.processes.world()?.is_first();
    let desk = graph.run(options)?;
    if is_first {
        let run = desk.run_of(&pretrain::name(variant))?;
        println!("{}", workspace::shown(&run.checkpoints().join("best")));
    }
    Ok(())
}

/// Provides devices and processes, and installs the handlers of Ctrl-C.
fn begin(variants: &[(String, ExperimentConfig)], options: &Options) -> Result<()> {
    options
        .processes
        .provide(&options.device, precision(variants)?)?;
    interrupt::listen()
}

/// Precision that the device must support for all of these configs.
///
/// # Errors
/// If only some of them use tf32, because it applies to all computations of the program.
fn precision(variants: &[(String, ExperimentConfig)]) -> Result<Precision> {
    let all: Vec<Precision> = variants.iter().map(|(_, c)| c.train.precision).collect();
    let with = |precision| all.iter().filter(|one| **one == precision).count();
    match with(Precision::Tf32) {
        0 if with(Precision::Bf16) > 0 => Ok(Precision::Bf16),
        0 => Ok(Precision::F32),
        n if n == all.len() => Ok(Precision::Tf32),
        _ => bail!(
            "train.precision is tf32 for some variants, and {all:?} for all; tf32 is set for the whole program\nhint: make it one experiment for tf32 and one for the others"
        ),
    }
}
