//! Linear models of features, in the registry.

use std::sync::Arc;

use super::LinearLearner;
use super::spec::LinearSpec;
use crate::features::Features;
use crate::registry::{LearnerKind, Settings};
use crate::{Kind, Learner};

/// The linear model of a kind of features.
pub(crate) struct LinearKind(pub Arc<dyn Features>);

impl LearnerKind for LinearKind {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn former_name(&self) -> Option<&str> {
        self.0.former_name()
    }

    fn title(&self, kind: Kind) -> String {
        format!("{} + {}", self.0.title(), linear_title(kind))
    }

    fn needs_segments(&self) -> bool {
        self.0.need_segments()
    }

    fn learner(&self, settings: &Settings) -> Box<dyn Learner> {
        let spec = match self.0.are_of_signals() {
            true => settings.linear,
            false => LinearSpec::default(),
        };
        let title = self.title(settings.kind);
        Box::new(LinearLearner::new(&title, Arc::clone(&self.0), spec))
    }
}

/// Name of the linear model for targets of this kind.
pub(crate) fn linear_title(kind: Kind) -> &'static str {
    match kind {
        Kind::Regression => "ridge",
        Kind::Classification { .. } => "logistic",
    }
}
