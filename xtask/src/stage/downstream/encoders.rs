//! The encoder of each fold: pretrained without those who are tested, or given.

use anyhow::Result;
use brainmae_downstream::brainmae::FoldEncoder;
use brainmae_encoder::Checkpoint;
use brainmae_run::RunFolder;
use burn::tensor::Device;

use super::design::Design;
use crate::experiment::{ExperimentConfig, Options};
use crate::stage::{Scans, pretrain, refusal};

/// What the encoder of a fold starts from.
pub enum Start {
    /// Nothing: no model that was asked for is pretrained.
    Random,
    /// What this run learned, held for as long as it is used.
    Pretrained(Box<RunFolder>),
    /// A checkpoint from elsewhere.
    Given(Box<Checkpoint>),
}

/// What the encoders of all folds start from. Nothing if pretraining was asked to stop before the end.
///
/// # Errors
/// From pretraining; for a checkpoint of another model or other data, or one that has seen somebody who is tested.
pub fn starts(design: &Design, options: &Options) -> Result<Option<Vec<Start>>> {
    let mut starts = Vec::new();
    for scans in &design.folds {
        starts.push(if let Some(checkpoint) = design.checkpoint()? {
            let hint = "downstream.pretrain = \"per-fold\" pretrains without those who are tested";
            let checkpoint = Checkpoint::open(checkpoint.path())?;
            let split = &scans.split;
            (checkpoint.check_config(&design.model.model))
                .and_then(|()| checkpoint.check_data(&scans.dataset, &scans.layout))
                .and_then(|()| checkpoint.bar_seen(&scans.dataset, split.unit, &split.test))
                .map_err(|error| refusal::checkpoint(error, hint))?;
            Start::Given(Box::new(checkpoint))
        } else if design.is_pretrained() {
            let name = &design.experiment.name;
            let run = pretrain::pretrain(name, design.variant, design.model, scans, options)?;
            let Some(run) = run else { return Ok(None) };
            Start::Pretrained(Box::new(run))
        } else {
            Start::Random
        });
    }
    Ok(Some(starts))
}

impl Start {
    /// The encoder of the fold that `scans` are, with its weights on a device.
    ///
    /// # Errors
    /// If the weights cannot be read, or do not fit.
    pub fn encoder(
        &self,
        scans: &Scans,
        config: &ExperimentConfig,
        device: &Device,
    ) -> Result<FoldEncoder> {
        let (dataset, layout, split) = (&scans.dataset, scans.layout, &scans.split);
        let checkpoint = match self {
            Start::Random => return Ok(FoldEncoder::untrained(config.model.clone(), layout)),
            Start::Pretrained(run) => &pretrain::best(run)?,
            Start::Given(checkpoint) => checkpoint,
        };
        Ok(FoldEncoder::pretrained(
            checkpoint, dataset, layout, split, device,
        )?)
    }
}
