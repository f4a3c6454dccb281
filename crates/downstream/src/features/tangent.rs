//! Functional connectivity in the tangent space: how a covariance departs from the common one of the training side.

use nalgebra::{DMatrix, SymmetricEigen};

use super::fc::{correlations, upper};

/// Share of the identity that is mixed into each correlation matrix, so that it can be inverted however short a scan is.
const SHRINKAGE: f64 = 0.1;

/// The common matrix of a training side, and the map to departures from it.
///
/// ```text
/// features = log( G^-1/2 C G^-1/2 ),  C = 0.9 FC + 0.1 I,  G = exp( mean over training of log C )
/// ```
/// # Source
/// Varoquaux et al. 2010 (tangent space of covariances); Arsigny et al. 2006 (log-Euclidean mean, which needs no iteration).
#[derive(Clone, Debug)]
pub struct TangentSpace {
    whitening: DMatrix<f64>,
}

impl TangentSpace {
    /// Learns the common matrix; there must be at least one stretch of signals, each `[volumes, rois]`.
    pub fn fit<'a>(signals: impl ExactSizeIterator<Item = &'a [f32]>, n_rois: usize) -> Self {
        let n = signals.len() as f64;
        let mut mean = DMatrix::zeros(n_rois, n_rois);
        for signals in signals {
            mean += of_eigenvalues(&shrunk(signals, n_rois), f64::ln) / n;
        }
        Self {
            whitening: of_eigenvalues(&mean, |log| (-0.5 * log).exp()),
        }
    }

    /// The departure of one stretch: the upper triangle, row after row, with the diagonal; `rois * (rois + 1) / 2` numbers. Those off
    /// the diagonal count `sqrt 2` times, so that lengths are those of matrices.
    pub fn features(&self, signals: &[f32]) -> Vec<f32> {
        let n_rois = self.whitening.nrows();
        let white = &self.whitening * shrunk(signals, n_rois) * &self.whitening;
        let log = of_eigenvalues(&white, f64::ln);
        let mut features = upper(&log, |x| (x * std::f64::consts::SQRT_2) as f32);
        features.extend(log.diagonal().iter().map(|x| *x as f32));
        features
    }
}

fn shrunk(signals: &[f32], n_rois: usize) -> DMatrix<f64> {
    let mut c = correlations(signals, n_rois).cast::<f64>() * (1.0 - SHRINKAGE);
    for i in 0..n_rois {
        c[(i, i)] += SHRINKAGE;
    }
    c
}

/// A symmetric matrix with the same eigenvectors and `of` its eigenvalues, which are positive but for rounding.
fn of_eigenvalues(matrix: &DMatrix<f64>, of: impl Fn(f64) -> f64) -> DMatrix<f64> {
    let symmetric = (matrix + matrix.transpose()) * 0.5;
    let SymmetricEigen {
        eigenvectors,
        eigenvalues,
    } = SymmetricEigen::new(symmetric);
    let scaled = &eigenvectors * DMatrix::from_diagonal(&eigenvalues.map(of));
    scaled * eigenvectors.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f32; 12] = [1., 0., 2., 1., 0., 1., 2., 3., 3., 1., 5., 0.];

    #[test]
    fn the_common_matrix_itself_departs_nowhere() {
        let space = TangentSpace::fit([&A[..]].into_iter(), 3);
        let features = space.features(&A);
        assert_eq!(features.len(), 6);
        assert!(features.iter().all(|x| x.abs() < 1e-5), "{features:?}");
    }

    #[test]
    fn departures_of_diagonal_matrices_are_logarithms() {
        // From uncorrelated ROIs (log C = 0) to correlation r: eigenvalues of C are 1 ± 0.9 r.
        let uncorrelated = [1.0f32, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0, -1.0];
        let equal = [1.0f32, 1.0, -1.0, -1.0];
        let space = TangentSpace::fit([&uncorrelated[..]].into_iter(), 2);
        let features = space.features(&equal);
        let (high, low) = (1.9f32.ln(), 0.1f32.ln());
        assert!((features[0] - (high - low) / 2.0 * 2f32.sqrt()).abs() < 1e-4);
        assert!((features[1] - (high + low) / 2.0).abs() < 1e-4);
    }
}
