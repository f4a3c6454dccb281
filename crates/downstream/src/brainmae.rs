//! BrainMAE as a learner: fine-tuned, frozen under a probe, or from scratch.

mod attention_probe;
mod cut;
mod embedding;
mod finetune;
mod probe;

use brainmae_data::{PreparedDataset, SegmentLayout, Split};
use brainmae_encoder::{Checkpoint, EncoderError};
use brainmae_model::{BrainMae, BrainMaeConfig, DataShape};
use brainmae_train::{OptimizerConfig, Plan, Schedule};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

pub use attention_probe::AttentionProbe;
pub use finetune::FineTune;
pub use probe::LinearProbe;

use crate::{DownstreamError, Problem};

/// The encoder that the learners of one fold start from.
#[derive(Clone)]
pub struct FoldEncoder {
    pub(crate) config: BrainMaeConfig,
    /// Lengths of segments and samples, in volumes.
    pub(crate) layout: SegmentLayout,
    /// Pretrained weights, without autodiff; `None` for random ones.
    pub(crate) weights: Option<BrainMae>,
}

impl FoldEncoder {
    /// An encoder that starts from random weights.
    pub fn untrained(config: BrainMaeConfig, layout: SegmentLayout) -> Self {
        Self {
            config,
            layout,
            weights: None,
        }
    }

    /// The encoder of `checkpoint` on `device`, for the fold `split` of `dataset`.
    ///
    /// # Errors
    /// If the data differ from the checkpoint's, or if the encoder was trained on a test scan of
    /// the fold: see [`Checkpoint::encoder_for`].
    pub fn pretrained(
        checkpoint: &Checkpoint,
        dataset: &PreparedDataset,
        layout: SegmentLayout,
        split: &Split,
        device: &Device,
    ) -> Result<Self, EncoderError> {
        let encoder = checkpoint.encoder_for(dataset, layout, split.unit, &split.test, device)?;
        Ok(Self {
            config: encoder.config().clone(),
            layout,
            weights: Some(encoder.model().clone()),
        })
    }

    /// A small encoder with random weights in place of pretrained ones.
    #[cfg(test)]
    pub(crate) fn small(n_rois: usize, layout: SegmentLayout) -> Self {
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
        let weights = config.init(data, rng, &Device::flex());
        Self {
            config,
            layout,
            weights: Some(weights.expect("sizes fit")),
        }
    }

    /// The same encoder without its pretrained weights.
    pub fn without_weights(&self) -> Self {
        Self::untrained(self.config.clone(), self.layout)
    }

    /// The model at the start of training.
    fn start(&self, problem: &Problem) -> Result<BrainMae, DownstreamError> {
        if let Some(weights) = &self.weights {
            return Ok(weights.clone());
        }
        let data = DataShape {
            n_rois: problem.n_rois,
            segment_len_trs: self.layout.segment_len_trs,
        };
        let rng = &mut problem.seeds.stream("encoder");
        Ok(self.config.init(data, rng, &problem.device)?)
    }
}

/// Settings of fine-tuning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FineTuneConfig {
    /// Maximum number of passes over the training scans.
    pub max_epochs: usize,
    /// Passes without a better validation loss after which training stops.
    pub patience: usize,
    /// Samples per step.
    pub batch_size: usize,
    /// Highest learning rate. It is reached by linear warm-up over a tenth of the steps; then it
    /// follows a cosine down to a hundredth of it.
    pub lr: f64,
    /// Weight decay of the weight matrices.
    pub weight_decay: f64,
}

impl Default for FineTuneConfig {
    fn default() -> Self {
        Self {
            max_epochs: 40,
            patience: 10,
            batch_size: 16,
            lr: 3e-4,
            weight_decay: 0.05,
        }
    }
}

impl FineTuneConfig {
    /// Course of a training of `rounds` validations, `per_round` steps apart. The learning rate
    /// rises over a tenth of the steps and falls to a hundredth.
    fn plan(&self, rounds: u64, per_round: u64) -> Plan {
        Plan {
            steps: rounds * per_round,
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
        }
    }
}

#[cfg(test)]
mod tests;
