//! Running an experiment, stage after stage; what is finished is not done again.

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

/// How to run, beside what to run.
pub struct Options {
    /// Devices of all tensors.
    pub device: Devices,
    /// Processes that train together.
    pub processes: Processes,
    /// Folder of run folders.
    pub runs: PathBuf,
    /// Folder of prepared data sets.
    pub data: PathBuf,
    /// Threads that a batch is spread over.
    pub threads: usize,
    /// A checkpoint whose weights training starts from.
    pub ckpt: Option<PathBuf>,
    /// Fail unless there is an unfinished run to go on with.
    pub resume: bool,
    /// Set unfinished runs aside and start anew.
    pub restart: bool,
}

impl Options {
    /// What the manifest on disk says of a run; nothing if it was never started.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn found(&self, manifest: &Manifest) -> Result<Option<Manifest>> {
        let file = RunFolder::place(&self.runs, manifest).join("manifest.json");
        Ok(match file.exists() {
            true => Some(Manifest::read(&file)?),
            false => None,
        })
    }

    /// Opens the folder of a stage, as `--resume` and `--restart` ask; the other processes follow
    /// the first into it.
    ///
    /// # Errors
    /// From the run folder.
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
/// and where the report is.
///
/// # Errors
/// From any stage.
pub fn run(experiment: &Resolved, options: &Options) -> Result<()> {
    let graph = Graph::of(experiment)?;
    begin(&experiment.variants, options)?;
    let _span = tracing::info_span!("experiment", name = experiment.name).entered();
    graph.run(options).map(|_| ())
}

/// Trains one variant; prints the folder of its best checkpoint.
///
/// # Errors
/// From the stage, or if there is no such variant.
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

/// Makes sure of devices and processes; listens to Ctrl-C.
fn begin(variants: &[(String, ExperimentConfig)], options: &Options) -> Result<()> {
    options
        .processes
        .provide(&options.device, precision(variants)?)?;
    interrupt::listen()
}

/// What the device must be able to do for all of these.
///
/// # Errors
/// If some, but not all, ask for tf32, which holds for everything that the program computes.
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
