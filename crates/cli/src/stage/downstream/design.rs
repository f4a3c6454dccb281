//! What a downstream stage will do, before anything is computed.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use brainmae_data::Split;
use brainmae_pretrain::engine::WEIGHTS;
use brainmae_run::identity::sha256;
use brainmae_run::{Checkpoint, Manifest, Seeds};

use crate::experiment::{DownstreamConfig, ExperimentConfig, Options, Pretraining, Resolved};
use crate::stage::{Scans, manifest, pretrain};

/// An experiment's downstream stage: who predicts what, on which folds.
pub struct Design<'a> {
    /// The experiment.
    pub experiment: &'a Resolved,
    /// Its downstream table.
    pub config: &'a DownstreamConfig,
    /// Name of the variant that is BrainMAE here.
    pub variant: &'a str,
    /// Its config.
    pub model: &'a ExperimentConfig,
    /// The same scans on the sides of each fold.
    pub folds: Vec<Scans>,
}

impl<'a> Design<'a> {
    /// Draws the folds.
    ///
    /// # Errors
    /// If the table names a variant that is not there, or there are too few families.
    pub fn new(experiment: &'a Resolved, scans: &Scans) -> Result<Self> {
        let base = &experiment.base;
        let config = base.downstream.as_ref();
        let config = config.context("the experiment has no [downstream] table")?;
        let (variant, model) = variant(experiment, config)?;
        let rng = &mut Seeds::new(base.split_seed).stream("folds");
        let splits = config.folds.draw(&scans.dataset, rng)?;
        for split in &splits {
            split.check(&scans.dataset)?;
        }
        Ok(Self {
            experiment,
            config,
            variant,
            model,
            folds: splits
                .into_iter()
                .map(|split| scans.with_split(split))
                .collect(),
        })
    }

    /// Whether a model that was asked for starts from pretrained weights.
    pub fn is_pretrained(&self) -> bool {
        self.config.models.iter().any(|model| model.is_pretrained())
    }

    /// The checkpoint that was given, if there is one and it is used.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        Ok(match &self.config.pretrain {
            Pretraining::Checkpoint(path) if self.is_pretrained() => {
                Some(Checkpoint::open(&self.experiment.files.find(path))?)
            }
            _ => None,
        })
    }

    /// What pretraining on each fold is; nothing where no fold is pretrained on.
    ///
    /// # Errors
    /// If a config cannot be written as JSON.
    pub fn pretraining(&self, options: &Options) -> Result<Vec<Manifest>> {
        if !self.is_pretrained() || self.config.pretrain != Pretraining::PerFold {
            return Ok(Vec::new());
        }
        let name = &self.experiment.name;
        let folds = self.folds.iter();
        folds
            .map(|scans| pretrain::identify(name, self.variant, self.model, scans, options))
            .collect()
    }

    /// What the stage is.
    ///
    /// # Errors
    /// If a checkpoint cannot be read, or a config written as JSON.
    pub fn manifest(&self, options: &Options) -> Result<Manifest> {
        let base = &self.experiment.base;
        let mut inputs = BTreeMap::new();
        for (number, run) in (1..).zip(self.pretraining(options)?) {
            inputs.insert(format!("pretrain fold {number}"), run.identity.to_string());
        }
        if let Some(checkpoint) = self.checkpoint()? {
            inputs.insert("ckpt".to_string(), sha256(&checkpoint.read(WEIGHTS)?));
        }
        let hashes: Vec<String> = self.folds.iter().map(|fold| fold.split.hash()).collect();
        inputs.insert("folds".into(), sha256(hashes.concat().as_bytes()));
        if let Some(Scans { dataset, .. }) = self.folds.first() {
            inputs.insert("data".into(), dataset.content_hash().to_string());
        }
        let what = serde_json::json!({
            "about": base.about,
            "segments": base.segments,
            "model": self.model.model,
            "downstream": self.config,
        });
        let (name, device) = (&self.experiment.name, &options.device);
        Ok(manifest(
            name,
            "downstream",
            what,
            inputs,
            base.seed,
            device,
        ))
    }

    /// The sides of each fold.
    pub fn splits(&self) -> impl Iterator<Item = &Split> {
        self.folds.iter().map(|fold| &fold.split)
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
