//! Learners by name.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::brainmae::{AttentionProbe, FineTune, FineTuneConfig, FoldEncoder, LinearProbe};
use crate::constant::Constant;
use crate::features::Features;
use crate::linear::LinearLearner;
use crate::linear::spec::LinearSpec;
use crate::neural::bnt::Bnt;
use crate::neural::bolt::Bolt;
use crate::neural::brainnetcnn::BrainNetCnn;
use crate::neural::fbnetgen::FbNetGen;
use crate::neural::mean_mlp::MeanMlp;
use crate::neural::stagin::{Readout, Stagin};
use crate::neural::transformer::Transformer;
use crate::neural::{Architecture, Budget, Neural};
use crate::{Kind, Learner};

/// The name of a learner.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
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
    /// BrainMAE, pretrained and frozen under attention pooling.
    BrainmaeAttentionProbe,
    /// BrainMAE without pretraining.
    BrainmaeScratch,
    /// Convolutions over rows and columns of the FC.
    #[serde(rename = "brainnetcnn")]
    #[strum(serialize = "brainnetcnn")]
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
    #[strum(serialize = "fbnetgen")]
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
        matches!(
            self,
            ModelName::Brainmae | ModelName::BrainmaeProbe | ModelName::BrainmaeAttentionProbe
        )
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
            ModelName::BrainmaeAttentionProbe => "BrainMAE frozen + attention".into(),
            ModelName::BrainmaeScratch => "BrainMAE from scratch".into(),
            neural => neural.name().into(),
        }
    }

    /// Its name in lists of models.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The learner. `encoder` has the pretrained weights of the fold, if there are any; `linear` is
    /// for linear models of signals.
    ///
    /// On two cores, an epoch of 100 scans of 300 volumes of 200 ROIs takes from a fraction of a
    /// second (mean-mlp) to some 6 s (fbnetgen); brainnetcnn takes 20 s, bolt and stagin minutes:
    /// these want a GPU.
    pub fn learner(
        self,
        kind: Kind,
        encoder: &FoldEncoder,
        finetune: &FineTuneConfig,
        budget: Budget,
        linear: LinearSpec,
    ) -> Box<dyn Learner> {
        let title = self.title(kind);
        let of = |features, spec| -> Box<dyn Learner> {
            Box::new(LinearLearner::new(&title, features, spec))
        };
        match self {
            ModelName::Constant => Box::new(Constant),
            ModelName::Confounds => of(Features::Confounds, LinearSpec::default()),
            ModelName::MeanSignal => of(Features::MeanSignal, linear),
            ModelName::Fc => of(Features::Fc, linear),
            ModelName::FcTangent => of(Features::FcTangent, linear),
            ModelName::Brainmae => {
                Box::new(FineTune::new(&title, encoder.clone(), finetune.clone()))
            }
            ModelName::BrainmaeProbe => Box::new(LinearProbe::new(&title, encoder.clone())),
            ModelName::BrainmaeAttentionProbe => {
                Box::new(AttentionProbe::new(&title, encoder.clone()))
            }
            ModelName::BrainmaeScratch => {
                let random = encoder.without_weights();
                Box::new(FineTune::new(&title, random, finetune.clone()))
            }
            ModelName::BrainNetCnn => neural(BrainNetCnn::default(), budget),
            ModelName::Bnt => neural(Bnt::default(), budget),
            ModelName::BntPlain => neural(Bnt::plain(), budget),
            ModelName::StaginGaro => neural(Stagin::new(Readout::Garo), budget),
            ModelName::StaginSero => neural(Stagin::new(Readout::Sero), budget),
            ModelName::FbNetGen => neural(FbNetGen::default(), budget),
            ModelName::Transformer => neural(Transformer::default(), budget),
            ModelName::MeanMlp => neural(MeanMlp::default(), budget),
            ModelName::Bolt => neural(Bolt::default(), budget),
        }
    }
}

fn neural<A: Architecture>(architecture: A, budget: Budget) -> Box<dyn Learner> {
    Box::new(Neural {
        architecture,
        budget,
    })
}

#[cfg(test)]
mod tests;
