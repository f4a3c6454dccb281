//! Training of one pretraining run.

use anyhow::Result;
use brainmae_data::{ScanId, ScanStore};
use brainmae_encoder::Checkpoint;
use brainmae_machine::progress::Steps;
use brainmae_machine::{interrupt, workspace};
use brainmae_pretrain::{Setup, Work};
use brainmae_run::{RunFolder, Seeds};
use brainmae_train::communicator::share;
use brainmae_train::{Outcome, Progress, Watch};

use crate::experiment::{Options, Variant};
use crate::stage::Scans;

/// Trains from random weights, from a checkpoint's weights, or from the last state of the run.
///
/// # Errors
/// Errors of data, model, training or files.
pub(super) fn train(
    run: &RunFolder,
    variant: &Variant,
    scans: &Scans,
    start: Option<&Checkpoint>,
    options: &Options,
) -> Result<Outcome> {
    let work = work(run, variant, scans, start, options)?;
    tracing::info!("training in {}", workspace::shown(run.path()));
    let mut steps = Steps::new(&run.manifest().stage, variant.config.train.steps);
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
    Ok(variant.model.train(work, &mut watch)?)
}

fn work<'a>(
    run: &'a RunFolder,
    variant: &Variant,
    scans: &'a Scans,
    start: Option<&'a Checkpoint>,
    options: &Options,
) -> Result<Work<'a>> {
    let config = &variant.config;
    let mut budget = config.data.budget()?;
    let mut load =
        |ids: &[ScanId]| ScanStore::load_within(&scans.dataset, ids, &scans.layout, &mut budget);
    let split = &scans.split;
    let training = load(&split.train)?;
    let (on_disk, total) = (training.n_on_disk(), training.len());
    if on_disk > 0 {
        tracing::info!("{on_disk} of {total} training scans stay on disk, see data.memory_gib");
    }
    let (dataset, layout, model) = (&scans.dataset, &scans.layout, variant.model.model());
    let card = brainmae_encoder::card(model, dataset, layout, split, &training, start)?;
    Ok(Work {
        setup: Setup {
            layout: scans.layout,
            seeds: Seeds::new(config.seed),
            batch_size: config.train.batch_size,
            parts: config.train.parts,
            own: share(options.processes.communicator()?, config.train.parts),
            card,
        },
        training,
        validation: load(&split.validation)?,
        dataset,
        split,
        start,
        plan: config.train.plan()?,
        precision: config.train.precision,
        run,
        device: options.device.open()?.autodiff(),
        memory: options.device.memory(),
    })
}
