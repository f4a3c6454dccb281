//! The pretraining stage: one variant of the model learns.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use brainmae_data::{ScanId, ScanStore, SplitUnit, SubjectId};
use brainmae_machine::progress::Steps;
use brainmae_machine::{interrupt, workspace};
use brainmae_model::{BrainMae, DataShape};
use brainmae_pretrain::brainmae::{MaskedReconstruction, Setup};
use brainmae_pretrain::engine::{Progress, WEIGHTS, check_parts, load_weights};
use brainmae_pretrain::world::share;
use brainmae_pretrain::{Engine, Outcome, Watch};
use brainmae_run::identity::sha256;
use brainmae_run::{Card, Checkpoint, Manifest, RunFolder, Seeds, Status};
use burn::tensor::Device;

use super::{Scans, fail, manifest};
use crate::experiment::{ExperimentConfig, Options};

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
        let weights = Checkpoint::open(path)?.read(WEIGHTS)?;
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
        start
            .card()
            .check_model("brainmae", &serde_json::to_value(&config.model)?)?;
        start.card().data.check(&scans.card())?;
        let split = &scans.split;
        let held_out: Vec<ScanId> = split
            .validation
            .iter()
            .chain(&split.test)
            .cloned()
            .collect();
        let hint =
            "start from a checkpoint trained on this split's training side, or leave --ckpt out";
        bar_seen(start.card(), scans, &held_out, hint)?;
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
    check_parts(config.train.parts, n_devices)?;
    config.data.budget()?;
    config.model.check(data_shape(scans))?;
    config.train.check()?;
    Ok(config.mask.check()?)
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
    let rng = &mut Seeds::new(config.seed).stream("weights");
    let model = config.model.init(data_shape(scans), rng, &device)?;
    let mut model = model.with_precision(config.train.precision);
    if let Some(start) = start {
        model = load_weights(model, start.path())?;
    }
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

/// Nobody whom a checkpoint has seen, and no one of their families, may be measured with it.
///
/// # Errors
/// Names the first of these scans that is of such a one.
pub fn bar_seen(card: &Card, scans: &Scans, held_out: &[ScanId], hint: &str) -> Result<()> {
    let split = &scans.split;
    let family = |subject: &SubjectId| {
        let mut records = scans.dataset.subjects().iter();
        records
            .find(|record| record.subject == *subject)
            .and_then(|record| record.family.clone())
    };
    let families: Vec<String> = card
        .pretraining_subjects
        .iter()
        .filter_map(|subject| family(&SubjectId::new(subject.as_str())))
        .collect();
    let held_out: BTreeSet<&ScanId> = held_out.iter().collect();
    for scan in (scans.dataset.included()).filter(|scan| held_out.contains(&scan.scan)) {
        let seen = match split.unit {
            SplitUnit::Subject => {
                card.pretraining_subjects
                    .contains(&scan.subject.to_string())
                    || family(&scan.subject).is_some_and(|family| families.contains(&family))
            }
            SplitUnit::Scan => card.pretraining_scans.contains(&scan.scan.to_string()),
        };
        ensure!(
            !seen,
            "the checkpoint was trained on scan {}, on its subject or on a relative, who is held out in this split\nhint: {hint}",
            scan.scan
        );
    }
    Ok(())
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
    let mut card = Card {
        model: "brainmae".to_string(),
        model_config: serde_json::to_value(&config.model)?,
        step: 0,
        data: scans.card(),
        split_sha256: split.hash(),
        pretraining_subjects: split.train_subjects.iter().map(|s| s.to_string()).collect(),
        pretraining_scans: training
            .scans()
            .iter()
            .map(|s| s.scan.to_string())
            .collect(),
    };
    if let Some(start) = start {
        // What the starting weights have seen, these weights have seen.
        for (mine, theirs) in [
            (
                &mut card.pretraining_subjects,
                &start.card().pretraining_subjects,
            ),
            (&mut card.pretraining_scans, &start.card().pretraining_scans),
        ] {
            mine.extend(theirs.iter().cloned());
            mine.sort();
            mine.dedup();
        }
    }
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

/// The model of a run's best checkpoint, without gradients, checked against the data it is to be used on.
///
/// # Errors
/// If there is no checkpoint, or it belongs to another atlas, dt or model.
pub fn best_model(
    run: &RunFolder,
    config: &ExperimentConfig,
    scans: &Scans,
    device: &Device,
) -> Result<BrainMae> {
    let checkpoint = Checkpoint::find(&run.checkpoints(), "best")?
        .with_context(|| format!("no best checkpoint in {}", workspace::shown(run.path())))?;
    model_of(&checkpoint, config, scans, device)
}

/// The model of a checkpoint, without gradients, checked against the data it is to be used on.
///
/// # Errors
/// If it belongs to another atlas, dt or model.
pub fn model_of(
    checkpoint: &Checkpoint,
    config: &ExperimentConfig,
    scans: &Scans,
    device: &Device,
) -> Result<BrainMae> {
    checkpoint.card().data.check(&scans.card())?;
    let rng = &mut Seeds::new(config.seed).stream("weights");
    let model = config.model.init(data_shape(scans), rng, device)?;
    Ok(load_weights(model, checkpoint.path())?)
}
