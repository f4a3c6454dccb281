//! Preparation of features for linear models: harmonisation over sites, removal of confounds,
//! principal components.

use brainmae_statistics::linear::{Deconfound, Principal};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::harmonise::{Harmonise, Harmonised};
use crate::features::{Confounds, Features, FittedFeatures, rows};
use crate::{DownstreamError, Examples, Labelled, Problem};

/// Preparation of features of signals for linear models. By default features
/// are not changed. All parameters are fitted on the training set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinearSpec {
    /// Takes the effects of sites away from each feature, before all else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harmonise: Option<Harmonise>,
    /// Removes the share of each feature that confounds (age, sex, site, motion and further
    /// columns) explain.
    pub regress_confounds: bool,
    /// Number of principal components, after the removal of confounds; fewer if the rank is lower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pca: Option<usize>,
}

impl LinearSpec {
    /// True if features are not changed.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// # Errors
    /// [`DownstreamError::Config`] if the number of components is 0.
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

    /// Fits on the training set; returns the fit and its rows, `[examples, columns]`.
    ///
    /// # Errors
    /// As [`rows`]; [`DownstreamError::Fit`] if features cannot be harmonised over sites.
    pub fn fit(
        self,
        features: &dyn Features,
        problem: &Problem,
        training: &Labelled,
    ) -> Result<(Prepared, DMatrix<f64>), DownstreamError> {
        let features = features.fit(problem, training);
        let mut x = rows(&*features, problem, &training.examples)?;
        let harmonised = match self.harmonise {
            Some(harmonise) => Some(harmonise.fit(problem, training, &x)?),
            None => None,
        };
        if let Some(harmonised) = &harmonised {
            x = harmonised.apply(problem, &training.examples, x)?;
        }
        let mut deconfound = None;
        if self.regress_confounds {
            let confounds = Confounds.fit(problem, training);
            let known = rows(&*confounds, problem, &training.examples)?;
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
                    "pca is {wanted}, and the training set has {found} components"
                );
            }
            fitted
        });
        if let Some(principal) = &principal {
            x = principal.apply(x);
        }
        let prepared = Prepared {
            features,
            harmonised,
            deconfound,
            principal,
        };
        Ok((prepared, x))
    }
}

/// Features and their preparation, with parameters fitted on the training set.
pub struct Prepared {
    features: Box<dyn FittedFeatures>,
    harmonised: Option<Harmonised>,
    deconfound: Option<(Box<dyn FittedFeatures>, Deconfound)>,
    principal: Option<Principal>,
}

impl Prepared {
    /// Features, one row per example.
    ///
    /// # Errors
    /// As [`rows`]; [`DownstreamError::Fit`] for a scan of a site that the training set does not
    /// have, if features are harmonised over sites.
    pub fn of(
        &self,
        problem: &Problem,
        examples: &Examples,
    ) -> Result<DMatrix<f64>, DownstreamError> {
        let mut x = rows(&*self.features, problem, examples)?;
        if let Some(harmonised) = &self.harmonised {
            x = harmonised.apply(problem, examples, x)?;
        }
        if let Some((confounds, fitted)) = &self.deconfound {
            x = fitted.apply(&rows(&**confounds, problem, examples)?, x);
        }
        Ok(match &self.principal {
            Some(principal) => principal.apply(x),
            None => x,
        })
    }
}

#[cfg(test)]
mod tests;
