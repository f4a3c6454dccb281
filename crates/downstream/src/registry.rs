//! Registry of learners by name.

use std::sync::Arc;

use brainmae_encoder::EncoderModel;
use brainmae_model::BrainMae;

use crate::constant::Constant;
use crate::encoders::{FineTuneConfig, FoldEncoder, Readout, encoder_learners};
use crate::features::{Autocorrelation, Confounds, Fc, FcLog, Features, MeanSignal, Tangent, Time};
use crate::linear::spec::LinearSpec;
use crate::linear::{LinearKind, Method};
use crate::neural::bnt::Bnt;
use crate::neural::bolt::Bolt;
use crate::neural::brainnetcnn::BrainNetCnn;
use crate::neural::fbnetgen::FbNetGen;
use crate::neural::mean_mlp::MeanMlp;
use crate::neural::stagin::{self, Stagin};
use crate::neural::transformer::Transformer;
use crate::neural::{Architecture, Budget, Neural};
use crate::{DownstreamError, Kind, Learner};

/// Name of functional connectivity with a linear model, the reference for all other models.
pub const REFERENCE: &str = Fc::NAME;

/// Name of the place in the scan with a linear model, which every target of segments has beside its
/// models.
pub const PLACE: &str = Time::NAME;

/// A kind of learner in the registry: its name, and how one is made for a target.
pub trait LearnerKind: Send + Sync {
    /// Name in experiment files.
    fn name(&self) -> &str;

    /// Earlier name in experiment files, which is still understood.
    fn former_name(&self) -> Option<&str> {
        None
    }

    /// Name in tables, for targets of this kind.
    fn title(&self, kind: Kind) -> String {
        let _ = kind;
        self.name().to_string()
    }

    /// Kind of the encoder that it uses; `None` if it uses none.
    fn encoder(&self) -> Option<&'static str> {
        None
    }

    /// Whether it starts from pretrained weights.
    fn is_pretrained(&self) -> bool {
        false
    }

    /// Whether it predicts targets of segments only; targets of whole scans go without it.
    fn needs_segments(&self) -> bool {
        false
    }

    /// Whether it is a linear model of features that need no encoder, or the constant predictor.
    /// Such models are fitted again if the folds are repeated.
    fn is_linear(&self) -> bool {
        false
    }

    /// A learner with these settings.
    fn learner(&self, settings: &Settings) -> Box<dyn Learner>;
}

/// What a learner is made of.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// Kind of the target.
    pub kind: Kind,
    /// Encoder of the fold, with its pretrained weights if there are any.
    pub encoder: &'a FoldEncoder,
    /// Settings of fine-tuning.
    pub finetune: &'a FineTuneConfig,
    /// What fine-tuning and the linear probe read of an encoder.
    pub readout: Readout,
    /// Limits on the training of neural baselines.
    pub budget: Budget,
    /// Preparation of features of signals for linear models.
    pub linear: LinearSpec,
}

/// The learners that are known, by name.
#[derive(Clone)]
pub struct LearnerKinds(Vec<Arc<dyn LearnerKind>>);

impl LearnerKinds {
    /// The learners that this program brings along.
    ///
    /// Time of an epoch of 100 scans with 300 volumes and 200 ROIs on two cores: less than 1 s
    /// (mean-mlp) to about 6 s (fbnetgen), 20 s for brainnetcnn, minutes for bolt and stagin. The
    /// last three need a GPU.
    pub fn built_in() -> Self {
        Self(Vec::new())
            .with(ConstantKind)
            .with_features(Confounds)
            .with_features(Time)
            .with_features(MeanSignal)
            .with_features(Autocorrelation)
            .with_features(Fc)
            .with_features(FcLog)
            .with_features(Tangent)
            .with(LinearKind::new(Fc, Method::Svm))
            .with(LinearKind::new(Fc, Method::KernelRidge))
            .with_encoder::<BrainMae>()
            .with(BrainNetCnn::default())
            .with(Bnt::default())
            .with(Bnt::plain())
            .with(Stagin::new(stagin::Readout::Garo))
            .with(Stagin::new(stagin::Readout::Sero))
            .with(FbNetGen::default())
            .with(Transformer::default())
            .with(MeanMlp::default())
            .with(Bolt::default())
    }

    /// The same learners and one more; one of the same name is replaced. A network becomes a
    /// learner by implementing [`Architecture`].
    pub fn with(self, learner: impl LearnerKind + 'static) -> Self {
        self.and(Arc::new(learner))
    }

    /// The same learners and the linear model of one more kind of features.
    pub fn with_features(self, features: impl Features) -> Self {
        self.with(LinearKind::new(features, Method::Regression))
    }

    /// The same learners, and those that use the encoder `M`.
    pub fn with_encoder<M: EncoderModel>(self) -> Self {
        (encoder_learners::<M>().into_iter()).fold(self, Self::and)
    }

    fn and(mut self, learner: Arc<dyn LearnerKind>) -> Self {
        self.0.retain(|known| known.name() != learner.name());
        self.0.push(learner);
        self
    }

    /// Names of all learners.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|learner| learner.name())
    }

    /// The learner called `name`, now or in earlier versions.
    ///
    /// # Errors
    /// [`DownstreamError::UnknownLearner`] lists the known ones.
    pub fn find(&self, name: &str) -> Result<&dyn LearnerKind, DownstreamError> {
        let found = self.0.iter().find(|learner| learner.name() == name);
        let former = |learner: &&Arc<dyn LearnerKind>| learner.former_name() == Some(name);
        let found = found.or_else(|| self.0.iter().find(former));
        let found = found.ok_or_else(|| DownstreamError::UnknownLearner {
            found: name.to_string(),
            known: self.names().map(String::from).collect(),
        })?;
        Ok(&**found)
    }
}

/// The constant predictor.
struct ConstantKind;

impl LearnerKind for ConstantKind {
    fn name(&self) -> &str {
        "constant"
    }

    fn is_linear(&self) -> bool {
        true
    }

    fn learner(&self, _settings: &Settings) -> Box<dyn Learner> {
        Box::new(Constant)
    }
}

/// A network, trained from random weights.
impl<A: Architecture> LearnerKind for A {
    fn name(&self) -> &str {
        self.paper().name
    }

    fn learner(&self, settings: &Settings) -> Box<dyn Learner> {
        Box::new(Neural {
            architecture: self.clone(),
            budget: settings.budget,
        })
    }
}

#[cfg(test)]
mod tests;
