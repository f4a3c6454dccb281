//! Training of one pretraining run.

use std::time::Instant;

use anyhow::Result;
use brainmae_data::{ScanId, ScanStore};
use brainmae_encoder::Checkpoint;
use brainmae_machine::progress::Steps;
use brainmae_machine::{interrupt, workspace};
use brainmae_pretrain::brainmae::{MaskedReconstruction, Setup};
use brainmae_run::{RunFolder, Seeds};
use brainmae_train::communicator::share;
use brainmae_train::{Keep, Outcome, Progress, Trainer, Watch};

use super::data_shape;
use crate::experiment::{ExperimentConfig, Options};
use crate::stage::Scans;

/// Trains from random weights, from a checkpoint's weights, or from the last state of the run.
///
/// # Errors
/// Errors of data, model, training or files.
pub(super) fn train(
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
        communicator: options.processes.communicator()?,
    };
    let started = Instant::now();
    let plan = config.train.plan()?;
    let trained = Trainer::new(&plan, &objective, Keep::Run(run)).train(model, &mut watch)?;
    tracing::info!(
        waited_secs = objective.waited().as_secs_f64(),
        total_secs = started.elapsed().as_secs_f64(),
        "waited for training batches"
    );
    Ok(trained.outcome)
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
        own: share(options.processes.communicator()?, config.train.parts),
        card,
    };
    Ok(MaskedReconstruction::new(
        setup,
        training,
        load(&split.validation)?,
    )?)
}
