//! Design of a downstream stage, known before anything is computed.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use brainmae_pretrain::engine::WEIGHTS;
use brainmae_run::identity::sha256;
use brainmae_run::{Checkpoint, Manifest};

use crate::experiment::{DownstreamConfig, ExperimentConfig, Pretraining, Resolved};
use crate::stage::{Desk, Scans, manifest, pretrain};

/// Targets and models of an experiment's downstream stage.
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

    /// Manifest of the stage.
    ///
    /// # Errors
    /// If a checkpoint cannot be read, or a config cannot be written as JSON.
    pub fn manifest(&self, desk: &Desk) -> Result<Manifest> {
        let base = &self.experiment.base;
        let folds = &desk.material()?.folds;
        let mut inputs = BTreeMap::new();
        let pretrained = desk.identities(&pretrain::name(self.variant));
        for (number, identity) in (1..).zip(pretrained) {
            inputs.insert(format!("pretrain fold {number}"), identity.to_string());
        }
        if let Some(checkpoint) = self.checkpoint()? {
            inputs.insert("ckpt".to_string(), sha256(&checkpoint.read(WEIGHTS)?));
        }
        let hashes: Vec<String> = folds.iter().map(|fold| fold.split.hash()).collect();
        inputs.insert("folds".into(), sha256(hashes.concat().as_bytes()));
        if let Some(Scans { dataset, .. }) = folds.first() {
            inputs.insert("data".into(), dataset.content_hash().to_string());
        }
        let what = serde_json::json!({
            "about": base.about,
            "segments": base.segments,
            "model": self.model.model,
            "downstream": self.config,
        });
        let (name, device) = (&self.experiment.name, &desk.options.device);
        Ok(manifest(name, super::NAME, what, inputs, base.seed, device))
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
