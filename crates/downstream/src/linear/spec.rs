//! What is done to features before a linear model sees them.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::deconfound::Deconfound;
use super::principal::Principal;
use crate::features::{Features, FittedFeatures};
use crate::{DownstreamError, Examples, Labelled, Problem};

/// Preparation of functional connectivity and mean signals for linear models. The default does
/// nothing. Whatever is learned for it is learned from the training side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinearSpec {
    /// Takes away what confounds (age, sex, site, motion) explain of every feature.
    pub regress_confounds: bool,
    /// Keeps that many principal components, after confounds are gone; fewer where there are fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pca: Option<usize>,
}

impl LinearSpec {
    /// Whether it asks for nothing.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// # Errors
    /// [`DownstreamError::Config`] for no components at all.
    pub fn check(&self) -> Result<(), DownstreamError> {
        if self.pca == Some(0) {
            return Err(DownstreamError::Config {
                field: "pca".into(),
                found: "0".into(),
                expected: "at least 1 component; leave it out for features as they are".into(),
            });
        }
        Ok(())
    }

    /// Learns from the training side; gives its rows too, `[examples, columns]`.
    ///
    /// # Errors
    /// [`DownstreamError::Fit`] if there are no features.
    pub fn fit(
        self,
        features: Features,
        problem: &Problem,
        training: &Labelled,
    ) -> Result<(Prepared, DMatrix<f64>), DownstreamError> {
        let features = features.fit(problem, training);
        let mut x = features.of(problem, &training.examples)?;
        let mut deconfound = None;
        if self.regress_confounds {
            let confounds = Features::Confounds.fit(problem, training);
            let known = confounds.of(problem, &training.examples)?;
            let fitted = Deconfound::fit(&known, &x);
            if fitted.rank() + 1 >= x.nrows() {
                tracing::warn!(
                    target = problem.target,
                    examples = x.nrows(),
                    confounds = fitted.rank(),
                    "as many confounds as training examples: nothing is left of the features"
                );
            }
            x = fitted.apply(&known, x);
            deconfound = Some((confounds, fitted));
        }
        let principal = self.pca.map(|wanted| {
            let fitted = Principal::fit(&x, wanted);
            let found = fitted.n_components();
            if found < wanted {
                tracing::warn!(
                    target = problem.target,
                    "pca is {wanted}, and the training side has {found} components"
                );
            }
            fitted
        });
        if let Some(principal) = &principal {
            x = principal.apply(x);
        }
        let prepared = Prepared {
            features,
            deconfound,
            principal,
        };
        Ok((prepared, x))
    }
}

/// Features, and what is done to them, with all that was learned of the training side.
#[derive(Clone, Debug)]
pub struct Prepared {
    features: FittedFeatures,
    deconfound: Option<(FittedFeatures, Deconfound)>,
    principal: Option<Principal>,
}

impl Prepared {
    /// One row per example.
    ///
    /// # Errors
    /// [`DownstreamError::Fit`] if there are none.
    pub fn of(
        &self,
        problem: &Problem,
        examples: &Examples,
    ) -> Result<DMatrix<f64>, DownstreamError> {
        let mut x = self.features.of(problem, examples)?;
        if let Some((confounds, fitted)) = &self.deconfound {
            x = fitted.apply(&confounds.of(problem, examples)?, x);
        }
        Ok(match &self.principal {
            Some(principal) => principal.apply(x),
            None => x,
        })
    }
}

#[cfg(test)]
mod tests;
