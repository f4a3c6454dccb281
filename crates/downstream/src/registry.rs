//! Registry of learners by name.

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
    /// Constant predictor: the mean, or the class shares.
    Constant,
    /// Age, sex, site, motion.
    Confounds,
    /// Mean of each ROI.
    MeanSignal,
    /// Functional connectivity: the reference for all other models.
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
    /// True if it starts from pretrained weights.
    pub fn is_pretrained(self) -> bool {
        matches!(
            self,
            ModelName::Brainmae | ModelName::BrainmaeProbe | ModelName::BrainmaeAttentionProbe
        )
    }

    /// Name in tables, for targets of this kind.
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

    /// Name in lists of models.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The learner of this name. `encoder` has the pretrained weights of the fold, if there are
    /// any; `linear` applies to linear models of signals.
    ///
    /// Time of an epoch of 100 scans with 300 volumes and 200 ROIs on two cores: less than 1 s
    /// (mean-mlp) to about 6 s (fbnetgen), 20 s for brainnetcnn, minutes for bolt and stagin. The
    /// last three need a GPU.
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
