//! Running an experiment, stage after stage; what is finished is not done again.

use std::path::PathBuf;

use anyhow::{Result, bail};
use brainmae_machine::devices::Devices;
use brainmae_machine::interrupt::{self, Stopped};
use brainmae_machine::processes::{self, Processes};
use brainmae_machine::workspace;
use brainmae_model::Precision;
use brainmae_pretrain::world::first_alone;
use brainmae_run::{Manifest, RunFolder, Status};

use super::{ExperimentConfig, Resolved};
use crate::stage::downstream::{self, Design};
use crate::stage::{Scans, data, pretrain, reconstruct, report};

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
    /// How far the run of a manifest came; nothing if it was never started.
    ///
    /// # Errors
    /// If its own manifest is damaged.
    pub fn status_of(&self, manifest: &Manifest) -> Result<Option<Status>> {
        let file = RunFolder::place(&self.runs, manifest).join("manifest.json");
        Ok(match file.exists() {
            true => Some(Manifest::read(&file)?.status),
            false => None,
        })
    }

    /// Opens the folder of a stage, as `--resume` and `--restart` ask; the other processes follow the first into it.
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
            let finished = self.status_of(&manifest)? == Some(Status::Finished);
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

/// Runs every stage of an experiment and writes its report; prints the table of results and where the report is.
///
/// # Errors
/// From any stage.
pub fn run(experiment: &Resolved, options: &Options) -> Result<()> {
    let precision = precision(&experiment.variants)?;
    options.processes.provide(&options.device, precision)?;
    interrupt::listen()?;
    let world = options.processes.world()?;
    let _span = tracing::info_span!("experiment", name = experiment.name).entered();
    let scans = first_alone(world, || data::scans(experiment, &options.data))?;
    require_found(experiment, &experiment.variants, &scans, options)?;
    reconstruct::check(
        &experiment.base.reconstruction,
        scans.dataset.atlas().n_rois(),
    )?;
    for (_, config) in &experiment.variants {
        pretrain::check(config, &scans, options)?;
    }
    if experiment.base.downstream.is_some() {
        return run_downstream(experiment, &scans, options);
    }
    let mut trained = Vec::new();
    for (variant, config) in &experiment.variants {
        let Some(run) = pretrain::pretrain(&experiment.name, variant, config, &scans, options)?
        else {
            processes::part();
            return Err(Stopped.into());
        };
        trained.push(reconstruct::Trained {
            variant,
            config,
            run,
        });
    }
    // What comes now is the work of one process.
    processes::part();
    if !world.is_first() {
        return Ok(());
    }
    let run = reconstruct::reconstruct(experiment, &trained, &scans, options)?;
    drop(trained);
    let page = report::write(run.path())?;
    print!("{}", reconstruct::summary(run.path())?);
    println!("report: {}", workspace::shown(&page));
    Ok(())
}

/// Pretrains once for every fold, predicts, and prints the table.
fn run_downstream(experiment: &Resolved, scans: &Scans, options: &Options) -> Result<()> {
    let Some(run) = downstream::downstream(experiment, scans, options)? else {
        processes::part();
        return Err(Stopped.into());
    };
    let page = report::write(run.path())?;
    print!("{}", downstream::summary(&run)?);
    println!("report: {}", workspace::shown(&page));
    Ok(())
}

/// Trains one variant.
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
    let precision = precision(&experiment.variants[at..=at])?;
    options.processes.provide(&options.device, precision)?;
    interrupt::listen()?;
    let world = options.processes.world()?;
    let scans = first_alone(world, || data::scans(experiment, &options.data))?;
    require_found(experiment, &experiment.variants[at..=at], &scans, options)?;
    let (variant, config) = &experiment.variants[at];
    pretrain::check(config, &scans, options)?;
    match pretrain::pretrain(&experiment.name, variant, config, &scans, options)? {
        Some(run) if world.is_first() => {
            println!("{}", workspace::shown(&run.checkpoints().join("best")));
        }
        Some(_) => {}
        None => {
            processes::part();
            return Err(Stopped.into());
        }
    }
    Ok(())
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

/// With `--resume`: one of the stages has been started with this config.
fn require_found(
    experiment: &Resolved,
    variants: &[(String, ExperimentConfig)],
    scans: &Scans,
    options: &Options,
) -> Result<()> {
    if !options.resume {
        return Ok(());
    }
    let mut manifests = Vec::new();
    if experiment.base.downstream.is_some() {
        let design = Design::new(experiment, scans)?;
        manifests = design.pretraining(options)?;
        manifests.push(design.manifest(options)?);
    }
    for (variant, config) in variants {
        let name = &experiment.name;
        manifests.push(pretrain::identify(name, variant, config, scans, options)?);
    }
    for manifest in manifests {
        if options.status_of(&manifest)?.is_some() {
            return Ok(());
        }
    }
    bail!(
        "there is no run of {} with this config to resume in {}\nhint: leave --resume out to start it",
        experiment.name,
        workspace::shown(&options.runs)
    )
}

/// Prints what a run would do, without doing it.
///
/// # Errors
/// From data that are there already.
pub fn plan(experiment: &Resolved, options: &Options) -> Result<()> {
    let place = data::place(experiment, &options.data)?;
    println!("experiment {}", experiment.name);
    if !place.join("dataset.toml").exists() {
        println!(
            "  data           to be prepared in {}",
            workspace::shown(&place)
        );
        let folds = experiment.base.downstream.as_ref();
        let folds = folds.map(|config| format!(", for each of {} folds", config.folds.folds));
        for (variant, config) in &experiment.variants {
            println!(
                "  pretrain-{variant:<6}{} steps of {} samples{}",
                config.train.steps,
                config.train.batch_size,
                folds.as_deref().unwrap_or_default()
            );
        }
        let last = if folds.is_some() {
            "downstream"
        } else {
            "reconstruct"
        };
        println!("  {last:<15}to be done");
        return Ok(());
    }
    let base = &experiment.base;
    let scans = data::open(&place, experiment)?;
    if base.downstream.is_some() {
        return plan_downstream(experiment, &scans, options);
    }
    let [train, validation, test] = [
        &scans.split.train,
        &scans.split.validation,
        &scans.split.test,
    ]
    .map(Vec::len);
    println!(
        "  data           {}: {train} training, {validation} validation, {test} test scans",
        workspace::shown(&place)
    );
    let mut identities = Vec::new();
    for (variant, config) in &experiment.variants {
        let manifest = pretrain::identify(&experiment.name, variant, config, &scans, options)?;
        let steps = format!(
            "{} steps of {} samples",
            config.train.steps, config.train.batch_size
        );
        println!(
            "  {:<15}{}, {steps}",
            manifest.stage,
            state(&manifest, options)?
        );
        identities.push((variant.as_str(), manifest.identity.to_string()));
    }
    let manifest = reconstruct::identify(experiment, &identities, &scans, options)?;
    println!("  {:<15}{}", manifest.stage, state(&manifest, options)?);
    Ok(())
}

/// The folds of a downstream experiment, and how far each stage is.
fn plan_downstream(experiment: &Resolved, scans: &Scans, options: &Options) -> Result<()> {
    let design = Design::new(experiment, scans)?;
    let place = data::place(experiment, &options.data)?;
    println!("  data           {}", workspace::shown(&place));
    let pretraining = design.pretraining(options)?;
    for (at, split) in design.splits().enumerate() {
        let [train, validation, test] =
            [&split.train, &split.validation, &split.test].map(Vec::len);
        println!(
            "  fold {:<10}{train} training, {validation} validation, {test} test scans",
            at + 1
        );
        if let Some(manifest) = pretraining.get(at) {
            println!("    {:<13}{}", manifest.stage, state(manifest, options)?);
        }
    }
    let manifest = design.manifest(options)?;
    println!(
        "  {:<15}{}, {} models for {} targets",
        manifest.stage,
        state(&manifest, options)?,
        design.config.models.len(),
        design.config.targets.len()
    );
    Ok(())
}

fn state(manifest: &Manifest, options: &Options) -> Result<&'static str> {
    Ok(match options.status_of(manifest)? {
        None => "new",
        Some(Status::Finished) => "finished",
        Some(Status::Running | Status::Interrupted | Status::Failed) => "to be resumed",
    })
}
