//! Covariances in the tangent space at their geometric mean over the training set.

use std::f64::consts::SQRT_2;

use brainmae_signals::fc::ledoit_wolf;
use brainmae_statistics::linear::{GeometricMean, Scaling, map_eigenvalues};
use nalgebra::DMatrix;

use super::{Features, FittedFeatures, fc_of};
use crate::{Example, Labelled, Problem, Scan};

/// Least share of the identity in a covariance. Ledoit and Wolf's is larger, except for examples
/// of two or fewer volumes, which would have no logarithm.
const LEAST_SHRINKAGE: f64 = 1e-4;

/// Ledoit-Wolf covariances of standardised signals in the [tangent space](TangentSpace) at their
/// geometric mean. Columns are centred and not scaled one by one: the whitening has given them
/// one scale.
#[derive(Clone, Copy, Debug)]
pub struct Tangent;

impl Features for Tangent {
    fn name(&self) -> &str {
        "tangent"
    }

    fn title(&self) -> &str {
        "tangent space"
    }

    fn scaling(&self) -> Scaling {
        Scaling::AllColumns
    }

    fn fit(&self, problem: &Problem, training: &Labelled) -> Box<dyn FittedFeatures> {
        let list: Vec<_> = training.examples.iter().collect();
        let space = TangentSpace::fit(list.len(), |i| covariance(list[i].0, list[i].1));
        if !space.mean.is_found() {
            tracing::warn!(
                target = problem.target,
                residual = space.mean.residual,
                "the geometric mean of the covariances is not exact: the steps did not converge"
            );
        }
        Box::new(space)
    }
}

impl FittedFeatures for TangentSpace {
    fn row(&self, scan: &Scan, example: Example) -> Vec<f32> {
        self.features(&covariance(scan, example))
    }
}

/// Tangent space at the geometric mean `G` of the covariances of a training set.
///
/// ```text
/// features = log( G^-1/2 C G^-1/2 )
/// ```
/// # Source
/// Varoquaux et al. 2010; the same as `nilearn.connectome.ConnectivityMeasure(kind="tangent",
/// vectorize=True)` of standardised signals, times √2 (there the diagonal is divided by √2, here
/// the elements beside it are multiplied).
#[derive(Clone, Debug)]
pub struct TangentSpace {
    mean: GeometricMean,
}

impl TangentSpace {
    /// Fits the mean of `n` covariances; `covariance` returns each by its number. `n` is at least
    /// 1. An example of a subject counts as much as one of any other.
    pub fn fit(n: usize, covariance: impl Fn(usize) -> DMatrix<f64> + Sync) -> Self {
        Self {
            mean: GeometricMean::fit(n, covariance),
        }
    }

    /// Tangent vector of one covariance: its lower triangle with the diagonal, row by row;
    /// `rois * (rois + 1) / 2` elements. Elements beside the diagonal are multiplied by √2, so the
    /// norm of the vector is the norm of the matrix.
    pub fn features(&self, covariance: &DMatrix<f64>) -> Vec<f32> {
        let whitening = &self.mean.whitening;
        let log = map_eigenvalues(&(whitening * covariance * whitening), f64::ln);
        let weighted = |i: usize, j: usize| log[(i, j)] * if i == j { 1.0 } else { SQRT_2 };
        (0..log.nrows())
            .flat_map(|i| (0..=i).map(move |j| (i, j)))
            .map(|(i, j)| weighted(i, j) as f32)
            .collect()
    }
}

/// Ledoit-Wolf covariance of the signals of an example, standardised over its
/// [uncensored](Scan::kept) volumes, `[rois, rois]`: a share of the correlations and the rest of
/// the identity. A constant ROI correlates with no other.
fn covariance(scan: &Scan, example: Example) -> DMatrix<f64> {
    let correlations = fc_of(scan, example);
    let share = ledoit_wolf(scan.kept(example), &correlations).max(LEAST_SHRINKAGE);
    let mut covariance = correlations.map(|r| f64::from(r) * (1.0 - share));
    covariance.fill_diagonal(1.0);
    covariance
}

#[cfg(test)]
mod tests;
