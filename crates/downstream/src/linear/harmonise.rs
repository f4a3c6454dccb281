//! Harmonisation of features over sites.

use std::collections::BTreeSet;

use brainmae_statistics::linear::Combat;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::confounds::{AGE, SEX};
use crate::features::{Confounds, Features, FittedFeatures, rows};
use crate::{DownstreamError, Examples, FitError, Labelled, Problem};

/// Fewest training examples of a site.
const LEAST_EXAMPLES: usize = 2;

/// Name of the preparation in messages.
const NAME: &str = "harmonisation by site";

/// Kind of harmonisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harmonise {
    /// [`Combat`]: the shift and scale of each feature at each site are taken away.
    Combat,
    /// The same, with the effects of age and sex kept, as far as they are known and not the target.
    /// A missing value is the mean of the training set.
    CombatPreserving,
}

/// Harmonisation fitted on the training set.
pub(super) struct Harmonised {
    /// Sites of the training set, sorted.
    sites: Vec<String>,
    /// All confounds, and the places of those whose effects are kept.
    confounds: Box<dyn FittedFeatures>,
    kept: Vec<usize>,
    /// `None` if the training set has one site, so that nothing is to be taken away.
    combat: Option<Combat>,
}

impl Harmonise {
    /// Fits on the training set and its features `x`, `[examples, columns]`.
    ///
    /// # Errors
    /// [`DownstreamError::Fit`] if the site of a scan is not known, or a site has one example only.
    pub(super) fn fit(
        self,
        problem: &Problem,
        training: &Labelled,
        x: &DMatrix<f64>,
    ) -> Result<Harmonised, DownstreamError> {
        let mut sites = BTreeSet::new();
        for (scan, _) in training.examples.iter() {
            let unknown = || FitError::UnknownSite {
                scan: scan.scan.clone(),
            };
            let site = scan.site.as_ref();
            sites.insert(
                site.ok_or_else(|| problem.refused(NAME, unknown()))?
                    .clone(),
            );
        }
        let kept = match self {
            Self::Combat => Vec::new(),
            Self::CombatPreserving => {
                let is_kept = |name: &str| {
                    let column = name.split('=').next().unwrap_or_default();
                    [AGE, SEX].contains(&column)
                };
                let places = 0..problem.confounds.len();
                places.filter(|i| is_kept(&problem.confounds[*i])).collect()
            }
        };
        let mut fitted = Harmonised {
            sites: sites.into_iter().collect(),
            confounds: Confounds.fit(problem, training),
            kept,
            combat: None,
        };
        let numbers = fitted.numbers(problem, &training.examples)?;
        for (number, site) in fitted.sites.iter().enumerate() {
            let n = numbers.iter().filter(|other| **other == number).count();
            if n < LEAST_EXAMPLES {
                let site = site.clone();
                return Err(problem.refused(NAME, FitError::FewAtSite { site, n }));
            }
        }
        if fitted.sites.len() > 1 {
            let covariates = fitted.covariates(problem, &training.examples)?;
            fitted.combat = Some(Combat::fit(x, &numbers, &covariates));
        }
        Ok(fitted)
    }
}

impl Harmonised {
    /// Features `x` of examples without the effects of their sites.
    ///
    /// # Errors
    /// [`DownstreamError::Fit`] for a scan of a site that the training set does not have.
    pub(super) fn apply(
        &self,
        problem: &Problem,
        examples: &Examples,
        x: DMatrix<f64>,
    ) -> Result<DMatrix<f64>, DownstreamError> {
        let numbers = self.numbers(problem, examples)?;
        Ok(match &self.combat {
            Some(combat) => combat.apply(x, &numbers, &self.covariates(problem, examples)?),
            None => x,
        })
    }

    /// Number of the site of each example.
    fn numbers(
        &self,
        problem: &Problem,
        examples: &Examples,
    ) -> Result<Vec<usize>, DownstreamError> {
        let number = |scan: &crate::Scan| match &scan.site {
            None => Err(FitError::UnknownSite {
                scan: scan.scan.clone(),
            }),
            Some(site) => self
                .sites
                .binary_search(site)
                .map_err(|_| FitError::NewSite {
                    scan: scan.scan.clone(),
                    site: site.clone(),
                    known: self.sites.clone(),
                }),
        };
        let numbers = examples.iter().map(|(scan, _)| number(scan));
        let numbers: Result<Vec<usize>, FitError> = numbers.collect();
        numbers.map_err(|reason| problem.refused(NAME, reason))
    }

    /// Confounds whose effects are kept, `[examples, confounds]`.
    fn covariates(
        &self,
        problem: &Problem,
        examples: &Examples,
    ) -> Result<DMatrix<f64>, DownstreamError> {
        if self.kept.is_empty() {
            return Ok(DMatrix::zeros(examples.len(), 0));
        }
        let all = rows(&*self.confounds, problem, examples)?;
        Ok(all.select_columns(&self.kept))
    }
}

#[cfg(test)]
mod tests;
