//! Geometric mean of positive definite matrices.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::map_eigenvalues;

/// Number of matrices in memory at once.
const AT_A_TIME: usize = 64;

/// Most steps. The norm falls to a tenth or less in each, so a few are enough.
const MOST_STEPS: usize = 50;

/// Root of the mean square of the elements of the mean logarithm at which the mean is found.
const TOLERANCE: f64 = 1e-8;

/// Geometric mean of positive definite matrices.
///
/// ```text
/// G: mean over i of log( G^-1/2 C_i G^-1/2 ) = 0
/// ```
/// It has the smallest sum of squared distances to all matrices, where the distance is the norm of
/// that logarithm. Of positive numbers it is the usual geometric mean.
///
/// # Source
/// Fletcher and Joshi 2007, algorithm 3: gradient descent from the arithmetic mean. Steps whose
/// gradient has grown are halved.
#[derive(Clone, Debug)]
pub struct GeometricMean {
    /// `G^-1/2`, `[rois, rois]`.
    pub whitening: DMatrix<f64>,
    /// Root of the mean square of the elements of the mean logarithm; 0 at the exact mean.
    pub residual: f64,
}

impl GeometricMean {
    /// Mean of `n` matrices of one size; `matrix` returns each by its number, and is called again
    /// in every step, so that they need not be in memory together. `n` is at least 1, and all
    /// eigenvalues are above 0.
    pub fn fit(n: usize, matrix: impl Fn(usize) -> DMatrix<f64> + Sync) -> Self {
        let mut mean = mean_of(n, &matrix);
        let mut step = 1.0;
        let mut last = f64::INFINITY;
        for _ in 0..MOST_STEPS {
            let whitening = map_eigenvalues(&mean, |x| x.sqrt().recip());
            let log = mean_of(n, |i| {
                map_eigenvalues(&(&whitening * matrix(i) * &whitening), f64::ln)
            });
            let residual = log.norm() / log.nrows() as f64;
            if residual <= TOLERANCE || residual.is_nan() {
                return Self {
                    whitening,
                    residual,
                };
            }
            if residual > last {
                step *= 0.5;
            }
            last = last.min(residual);
            let root = map_eigenvalues(&mean, f64::sqrt);
            mean = &root * exp(&log, step) * &root;
        }
        Self {
            whitening: map_eigenvalues(&mean, |x| x.sqrt().recip()),
            residual: last,
        }
    }

    /// True if the steps came to their end.
    pub fn is_found(&self) -> bool {
        self.residual <= TOLERANCE
    }
}

/// `exp(step x)` of a symmetric matrix.
fn exp(x: &DMatrix<f64>, step: f64) -> DMatrix<f64> {
    map_eigenvalues(&(x * step), f64::exp)
}

/// Arithmetic mean. Sums are added in a fixed order, so the number of threads does not change it.
fn mean_of(n: usize, matrix: impl Fn(usize) -> DMatrix<f64> + Sync) -> DMatrix<f64> {
    let numbers: Vec<usize> = (0..n).collect();
    let sums = numbers.chunks(AT_A_TIME).map(|numbers| {
        let matrices: Vec<_> = numbers.par_iter().map(|number| matrix(*number)).collect();
        matrices.into_iter().sum::<DMatrix<f64>>()
    });
    sums.sum::<DMatrix<f64>>() / n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagonal(values: [f64; 2]) -> DMatrix<f64> {
        DMatrix::from_diagonal(&values.to_vec().into())
    }

    #[test]
    fn of_diagonal_matrices_it_is_the_mean_of_numbers() {
        // √(1 · 16) = 4 and √(1 · 9) = 3.
        let found = GeometricMean::fit(2, |i| diagonal([[1.0, 9.0], [16.0, 1.0]][i]));
        assert!(found.is_found(), "{}", found.residual);
        let expected = diagonal([0.5, 1.0 / 3.0f64.sqrt()]);
        assert!((&found.whitening - &expected).amax() < 1e-7);
    }

    #[test]
    fn of_two_matrices_it_is_the_midpoint_of_their_geodesic() {
        // G = A^1/2 (A^-1/2 B A^-1/2)^1/2 A^1/2; A and B do not commute.
        let a = DMatrix::from_row_slice(3, 3, &[2.0, 0.5, 0.1, 0.5, 1.0, -0.3, 0.1, -0.3, 0.5]);
        let b = DMatrix::from_row_slice(3, 3, &[0.3, 0.1, 0.0, 0.1, 4.0, 0.9, 0.0, 0.9, 1.5]);
        let half = |x: &DMatrix<f64>| map_eigenvalues(x, f64::sqrt);
        let (root, inverse) = (half(&a), map_eigenvalues(&a, |x| x.sqrt().recip()));
        let middle = &root * half(&(&inverse * &b * &inverse)) * &root;
        // More matrices than are in memory at once, both as often.
        let found = GeometricMean::fit(2 * AT_A_TIME + 2, |i| [&a, &b][i % 2].clone());
        assert!(found.is_found(), "{}", found.residual);
        let white = &found.whitening * middle * &found.whitening;
        assert!((white - DMatrix::identity(3, 3)).amax() < 1e-6);
    }
}
