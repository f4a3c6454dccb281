//! Design of predictions: targets, models and their weights, known before anything is computed.

use anyhow::Result;
use brainmae_downstream::LearnerKind;
use brainmae_run::Checkpoint;

use super::{DownstreamConfig, Pretraining, Resolved, Variant};

/// Targets and models of an experiment that predicts.
pub struct Design<'a> {
    /// Experiment with all its variants.
    pub experiment: &'a Resolved,
    /// Downstream table of the experiment.
    pub config: &'a DownstreamConfig,
    /// The variant whose model predicts.
    pub variant: &'a Variant,
    /// Models that predict.
    pub models: Vec<&'a dyn LearnerKind>,
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
        let names = config.models.iter();
        let learners = experiment.registry.learners();
        let models = names.map(|name| -> Result<_> { Ok(learners.find(name)?) });
        Ok(Some(Self {
            experiment,
            config,
            variant: config.variant(&experiment.variants)?,
            models: models.collect::<Result<_>>()?,
        }))
    }

    /// Whether at least one model starts from pretrained weights.
    pub fn is_pretrained(&self) -> bool {
        self.models.iter().any(|model| model.is_pretrained())
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
