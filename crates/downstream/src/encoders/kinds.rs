//! The learners that use an encoder, in the registry.

use std::marker::PhantomData;
use std::sync::Arc;

use brainmae_encoder::EncoderModel;

use super::{AttentionProbe, FineTune, LinearProbe, Readout};
use crate::linear::linear_title;
use crate::registry::{LearnerKind, Settings};
use crate::{Kind, Learner};

/// How a learner uses an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// Pretrained, then trained as a whole.
    FineTuned,
    /// The same, reading CLS alone: an ablation.
    FineTunedCls,
    /// Pretrained and frozen under a linear model.
    Probe,
    /// Pretrained and frozen under attention pooling.
    AttentionProbe,
    /// Trained from random weights.
    Scratch,
}

/// The learners that use a model `M`: fine-tuned, also with CLS alone, frozen under a linear probe
/// or an attention probe, and from scratch.
pub fn encoder_learners<M: EncoderModel>() -> Vec<Arc<dyn LearnerKind>> {
    let all = [
        (Use::FineTuned, ""),
        (Use::FineTunedCls, "-cls"),
        (Use::Probe, "-probe"),
        (Use::AttentionProbe, "-attention-probe"),
        (Use::Scratch, "-scratch"),
    ];
    let kind = |(usage, suffix)| -> Arc<dyn LearnerKind> {
        Arc::new(EncoderLearner {
            name: format!("{}{suffix}", M::KIND),
            usage,
            of: PhantomData::<fn() -> M>,
        })
    };
    all.map(kind).into()
}

struct EncoderLearner<M> {
    name: String,
    usage: Use,
    of: PhantomData<fn() -> M>,
}

impl<M: EncoderModel> LearnerKind for EncoderLearner<M> {
    fn name(&self) -> &str {
        &self.name
    }

    fn title(&self, kind: Kind) -> String {
        match self.usage {
            Use::FineTuned => M::TITLE.to_string(),
            Use::FineTunedCls => format!("{}, CLS alone", M::TITLE),
            Use::Probe => format!("{} frozen + {}", M::TITLE, linear_title(kind)),
            Use::AttentionProbe => format!("{} frozen + attention", M::TITLE),
            Use::Scratch => format!("{} from scratch", M::TITLE),
        }
    }

    fn encoder(&self) -> Option<&'static str> {
        Some(M::KIND)
    }

    fn is_pretrained(&self) -> bool {
        self.usage != Use::Scratch
    }

    fn learner(&self, settings: &Settings) -> Box<dyn Learner> {
        let (title, encoder) = (self.title(settings.kind), settings.encoder.clone());
        let readout = settings.readout;
        let tuned = |encoder, readout| {
            FineTune::<M>::new(&title, encoder, settings.finetune.clone(), readout)
        };
        match self.usage {
            Use::FineTuned => Box::new(tuned(encoder, readout)),
            Use::FineTunedCls => Box::new(tuned(encoder, Readout::Cls)),
            Use::Probe => Box::new(LinearProbe::new(&title, encoder, readout)),
            Use::AttentionProbe => Box::new(AttentionProbe::new(&title, encoder)),
            Use::Scratch => Box::new(tuned(encoder.without_weights(), readout)),
        }
    }
}
