//! Pretraining stage: one variant of the model learns, on the split of the experiment or on each of
//! its folds.

mod training;

use anyhow::{Context, Result};
use brainmae_encoder::{Checkpoint, EncoderModel, WEIGHTS};
use brainmae_files::sha256_bytes;
use brainmae_machine::interrupt::Stopped;
use brainmae_machine::{processes, workspace};
use brainmae_model::{BrainMae, DataShape};
use brainmae_run::{Manifest, RunFolder, Status};
use brainmae_train::{Outcome, TrainError, check_parts};

use super::{Desk, PlannedRun, Scans, Stage, data, fail, manifest, refusal};
use crate::experiment::{Design, Options, Resolved, Variant};
use serde_json::Value;
use training::train;

/// Pretraining of one variant.
pub struct Pretrain<'a> {
    experiment: &'a Resolved,
    variant: &'a Variant,
    /// Number of folds if the variant learns on each of them; `None` if it learns on the split.
    folds: Option<usize>,
}

/// Returns the stages of all variants. If targets are predicted, there is only the variant that
/// predicts, on each fold, and only if it is pretrained there.
///
/// # Errors
/// If there is no such variant.
pub fn stages(experiment: &Resolved) -> Result<Vec<Box<dyn Stage + '_>>> {
    if let Some(design) = Design::of(experiment)? {
        let stage = || -> Box<dyn Stage + '_> { Box::new(Pretrain::on_folds(&design)) };
        return Ok(design.pretrains().then(stage).into_iter().collect());
    }
    let variants = experiment.variants.iter();
    Ok(variants
        .map(|variant| -> Box<dyn Stage + '_> { Box::new(Pretrain::on_split(experiment, variant)) })
        .collect())
}

/// Name of the stage of a variant.
pub fn name(variant: &str) -> String {
    format!("pretrain-{variant}")
}

impl<'a> Pretrain<'a> {
    /// Pretraining of a variant on the split of the experiment.
    pub fn on_split(experiment: &'a Resolved, variant: &'a Variant) -> Self {
        Self {
            experiment,
            variant,
            folds: None,
        }
    }

    /// Pretraining of the variant that predicts, on each fold.
    fn on_folds(design: &Design<'a>) -> Self {
        Self {
            experiment: design.experiment,
            variant: design.variant,
            folds: Some(design.config.folds.folds),
        }
    }

    /// Scans of each of its runs.
    fn scans<'d>(&self, desk: &'d Desk) -> Result<&'d [Scans]> {
        let material = desk.material()?;
        Ok(match self.folds {
            None => std::slice::from_ref(&material.scans),
            Some(_) => &material.folds,
        })
    }
}

impl Stage for Pretrain<'_> {
    fn name(&self) -> String {
        name(&self.variant.name)
    }

    fn inputs(&self) -> Vec<String> {
        vec![data::NAME.to_string()]
    }

    fn cost(&self, _desk: &Desk) -> Result<String> {
        let train = &self.variant.config.train;
        let each = self.folds.map(|n| format!(", for each of {n} folds"));
        Ok(format!(
            "{} steps of {} samples{}",
            train.steps,
            train.batch_size,
            each.unwrap_or_default()
        ))
    }

    fn runs(&self, desk: &Desk) -> Result<Vec<PlannedRun>> {
        let experiment = &self.experiment.name;
        let scans = (1..).zip(self.scans(desk)?);
        scans
            .map(|(number, scans)| {
                let manifest = identify(experiment, self.variant, scans, desk.options)?;
                Ok(PlannedRun {
                    part: format!("fold {number}"),
                    on: scans.sets(),
                    manifest,
                })
            })
            .collect()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn check(&self, desk: &Desk) -> Result<()> {
        check(self.variant, &desk.material()?.scans, desk.options)
    }

    fn run(&self, desk: &Desk) -> Result<Vec<RunFolder>> {
        let experiment = &self.experiment.name;
        let scans = self.scans(desk)?.iter();
        scans
            .map(|scans| pretrain(experiment, self.variant, scans, desk.options))
            .collect()
    }
}

/// Manifest of a pretraining run.
///
/// # Errors
/// If the config cannot be written as JSON.
fn identify(
    experiment: &str,
    variant: &Variant,
    scans: &Scans,
    options: &Options,
) -> Result<Manifest> {
    let config = &variant.config;
    let (table, pretext) = variant.model.pretext();
    let what = serde_json::json!({
        "segments": config.segments,
        "model": settings(variant),
        table: pretext,
        "train": config.train,
    });
    let stage = name(&variant.name);
    let mut inputs = scans.inputs();
    if let Some(path) = &options.ckpt {
        let weights = brainmae_run::Checkpoint::open(path)?.read(WEIGHTS)?;
        inputs.insert("ckpt".to_string(), sha256_bytes(&weights));
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

/// Trains a variant, unless it is already trained. Returns its folder.
///
/// # Errors
/// Errors of data, model, training or files; [`Stopped`] if it was asked to stop before the end.
fn pretrain(
    experiment: &str,
    variant: &Variant,
    scans: &Scans,
    options: &Options,
) -> Result<RunFolder> {
    let manifest = identify(experiment, variant, scans, options)?;
    let _span = tracing::info_span!("stage", name = manifest.stage).entered();
    // An unsuitable checkpoint is refused before there is a run folder.
    let start = options.ckpt.as_deref().map(Checkpoint::open).transpose()?;
    if let Some(start) = &start {
        let hint =
            "start from a checkpoint trained on this split's training set, or leave --ckpt out";
        let (dataset, layout) = (&scans.dataset, &scans.layout);
        start
            .check_start(variant.model.model(), dataset, layout, &scans.split)
            .map_err(|error| refusal::checkpoint(error, hint))?;
    }
    let mut run = options.open(manifest)?;
    if run.found() == Some(&Status::Finished) {
        tracing::info!("finished already: {}", workspace::shown(run.path()));
        return Ok(run);
    }
    match train(&run, variant, scans, start.as_ref(), options) {
        Ok(Outcome::Finished) => {
            run.set_status(Status::Finished, None)?;
            Ok(run)
        }
        Ok(Outcome::Interrupted { step }) => {
            run.set_status(Status::Interrupted, None)?;
            tracing::warn!(step, "stopped and saved; run the same command to go on");
            // All processes have stopped at this step, so none has to end another.
            processes::part();
            Err(Stopped.into())
        }
        Err(error) => Err(fail(&mut run, error)),
    }
}

/// Checks every setting of a variant, before anything is trained.
///
/// # Errors
/// Names the first invalid setting.
pub fn check(variant: &Variant, scans: &Scans, options: &Options) -> Result<()> {
    let config = &variant.config;
    let n_devices = options.device.count()? * options.processes.communicator()?.size();
    let of_train = |error: TrainError| refusal::training("train", error.into());
    check_parts(config.train.parts, n_devices).map_err(of_train)?;
    config.data.budget()?;
    config.train.check().map_err(of_train)?;
    let data = DataShape {
        n_rois: scans.dataset.atlas().n_rois(),
        segment_len_trs: scans.layout.segment_len_trs,
    };
    (variant.model.check(data)).map_err(|error| refusal::training("model", error))
}

/// Settings of a variant's model in the identity of a run. The kind is left out if it is BrainMAE,
/// so runs of versions that had no other kind keep their identities.
pub fn settings(variant: &Variant) -> Value {
    let model = variant.model.model();
    let mut settings = model.config.clone();
    if model.kind != BrainMae::KIND {
        settings["kind"] = model.kind.as_str().into();
    }
    settings
}

/// Best checkpoint of a run.
///
/// # Errors
/// If there is no checkpoint, or if it cannot be read.
pub fn best(run: &RunFolder) -> Result<Checkpoint> {
    Checkpoint::find(&run.checkpoints(), "best")?
        .with_context(|| format!("no best checkpoint in {}", workspace::shown(run.path())))
}
