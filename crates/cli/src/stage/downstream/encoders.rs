//! The encoder of each fold: pretrained without those who are tested, or given.

use anyhow::Result;
use brainmae_downstream::brainmae::Encoder;
use brainmae_run::{Checkpoint, RunFolder};
use burn::tensor::Device;

use super::design::Design;
use crate::experiment::ExperimentConfig;
use crate::stage::{Desk, Scans, pretrain};

/// What the encoder of a fold starts from.
pub enum Start<'a> {
    /// Nothing: no model that was asked for is pretrained.
    Random,
    /// What a run on this fold learned.
    Pretrained(&'a RunFolder),
    /// A checkpoint from elsewhere.
    Given(Box<Checkpoint>),
}

/// What the encoders of all folds start from.
///
/// # Errors
/// For a checkpoint of another model or other data, or one that has seen somebody who is tested.
pub fn starts<'a>(design: &Design, desk: &'a Desk) -> Result<Vec<Start<'a>>> {
    let folds = &desk.material()?.folds;
    if design.pretrains() {
        let runs = desk.runs(&pretrain::name(design.variant)).iter();
        return Ok(runs.map(Start::Pretrained).collect());
    }
    let mut starts = Vec::new();
    for scans in folds {
        let Some(checkpoint) = design.checkpoint()? else {
            starts.push(Start::Random);
            continue;
        };
        let card = checkpoint.card();
        let model = &design.model.model;
        card.check_model("brainmae", &serde_json::to_value(model)?)?;
        card.data.check(&scans.card())?;
        let hint = "downstream.pretrain = \"per-fold\" pretrains without those who are tested";
        pretrain::bar_seen(card, scans, &scans.split.test, hint)?;
        starts.push(Start::Given(Box::new(checkpoint)));
    }
    Ok(starts)
}

impl Start<'_> {
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
