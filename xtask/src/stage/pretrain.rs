//! The pretraining stage: one variant of the model learns.

use std::time::Instant;

use anyhow::{Context, Result};
use brainmae_data::{ScanId, ScanStore};
use brainmae_encoder::{Checkpoint, WEIGHTS};
use brainmae_model::DataShape;
use brainmae_pretrain::brainmae::{MaskedReconstruction, Setup};
use brainmae_pretrain::engine::{Progress, check_parts};
use brainmae_pretrain::world::share;
use brainmae_pretrain::{Engine, Outcome, Watch};
use brainmae_run::identity::sha256;
use brainmae_run::{Manifest, RunFolder, Seeds, Status};

use super::{Scans, fail, manifest, refusal};
use crate::experiment::{ExperimentConfig, Options};
use crate::interrupt;
use crate::progress::Steps;
use crate::workspace;

/// What a pretraining run is.
///
/// # Errors
/// If the config cannot be written as JSON.
pub fn identify(
    experiment: &str,
    variant: &str,
    config: &ExperimentConfig,
    scans: &Scans,
    options: &Options,
) -> Result<Manifest> {
    let what = serde_json::json!({
        "segments": config.segments,
        "model": config.model,
        "mask": config.mask,
        "train": config.train,
    });
    let stage = format!("pretrain-{variant}");
    let mut inputs = scans.inputs();
    if let Some(path) = &options.ckpt {
        let weights = brainmae_run::Checkpoint::open(path)?.read(WEIGHTS)?;
        inputs.insert("ckpt".to_string(), sha256(&weights));
    }
    let device = &options.device;
    Ok(manifest(
        experiment,
        &stage,
        what,
        inputs,
        config.seed,
        device,
    ))
}

/// What the data decide about the model.
pub fn data_shape(scans: &Scans) -> DataShape {
    DataShape {
        n_rois: scans.dataset.atlas().n_rois(),
        segment_len_trs: scans.layout.segment_len_trs,
    }
}

/// Trains a variant, or finds it trained. Returns its folder, and nothing if it was asked to stop before the end.
///
/// # Errors
/// From data, model, training or files.
pub fn pretrain(
    experiment: &str,
    variant: &str,
    config: &ExperimentConfig,
    scans: &Scans,
    options: &Options,
) -> Result<Option<RunFolder>> {
    let manifest = identify(experiment, variant, config, scans, options)?;
    let _span = tracing::info_span!("stage", name = manifest.stage).entered();
    // What a checkpoint is refused for is known before there is a run folder.
    let start = options.ckpt.as_deref().map(Checkpoint::open).transpose()?;
    if let Some(start) = &start {
        let hint =
            "start from a checkpoint trained on this split's training side, or leave --ckpt out";
        let (dataset, layout) = (&scans.dataset, &scans.layout);
        start
            .check_start(&config.model, dataset, layout, &scans.split)
            .map_err(|error| refusal::checkpoint(error, hint))?;
    }
    let mut run = options.open(manifest)?;
    if run.found() == Some(&Status::Finished) {
        tracing::info!("finished already: {}", workspace::shown(run.path()));
        return Ok(Some(run));
    }
    match train(&run, config, scans, start.as_ref(), options) {
        Ok(Outcome::Finished) => {
            run.set_status(Status::Finished, None)?;
            Ok(Some(run))
        }
        Ok(Outcome::Interrupted { step }) => {
            run.set_status(Status::Interrupted, None)?;
            tracing::warn!(step, "stopped and saved; run the same command to go on");
            Ok(None)
        }
        Err(error) => Err(fail(&mut run, error)),
    }
}

/// Checks every setting of a variant, before anything is trained.
///
/// # Errors
/// Names the first setting that makes no sense.
pub fn check(config: &ExperimentConfig, scans: &Scans, options: &Options) -> Result<()> {
    let n_devices = options.device.count()? * options.processes.world()?.size();
    let of_train = |error| refusal::training("train", error);
    check_parts(config.train.parts, n_devices).map_err(of_train)?;
    config.data.budget()?;
    config.model.check(data_shape(scans))?;
    config.train.check().map_err(of_train)?;
    let of_mask = |error| refusal::training("mask", error);
    config.mask.check().map_err(of_mask)
}

fn train(
    run: &RunFolder,
    config: &ExperimentConfig,
    scans: &Scans,
    start: Option<&Checkpoint>,
    options: &Options,
) -> Result<Outcome> {
    let objective = objective(config, scans, start, options)?;
    let device = options.device.open()?.autodiff();
    let (dataset, layout) = (&scans.dataset, &scans.layout);
    let model = match start {
        Some(start) => start.start(&config.model, dataset, layout, &scans.split, &device)?,
        None => {
            let rng = &mut Seeds::new(config.seed).stream("weights");
            config.model.init(data_shape(scans), rng, &device)?
        }
    };
    let model = model.with_precision(config.train.precision);
    let parameters = burn::module::Module::num_params(&model);
    tracing::info!(
        parameters,
        steps = config.train.steps,
        "training in {}",
        workspace::shown(run.path())
    );

    let mut steps = Steps::new(&run.manifest().stage, config.train.steps);
    let mut progress = |at: Progress| {
        let validation = at
            .validation
            .map_or(String::new(), |v| format!(", validation {v:.4}"));
        steps.begin_after(at.resumed);
        steps.set(at.step, format!("loss {:.4}{validation}", at.loss));
    };
    let mut watch = Watch {
        stop: interrupt::stop_flag(),
        progress: &mut progress,
        workers: &options.device.workers(options.threads)?,
        world: options.processes.world()?,
    };
    let started = Instant::now();
    let outcome = Engine::new(&config.train, &objective, run)?.train(model, &mut watch)?;
    tracing::info!(
        waited_secs = objective.waited().as_secs_f64(),
        total_secs = started.elapsed().as_secs_f64(),
        "waited for training batches"
    );
    Ok(outcome)
}

fn objective(
    config: &ExperimentConfig,
    scans: &Scans,
    start: Option<&Checkpoint>,
    options: &Options,
) -> Result<MaskedReconstruction> {
    let mut budget = config.data.budget()?;
    let mut load =
        |ids: &[ScanId]| ScanStore::load_within(&scans.dataset, ids, &scans.layout, &mut budget);
    let split = &scans.split;
    let training = load(&split.train)?;
    let (on_disk, total) = (training.n_on_disk(), training.len());
    if on_disk > 0 {
        tracing::info!("{on_disk} of {total} training scans stay on disk, see data.memory_gib");
    }
    let (dataset, layout) = (&scans.dataset, &scans.layout);
    let card = brainmae_encoder::card(&config.model, dataset, layout, split, &training, start)?;
    let setup = Setup {
        layout: scans.layout,
        mask: config.mask.clone(),
        seeds: Seeds::new(config.seed),
        batch_size: config.train.batch_size,
        parts: config.train.parts,
        own: share(options.processes.world()?, config.train.parts),
        card,
    };
    Ok(MaskedReconstruction::new(
        setup,
        training,
        load(&split.validation)?,
    )?)
}

/// The best checkpoint of a run.
///
/// # Errors
/// If there is none, or it cannot be read.
pub fn best(run: &RunFolder) -> Result<Checkpoint> {
    Checkpoint::find(&run.checkpoints(), "best")?
        .with_context(|| format!("no best checkpoint in {}", workspace::shown(run.path())))
}
