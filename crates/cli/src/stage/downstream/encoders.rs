//! Encoder of each fold: pretrained without the subjects of its test set, or given.

use anyhow::Result;
use brainmae_downstream::encoders::FoldEncoder;
use brainmae_encoder::Checkpoint;
use brainmae_run::RunFolder;

use crate::experiment::{Design, Variant};
use crate::stage::{Desk, Scans, pretrain, refusal};

/// Initial weights of the encoder of a fold.
pub enum Start<'a> {
    /// Random weights: no model of the experiment is pretrained.
    Random,
    /// Weights of a pretraining run on this fold.
    Pretrained(&'a RunFolder),
    /// Weights of a given checkpoint.
    Given(Box<Checkpoint>),
}

/// Initial weights of the encoders of all folds.
///
/// # Errors
/// If a checkpoint has another model or other data, or has seen a subject of a test set.
pub fn starts<'a>(design: &Design, desk: &'a Desk) -> Result<Vec<Start<'a>>> {
    let folds = &desk.material()?.folds;
    if design.pretrains() {
        let runs = desk.runs(&pretrain::name(&design.variant.name)).iter();
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
        (checkpoint.check_model(design.variant.model.model()))
            .and_then(|()| checkpoint.check_evaluation(scans.evaluation()))
            .map_err(|error| refusal::checkpoint(error, hint))?;
        starts.push(Start::Given(Box::new(checkpoint)));
    }
    Ok(starts)
}

impl Start<'_> {
    /// Encoder of the fold of `scans`.
    ///
    /// # Errors
    /// If the weights cannot be read or do not fit.
    pub fn encoder(&self, scans: &Scans, variant: &Variant) -> Result<FoldEncoder> {
        let (kind, model) = (variant.model.encoder_kind(), variant.model.model());
        let checkpoint = match self {
            Start::Random => return Ok(FoldEncoder::untrained(kind, model, scans.layout)),
            Start::Pretrained(run) => &pretrain::best(run)?,
            Start::Given(checkpoint) => checkpoint,
        };
        Ok(FoldEncoder::pretrained(
            kind,
            checkpoint,
            scans.evaluation(),
        )?)
    }
}
