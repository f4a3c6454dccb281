//! Everyone who predicts, by the names that an experiment file gives them.

use serde::{Deserialize, Serialize};

use crate::brainmae::{Encoder, FineTune, FineTuneConfig, LinearProbe};
use crate::constant::Constant;
use crate::features::Features;
use crate::linear::LinearLearner;
use crate::neural::{self, Budget};
use crate::{DownstreamError, Kind, Learner};

/// A way to predict, as an experiment file names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelName {
    /// The mean, or the shares of the classes.
    Constant,
    /// Age, sex, site, motion.
    Confounds,
    /// Mean of every ROI.
    MeanSignal,
    /// Functional connectivity: what others must beat.
    Fc,
    /// Functional connectivity in the tangent space.
    FcTangent,
    /// BrainMAE, pretrained and fine-tuned.
    Brainmae,
    /// BrainMAE, pretrained and frozen under a linear model.
    BrainmaeProbe,
    /// BrainMAE without pretraining.
    BrainmaeScratch,
    /// Convolutions over rows and columns of the FC.
    #[serde(rename = "brainnetcnn")]
    BrainNetCnn,
    /// Brain Network Transformer, with its clustering readout.
    Bnt,
    /// Brain Network Transformer, with a plain readout.
    BntPlain,
    /// Attention over dynamic graphs, GARO readout.
    StaginGaro,
    /// Attention over dynamic graphs, SERO readout.
    StaginSero,
    /// Graphs generated from signals.
    #[serde(rename = "fbnetgen")]
    FbNetGen,
    /// A transformer over volumes.
    Transformer,
    /// An MLP for each volume, averaged.
    MeanMlp,
    /// Fused windows of attention over volumes.
    Bolt,
}

impl ModelName {
    /// Whether it starts from pretrained weights.
    pub fn is_pretrained(self) -> bool {
        matches!(self, ModelName::Brainmae | ModelName::BrainmaeProbe)
    }

    /// Its name in tables, for targets of a kind.
    pub fn title(self, kind: Kind) -> String {
        let linear = match kind {
            Kind::Regression => "ridge",
            Kind::Classification { .. } => "logistic",
        };
        match self {
            ModelName::Constant => "constant".into(),
            ModelName::Confounds => format!("confounds + {linear}"),
            ModelName::MeanSignal => format!("mean signal + {linear}"),
            ModelName::Fc => format!("FC + {linear}"),
            ModelName::FcTangent => format!("tangent FC + {linear}"),
            ModelName::Brainmae => "BrainMAE".into(),
            ModelName::BrainmaeProbe => format!("BrainMAE frozen + {linear}"),
            ModelName::BrainmaeScratch => "BrainMAE from scratch".into(),
            neural => neural.word(),
        }
    }

    /// As an experiment file has it.
    fn word(self) -> String {
        let word = serde_json::to_value(self).ok();
        let word = word.as_ref().and_then(|word| word.as_str());
        word.unwrap_or_default().to_string()
    }

    /// The learner. `encoder` has the pretrained weights of the fold, if there are any.
    pub fn learner(
        self,
        kind: Kind,
        encoder: &Encoder,
        finetune: &FineTuneConfig,
        budget: Budget,
    ) -> Result<Box<dyn Learner>, DownstreamError> {
        let title = self.title(kind);
        let linear =
            |features| -> Box<dyn Learner> { Box::new(LinearLearner::new(&title, features)) };
        Ok(match self {
            ModelName::Constant => Box::new(Constant),
            ModelName::Confounds => linear(Features::Confounds),
            ModelName::MeanSignal => linear(Features::MeanSignal),
            ModelName::Fc => linear(Features::Fc),
            ModelName::FcTangent => linear(Features::FcTangent),
            ModelName::Brainmae => {
                Box::new(FineTune::new(&title, encoder.clone(), finetune.clone()))
            }
            ModelName::BrainmaeProbe => Box::new(LinearProbe::new(&title, encoder.clone())),
            ModelName::BrainmaeScratch => {
                let random = Encoder {
                    weights: None,
                    ..encoder.clone()
                };
                Box::new(FineTune::new(&title, random, finetune.clone()))
            }
            other => neural::learner(&other.word(), budget)?,
        })
    }
}

#[cfg(test)]
mod tests;
