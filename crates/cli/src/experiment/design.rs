//! Design of predictions: targets, models and their weights, known before anything is computed.

use anyhow::{Result, bail};
use brainmae_run::Checkpoint;

use super::{DownstreamConfig, ExperimentConfig, Pretraining, Resolved};

/// Targets and models of an experiment that predicts.
pub struct Design<'a> {
    /// Experiment with all its variants.
    pub experiment: &'a Resolved,
    /// Downstream table of the experiment.
    pub config: &'a DownstreamConfig,
    /// Name of the variant that is used as BrainMAE.
    pub variant: &'a str,
    /// Config of this variant.
    pub model: &'a ExperimentConfig,
}

impl<'a> Design<'a> {
    /// Design of an experiment; `None` if it predicts no targets.
    ///
    /// # Errors
    /// If the table names a variant that does not exist.
    pub fn of(experiment: &'a Resolved) -> Result<Option<Self>> {
        let Some(config) = &experiment.base.downstream else {
            return Ok(None);
        };
        let (variant, model) = variant(experiment, config)?;
        Ok(Some(Self {
            experiment,
            config,
            variant,
            model,
        }))
    }

    /// Whether at least one model starts from pretrained weights.
    pub fn is_pretrained(&self) -> bool {
        self.config.models.iter().any(|model| model.is_pretrained())
    }

    /// Opens the given checkpoint; `None` if there is none or it is not used.
    ///
    /// # Errors
    /// If the checkpoint cannot be read.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        Ok(match &self.config.pretrain {
            Pretraining::Checkpoint(path) if self.is_pretrained() => {
                Some(Checkpoint::open(&self.experiment.files.find(path))?)
            }
            _ => None,
        })
    }

    /// Whether each fold pretrains its own model.
    pub fn pretrains(&self) -> bool {
        self.is_pretrained() && self.config.pretrain == Pretraining::PerFold
    }
}

fn variant<'a>(
    experiment: &'a Resolved,
    config: &DownstreamConfig,
) -> Result<(&'a str, &'a ExperimentConfig)> {
    let mut variants = experiment.variants.iter();
    let found = match &config.variant {
        None => variants.next(),
        Some(wanted) => variants.find(|(name, _)| name == wanted),
    };
    let Some((name, config)) = found else {
        let known: Vec<&String> = experiment.variants.iter().map(|(name, _)| name).collect();
        bail!(
            "downstream.variant is {:?}, expected one of {known:?}",
            config.variant
        );
    };
    Ok((name, config))
}
