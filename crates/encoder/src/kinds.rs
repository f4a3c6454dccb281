//! Registry of the kinds of models whose checkpoints can be opened.

use std::collections::BTreeMap;

use brainmae_model::weights::{NamedArray, import};
use brainmae_model::{BrainMae, DataShape};
use brainmae_run::Seeds;
use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::checkpoint::to_value;
use crate::{Embed, EncoderError, EncoderModel};

/// Weights of a model by name.
pub type Weights = BTreeMap<String, NamedArray>;

/// Source of a model's weights.
pub enum Source<'a> {
    /// Random ones, drawn from this stream.
    Random(&'a mut ChaCha8Rng),
    /// Weights of a checkpoint.
    Weights(&'a Weights),
}

/// Function that builds a model of a kind from its settings.
type Build = fn(&Value, DataShape, Source, &Device) -> Result<Box<dyn Embed>, EncoderError>;

/// A kind of model.
#[derive(Clone, Copy, Debug)]
pub struct EncoderKind {
    /// Name in experiment files and cards.
    pub name: &'static str,
    /// Name in tables and reports.
    pub title: &'static str,
    build: Build,
}

impl EncoderKind {
    /// The kind of the model `M`.
    pub fn of<M: EncoderModel>() -> Self {
        Self {
            name: M::KIND,
            title: M::TITLE,
            build: |config, data, source, device| {
                let model: M = build(config, data, source, device)?;
                Ok(Box::new(model))
            },
        }
    }

    /// A model of this kind with the settings `config`.
    ///
    /// # Errors
    /// As [`build`].
    pub fn build(
        &self,
        config: &Value,
        data: DataShape,
        source: Source,
        device: &Device,
    ) -> Result<Box<dyn Embed>, EncoderError> {
        (self.build)(config, data, source, device)
    }
}

/// A model `M` with the settings `config`.
///
/// # Errors
/// [`EncoderError::Config`] for settings of another kind of model, [`EncoderError::Model`] for
/// settings that do not fit the data, or weights that do not fit the settings.
pub fn build<M: EncoderModel>(
    config: &Value,
    data: DataShape,
    source: Source,
    device: &Device,
) -> Result<M, EncoderError> {
    let config = serde_json::from_value(config.clone()).map_err(|source| EncoderError::Config {
        kind: M::KIND,
        source,
    })?;
    match source {
        Source::Random(rng) => Ok(M::init(&config, data, rng, device)?),
        Source::Weights(weights) => {
            // All weights are replaced.
            let model = M::init(&config, data, &mut Seeds::new(0).stream("weights"), device)?;
            Ok(import(model, M::WEIGHT_NAMES, weights.clone())?)
        }
    }
}

/// Kind and settings of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSettings {
    /// Name of the kind.
    pub kind: String,
    /// Settings, every default written out.
    pub config: Value,
}

impl ModelSettings {
    /// Settings of a model `M`.
    pub fn of<M: EncoderModel>(config: &M::Config) -> Self {
        Self {
            kind: M::KIND.to_string(),
            config: to_value(config),
        }
    }
}

/// The kinds of models that are known.
#[derive(Clone, Debug)]
pub struct EncoderKinds(Vec<EncoderKind>);

impl EncoderKinds {
    /// The kinds that this program brings along.
    pub fn built_in() -> Self {
        Self(vec![EncoderKind::of::<BrainMae>()])
    }

    /// The same kinds and one more. A kind of the same name is replaced.
    pub fn with(mut self, kind: EncoderKind) -> Self {
        self.0.retain(|known| known.name != kind.name);
        self.0.push(kind);
        self
    }

    /// The kind called `name`.
    ///
    /// # Errors
    /// [`EncoderError::UnknownKind`] lists the known kinds.
    pub fn find(&self, name: &str) -> Result<EncoderKind, EncoderError> {
        let found = self.0.iter().find(|kind| kind.name == name);
        found.copied().ok_or_else(|| EncoderError::UnknownKind {
            found: name.to_string(),
            known: self.0.iter().map(|kind| kind.name).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_is_told_the_known_ones() {
        let kinds = EncoderKinds::built_in();
        assert_eq!(kinds.find("brainmae").expect("built in").title, "BrainMAE");
        let Err(EncoderError::UnknownKind { found, known }) = kinds.find("brainmea") else {
            panic!("there is no such kind")
        };
        assert_eq!((found.as_str(), known), ("brainmea", vec!["brainmae"]));
    }
}
