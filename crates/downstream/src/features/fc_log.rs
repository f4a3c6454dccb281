//! Functional connectivity as deviations from the log-Euclidean mean of the training set.

use brainmae_statistics::linear::map_eigenvalues;
use nalgebra::DMatrix;
use rayon::prelude::*;

use brainmae_signals::fc::upper_triangle;

use super::{Features, FittedFeatures, fc_of};
use crate::{Example, Labelled, Problem, Scan};

/// Share of the identity in each shrunk correlation matrix. It makes the matrix invertible for
/// scans of any length.
const SHRINKAGE: f64 = 0.1;

/// Number of matrices in memory at once during the fit.
const AT_A_TIME: usize = 64;

/// Shrunk correlations as [deviations](LogEuclidean) from their log-Euclidean mean.
#[derive(Clone, Copy, Debug)]
pub struct FcLog;

impl Features for FcLog {
    fn name(&self) -> &str {
        "fc-log"
    }

    fn former_name(&self) -> Option<&str> {
        Some("fc-tangent")
    }

    fn title(&self) -> &str {
        "log-Euclidean FC"
    }

    fn fit(&self, _problem: &Problem, training: &Labelled) -> Box<dyn FittedFeatures> {
        let list: Vec<_> = training.examples.iter().collect();
        let fc = |i: usize| fc_of(list[i].0, list[i].1);
        Box::new(LogEuclidean::fit(list.len(), fc))
    }
}

impl FittedFeatures for LogEuclidean {
    fn row(&self, scan: &Scan, example: Example) -> Vec<f32> {
        self.features(&fc_of(scan, example))
    }
}

/// Log-Euclidean mean of the shrunk correlations of a training set, and deviations from it.
///
/// ```text
/// features = log( G^-1/2 C G^-1/2 ),  C = 0.9 FC + 0.1 I,  G = exp( mean over training of log C )
/// ```
/// # Source
/// Arsigny et al. 2006 (log-Euclidean mean, which needs no iteration). The deviations have the form
/// of Varoquaux et al. 2010; [`Tangent`](super::Tangent) follows them in all parts.
#[derive(Clone, Debug)]
pub struct LogEuclidean {
    whitening: DMatrix<f64>,
}

impl LogEuclidean {
    /// Fits the mean of `n` correlation matrices; `correlations` returns each by its number. `n` is
    /// at least 1.
    pub fn fit(n: usize, correlations: impl Fn(usize) -> DMatrix<f32> + Sync) -> Self {
        let numbers: Vec<usize> = (0..n).collect();
        let log = |number: &usize| map_eigenvalues(&shrunk(&correlations(*number)), f64::ln);
        // Sums are added in a fixed order, so the number of threads does not change the result.
        // They are computed in chunks, because all matrices together may not fit in memory.
        let sums = numbers.chunks(AT_A_TIME).map(|numbers| {
            let logs: Vec<DMatrix<f64>> = numbers.par_iter().map(log).collect();
            logs.into_iter().sum::<DMatrix<f64>>()
        });
        let mean = sums.sum::<DMatrix<f64>>() / n as f64;
        Self {
            whitening: map_eigenvalues(&mean, |log| (-0.5 * log).exp()),
        }
    }

    /// Deviations of one correlation matrix: its upper triangle with the diagonal, row-major;
    /// `rois * (rois + 1) / 2` elements. Off-diagonal elements are scaled by `sqrt 2`, so the norm
    /// of the vector is the norm of the matrix.
    pub fn features(&self, correlations: &DMatrix<f32>) -> Vec<f32> {
        let white = &self.whitening * shrunk(correlations) * &self.whitening;
        let log = map_eigenvalues(&white, f64::ln);
        let mut features = upper_triangle(&log, |x| (x * std::f64::consts::SQRT_2) as f32);
        features.extend(log.diagonal().iter().map(|x| *x as f32));
        features
    }
}

fn shrunk(correlations: &DMatrix<f32>) -> DMatrix<f64> {
    let mut c = correlations.map(f64::from) * (1.0 - SHRINKAGE);
    for i in 0..c.nrows() {
        c[(i, i)] += SHRINKAGE;
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correlated(r: f32) -> DMatrix<f32> {
        DMatrix::from_row_slice(2, 2, &[1.0, r, r, 1.0])
    }

    #[test]
    fn the_common_matrix_itself_departs_nowhere() {
        let r = DMatrix::from_row_slice(3, 3, &[1.0, 0.5, -0.2, 0.5, 1.0, 0.3, -0.2, 0.3, 1.0]);
        let features = LogEuclidean::fit(1, |_| r.clone()).features(&r);
        assert_eq!(features.len(), 6);
        assert!(features.iter().all(|x| x.abs() < 1e-5), "{features:?}");
    }

    #[test]
    fn the_common_matrix_is_the_mean_of_all() {
        // C of r and C of -r have the eigenvalues 1 ± 0.45 with exchanged eigenvectors. The mean of
        // log C is the mean of both logarithms, times the identity. The test uses more matrices
        // than one chunk.
        let n = 2 * AT_A_TIME + 2;
        let space = LogEuclidean::fit(n, |i| correlated([0.5, -0.5][i % 2]));
        let features = space.features(&correlated(0.0));
        assert!(features[0].abs() < 1e-6, "{features:?}");
        let expected = -0.5 * (1.45_f32 * 0.55).ln();
        assert!((features[1] - expected).abs() < 1e-5, "{features:?}");
    }

    #[test]
    fn departures_of_diagonal_matrices_are_logarithms() {
        // From uncorrelated ROIs (log C = 0) to correlation 1: eigenvalues of C are 1 ± 0.9.
        let space = LogEuclidean::fit(1, |_| correlated(0.0));
        let features = space.features(&correlated(1.0));
        let (high, low) = (1.9f32.ln(), 0.1f32.ln());
        assert!((features[0] - (high - low) / 2.0 * 2f32.sqrt()).abs() < 1e-4);
        assert!((features[1] - (high + low) / 2.0).abs() < 1e-4);
    }
}
