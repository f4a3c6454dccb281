//! Features of linear models, computed from signals.

pub mod tangent;

use brainmae_signals::fc::fisher_z;
use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::{DownstreamError, Example, Examples, FitError, Labelled, Problem, Scan};
use tangent::TangentSpace;

/// Functional connectivity of an example of `scan` over its [uncensored](Scan::kept) volumes;
/// computed once if it fits into [`Computed`](crate::Computed).
pub fn fc_of(scan: &Scan, example: Example) -> DMatrix<f32> {
    scan.computed.fc(scan, example)
}

/// Functional connectivity of every example; each thread computes one example at a time.
pub fn fc_of_examples(examples: &Examples) -> Vec<DMatrix<f32>> {
    let list: Vec<_> = examples.iter().collect();
    (list.par_iter())
        .map(|(scan, example)| fc_of(scan, *example))
        .collect()
}

/// Kind of features of a linear model. Features of signals use [uncensored](crate::Scan::kept)
/// volumes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Features {
    /// Fisher's z of the correlation of each pair of ROIs.
    Fc,
    /// Functional connectivity in the tangent space at the mean of the training set.
    FcTangent,
    /// Mean of each ROI's signal. For a whole scan it is 0 if cleaning z-scored the signals; then
    /// nothing can be learned.
    MeanSignal,
    /// Age, sex, motion, site: confounds without brain data. Missing values are set to the mean of
    /// the training set.
    Confounds,
}

impl Features {
    /// Fits the parameters of the features on the training set.
    pub fn fit(self, problem: &Problem, training: &Labelled) -> FittedFeatures {
        let examples = &training.examples;
        match self {
            Features::Fc => FittedFeatures::Fc,
            Features::MeanSignal => FittedFeatures::MeanSignal,
            Features::FcTangent => {
                let list: Vec<_> = examples.iter().collect();
                let fc = |i: usize| fc_of(list[i].0, list[i].1);
                FittedFeatures::FcTangent(TangentSpace::fit(list.len(), fc))
            }
            Features::Confounds => {
                let mean = |at: usize| {
                    let known = examples.iter().filter_map(|(scan, _)| scan.confounds[at]);
                    let (sum, n) = known.fold((0.0, 0usize), |(sum, n), x| (sum + x, n + 1));
                    sum / n.max(1) as f64
                };
                FittedFeatures::Confounds((0..problem.confounds.len()).map(mean).collect())
            }
        }
    }
}

/// Features with parameters fitted on the training set.
#[derive(Clone, Debug)]
pub enum FittedFeatures {
    /// No parameters.
    Fc,
    /// The tangent space.
    FcTangent(TangentSpace),
    /// No parameters.
    MeanSignal,
    /// Means of the confounds.
    Confounds(Vec<f64>),
}

impl FittedFeatures {
    /// Features, one row per example.
    ///
    /// # Errors
    /// [`DownstreamError::Fit`] if there are no features, such as confounds if none is known.
    pub fn of(
        &self,
        problem: &Problem,
        examples: &Examples,
    ) -> Result<DMatrix<f64>, DownstreamError> {
        let list: Vec<_> = examples.iter().collect();
        let rows: Vec<Vec<f32>> = list
            .par_iter()
            .map(|(scan, example)| match self {
                FittedFeatures::Fc => fisher_z(&fc_of(scan, *example)),
                FittedFeatures::FcTangent(space) => space.features(&fc_of(scan, *example)),
                FittedFeatures::MeanSignal => means(scan.kept(*example), scan.series.n_rois()),
                FittedFeatures::Confounds(mean) => (scan.confounds.iter().zip(mean))
                    .map(|(value, mean)| value.unwrap_or(*mean) as f32)
                    .collect(),
            })
            .collect();
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 {
            return Err(DownstreamError::Fit {
                learner: "a linear model".into(),
                target: problem.target.clone(),
                reason: FitError::NoFeatures,
            });
        }
        let values = rows.iter().flatten().map(|value| f64::from(*value));
        Ok(DMatrix::from_row_iterator(rows.len(), width, values))
    }
}

fn means<'a>(volumes: impl Iterator<Item = &'a [f32]>, n_rois: usize) -> Vec<f32> {
    let mut n = 0.0;
    let mut sums = vec![0.0_f64; n_rois];
    for volume in volumes {
        n += 1.0;
        for (sum, value) in sums.iter_mut().zip(volume) {
            *sum += f64::from(*value);
        }
    }
    sums.iter().map(|sum| (sum / n) as f32).collect()
}

#[cfg(test)]
mod tests;
