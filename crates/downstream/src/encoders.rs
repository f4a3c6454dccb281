//! Encoders as learners: fine-tuned, frozen under a probe, or from scratch.

mod attention_probe;
mod cut;
mod embedding;
mod finetune;
mod kinds;
mod probe;
mod readout;
mod samples;

use std::sync::Arc;

use brainmae_data::SegmentLayout;
use brainmae_encoder::{
    Checkpoint, Embed, EncoderError, EncoderKind, EncoderModel, Evaluation, ModelSettings, Source,
    Weights, build,
};
use brainmae_model::DataShape;
use brainmae_train::{OptimizerConfig, Plan, Schedule};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use attention_probe::AttentionProbe;
pub use finetune::FineTune;
pub use kinds::encoder_learners;
pub use probe::LinearProbe;
pub use readout::Readout;

use crate::Problem;

/// The encoder that the learners of one fold start from.
#[derive(Clone)]
pub struct FoldEncoder {
    kind: EncoderKind,
    config: Value,
    /// Lengths of segments and samples, in volumes.
    layout: SegmentLayout,
    /// Pretrained weights; `None` for random ones.
    weights: Option<Arc<Weights>>,
}

impl FoldEncoder {
    /// An encoder that starts from random weights. `model` has the settings of a model of `kind`.
    pub fn untrained(kind: EncoderKind, model: &ModelSettings, layout: SegmentLayout) -> Self {
        Self {
            kind,
            config: model.config.clone(),
            layout,
            weights: None,
        }
    }

    /// The encoder of `checkpoint`, a model of `kind`, for a fold whose test set is held out.
    ///
    /// # Errors
    /// If the data differ from the checkpoint's, or if the encoder was trained on a test scan of
    /// the fold: see [`Checkpoint::check_evaluation`].
    pub fn pretrained(
        kind: EncoderKind,
        checkpoint: &Checkpoint,
        evaluation: Evaluation,
    ) -> Result<Self, EncoderError> {
        let weights = checkpoint.weights_for(evaluation)?;
        let untrained = Self::untrained(kind, checkpoint.model(), evaluation.layout);
        Ok(Self {
            weights: Some(Arc::new(weights)),
            ..untrained
        })
    }

    /// A small BrainMAE with random weights in place of pretrained ones.
    #[cfg(test)]
    pub(crate) fn small(n_rois: usize, layout: SegmentLayout) -> Self {
        use brainmae_model::{BrainMae, BrainMaeConfig, weights::export};
        let data = DataShape {
            n_rois,
            segment_len_trs: layout.segment_len_trs,
        };
        let config = BrainMaeConfig {
            d_model: 16,
            n_heads: 2,
            encoder_depth: 1,
            ..BrainMaeConfig::default()
        };
        let rng = &mut brainmae_run::Seeds::new(2).stream("weights");
        let model = config.init(data, rng, &burn::tensor::Device::flex());
        let weights = export(&model.expect("sizes fit"), BrainMae::WEIGHT_NAMES);
        let (kind, settings) = (
            EncoderKind::of::<BrainMae>(),
            ModelSettings::of::<BrainMae>(&config),
        );
        Self {
            weights: Some(Arc::new(weights)),
            ..Self::untrained(kind, &settings, layout)
        }
    }

    /// The same encoder without its pretrained weights.
    pub fn without_weights(&self) -> Self {
        Self {
            weights: None,
            ..self.clone()
        }
    }

    /// The frozen model, without autodiff.
    fn embedder(&self, problem: &Problem) -> Result<Box<dyn Embed>, EncoderError> {
        let rng = &mut problem.seeds.stream("encoder");
        let (data, source) = (self.data(problem), self.source(rng));
        self.kind.build(&self.config, data, source, &problem.device)
    }

    /// The model at the start of training, without autodiff.
    fn model<M: EncoderModel>(&self, problem: &Problem) -> Result<M, EncoderError> {
        let rng = &mut problem.seeds.stream("encoder");
        let (data, source) = (self.data(problem), self.source(rng));
        build(&self.config, data, source, &problem.device)
    }

    fn data(&self, problem: &Problem) -> DataShape {
        DataShape {
            n_rois: problem.n_rois,
            segment_len_trs: self.layout.segment_len_trs,
        }
    }

    fn source<'a>(&'a self, rng: &'a mut rand_chacha::ChaCha8Rng) -> Source<'a> {
        match &self.weights {
            Some(weights) => Source::Weights(weights),
            None => Source::Random(rng),
        }
    }
}

/// Settings of fine-tuning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FineTuneConfig {
    /// Maximum number of passes over the training set: its subjects, or its scans or segments if
    /// these have truths of their own.
    pub max_epochs: usize,
    /// Maximum number of steps; 0 for no limit. It ends the training on many scans.
    pub max_steps: usize,
    /// Validations without a better loss after which training stops. Validation follows each pass,
    /// or a tenth of `max_steps` if that is sooner.
    pub patience: usize,
    /// Least gain in the validation loss (squared standard deviations, or nats) that counts as
    /// better for `patience`.
    #[serde(skip_serializing_if = "is_zero")]
    pub least_gain: f64,
    /// Samples per step: bags are filled up to this number, and there is at least one.
    pub batch_size: usize,
    /// Samples of a subject, scan or segment in a step; the loss is that of their mean. Fewer if
    /// fewer cover its scans.
    pub bag: usize,
    /// Highest learning rate. It is reached by linear warm-up over a tenth of the steps; then it
    /// follows a cosine down to a hundredth of it.
    pub lr: f64,
    /// Weight decay of the weight matrices.
    pub weight_decay: f64,
}

/// Whether every gain counts; the setting is then left out of a run's identity.
fn is_zero(gain: &f64) -> bool {
    *gain == 0.0
}

impl Default for FineTuneConfig {
    fn default() -> Self {
        Self {
            max_epochs: 40,
            max_steps: 0,
            patience: 10,
            least_gain: 0.0,
            batch_size: 16,
            bag: 4,
            lr: 3e-4,
            weight_decay: 0.05,
        }
    }
}

impl FineTuneConfig {
    /// Course of a training with `per_epoch` steps in each pass. The learning rate rises over a
    /// tenth of the steps and falls to a hundredth.
    fn plan(&self, per_epoch: u64) -> Plan {
        let steps = self.max_epochs as u64 * per_epoch;
        let (steps, per_round) = match self.max_steps as u64 {
            0 => (steps, per_epoch),
            most => (steps.min(most), per_epoch.min(most.div_ceil(10))),
        };
        Plan {
            steps,
            schedule: Schedule::WarmupCosine {
                peak: self.lr,
                warmup: 0.1,
                end: 0.01 * self.lr,
            },
            optimizer: OptimizerConfig {
                weight_decay: self.weight_decay,
                ..OptimizerConfig::default()
            },
            rate_factors: Vec::new(),
            validate_every: per_round,
            checkpoint_every: per_round,
            log_every: per_round,
            patience: Some(self.patience as u64),
            least_gain: self.least_gain,
            ema: None,
        }
    }
}

#[cfg(test)]
mod tests;
