//! Registry of the models and learners that experiments can name.

use std::sync::Arc;

use anyhow::{Context, Result};
use brainmae_downstream::features::Features;
use brainmae_downstream::{LearnerKind, LearnerKinds};
use brainmae_encoder::{EncoderKind, EncoderKinds, EncoderModel};
use brainmae_pretrain::{Configured, MaskedReconstruction, Pretext, SelfSupervised};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::stage::refusal;

/// Kind of the model of an experiment that names none.
const DEFAULT_KIND: &str = "brainmae";

/// Table `[model]` of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelTable {
    /// Kind of the model.
    #[serde(default = "default_kind")]
    pub kind: String,
    /// Settings of this kind.
    #[serde(flatten)]
    pub settings: Table,
}

fn default_kind() -> String {
    DEFAULT_KIND.to_string()
}

impl Default for ModelTable {
    fn default() -> Self {
        Self {
            kind: default_kind(),
            settings: Table::new(),
        }
    }
}

/// Models that can be pretrained, and learners that predict targets, by name.
///
/// A program with a model of its own adds it with [`Registry::with_model`]; experiments,
/// fine-tuning, probes and `embed` then know it. [`Registry::with_features`] adds features of
/// linear models, [`Registry::with_learner`] any other learner.
#[derive(Clone)]
pub struct Registry {
    models: Vec<ModelKind>,
    learners: LearnerKinds,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let models = self.models.iter().map(|kind| kind.encoder.name);
        f.debug_list()
            .entries(models)
            .entries(self.learners.names())
            .finish()
    }
}

/// A kind of model, and how one is made of its tables in an experiment file.
#[derive(Clone, Copy)]
struct ModelKind {
    encoder: EncoderKind,
    configure: fn(Table, Table) -> Result<Arc<dyn SelfSupervised>>,
}

impl Registry {
    /// The models and learners that this program brings along.
    pub fn built_in() -> Self {
        let none = Self {
            models: Vec::new(),
            learners: LearnerKinds::built_in(),
        };
        none.with_model::<MaskedReconstruction>()
    }

    /// The same and the model of a pretext task, with the learners that use it.
    pub fn with_model<P: Pretext>(mut self) -> Self {
        let kind = ModelKind {
            encoder: EncoderKind::of::<P::Model>(),
            configure: configure::<P>,
        };
        self.models
            .retain(|known| known.encoder.name != kind.encoder.name);
        self.models.push(kind);
        self.learners = self.learners.with_encoder::<P::Model>();
        self
    }

    /// The same and one more learner.
    pub fn with_learner(mut self, learner: impl LearnerKind + 'static) -> Self {
        self.learners = self.learners.with(learner);
        self
    }

    /// The same and the linear model of one more kind of features.
    pub fn with_features(mut self, features: impl Features) -> Self {
        self.learners = self.learners.with_features(features);
        self
    }

    /// The learners.
    pub fn learners(&self) -> &LearnerKinds {
        &self.learners
    }

    /// The kinds of models whose checkpoints can be opened.
    pub fn encoders(&self) -> EncoderKinds {
        let kinds = self.models.iter().map(|kind| kind.encoder);
        kinds.fold(EncoderKinds::built_in(), EncoderKinds::with)
    }

    /// The model of the table `[model]` with the settings of its pretext task.
    ///
    /// # Errors
    /// If there is no such kind, or if a setting is unknown or invalid.
    pub fn configure(
        &self,
        model: &ModelTable,
        pretext: &Table,
    ) -> Result<Arc<dyn SelfSupervised>> {
        let kind = self.encoders().find(&model.kind).context("in model.kind")?;
        let mut found = (self.models.iter()).filter(|known| known.encoder.name == kind.name);
        let found = found.next().context("a model without a pretext task")?;
        (found.configure)(model.settings.clone(), pretext.clone())
    }
}

fn configure<P: Pretext>(model: Table, pretext: Table) -> Result<Arc<dyn SelfSupervised>> {
    let model: <P::Model as EncoderModel>::Config =
        Value::Table(model).try_into().context("in [model]")?;
    let in_table = || format!("in [{}]", P::TABLE);
    let pretext: P::Config = (Value::Table(pretext).try_into()).with_context(in_table)?;
    let configured = Configured::<P>::new(model, &pretext);
    Ok(Arc::new(
        configured.map_err(|error| refusal::training(P::TABLE, error))?,
    ))
}
