//! The encoder of each fold: pretrained without those who are tested, or given.

use anyhow::Result;
use brainmae_downstream::brainmae::FoldEncoder;
use brainmae_encoder::Checkpoint;
use brainmae_run::RunFolder;
use burn::tensor::Device;

use super::design::Design;
use crate::experiment::ExperimentConfig;
use crate::stage::{Desk, Scans, pretrain, refusal};

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
        let hint = "downstream.pretrain = \"per-fold\" pretrains without those who are tested";
        let checkpoint = Checkpoint::open(checkpoint.path())?;
        let split = &scans.split;
        (checkpoint.check_config(&design.model.model))
            .and_then(|()| checkpoint.check_data(&scans.dataset, &scans.layout))
            .and_then(|()| checkpoint.bar_seen(&scans.dataset, split.unit, &split.test))
            .map_err(|error| refusal::checkpoint(error, hint))?;
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
