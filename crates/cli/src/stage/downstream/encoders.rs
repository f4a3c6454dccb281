//! The encoder of each fold: pretrained without those who are tested, or given.

use anyhow::Result;
use brainmae_downstream::brainmae::Encoder;
use brainmae_run::{Checkpoint, RunFolder};
use burn::tensor::Device;

use super::design::Design;
use crate::experiment::{ExperimentConfig, Options};
use crate::stage::{Scans, pretrain};

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
            let card = checkpoint.card();
            let model = &design.model.model;
            card.check_model("brainmae", &serde_json::to_value(model)?)?;
            card.data.check(&scans.card())?;
            let hint = "downstream.pretrain = \"per-fold\" pretrains without those who are tested";
            pretrain::bar_seen(card, scans, &scans.split.test, hint)?;
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
    ) -> Result<Encoder> {
        let weights = match self {
            Start::Random => None,
            Start::Pretrained(run) => Some(pretrain::best_model(run, config, scans, device)?),
            Start::Given(checkpoint) => {
                Some(pretrain::model_of(checkpoint, config, scans, device)?)
            }
        };
        Ok(Encoder {
            config: config.model.clone(),
            layout: scans.layout,
            weights,
        })
    }
}
