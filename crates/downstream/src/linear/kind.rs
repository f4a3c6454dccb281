//! Linear models of features, in the registry.

use std::sync::Arc;

use super::spec::LinearSpec;
use super::{LinearLearner, Method};
use crate::features::Features;
use crate::registry::{LearnerKind, Settings};
use crate::{Kind, Learner};

/// A linear model of a kind of features.
pub(crate) struct LinearKind {
    name: String,
    features: Arc<dyn Features>,
    method: Method,
}

impl LinearKind {
    /// The model of `features` by `method`; its name is that of the features, with that of a method
    /// other than regression.
    pub fn new(features: impl Features, method: Method) -> Self {
        let name = [features.name(), method.suffix()].concat();
        Self {
            name,
            features: Arc::new(features),
            method,
        }
    }
}

impl LearnerKind for LinearKind {
    fn name(&self) -> &str {
        &self.name
    }

    fn former_name(&self) -> Option<&str> {
        match self.method {
            Method::Regression => self.features.former_name(),
            _ => None,
        }
    }

    fn title(&self, kind: Kind) -> String {
        format!("{} + {}", self.features.title(), self.method.title(kind))
    }

    fn needs_segments(&self) -> bool {
        self.features.need_segments()
    }

    fn is_linear(&self) -> bool {
        true
    }

    fn learner(&self, settings: &Settings) -> Box<dyn Learner> {
        let spec = match self.features.are_of_signals() {
            true => settings.linear,
            false => LinearSpec::default(),
        };
        let title = self.title(settings.kind);
        let features = Arc::clone(&self.features);
        Box::new(LinearLearner::new(&title, features, spec).by(self.method))
    }
}

/// Name of the regression for targets of this kind.
pub(crate) fn linear_title(kind: Kind) -> &'static str {
    match kind {
        Kind::Regression => "ridge",
        Kind::Classification { .. } => "logistic",
    }
}
