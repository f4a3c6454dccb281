//! Ridge regression along a path of penalties.

use nalgebra::{DMatrix, DVector};

use super::decomposition::Decomposition;

/// Ridge regression of standardised rows for all penalties.
///
/// ```text
/// w = argmin |y - mean(y) - X w|^2 + alpha n |w|^2
/// ```
/// All penalties share one decomposition of `X`.
pub struct RidgePath {
    x: Decomposition,
    centre: f64,
    /// `left' (y - centre)`.
    projected: DVector<f64>,
}

impl RidgePath {
    /// Decomposes `x`, `[rows, columns]`.
    pub fn new(x: &DMatrix<f64>, y: &[f64]) -> Self {
        let y = DVector::from_column_slice(y);
        let centre = y.mean();
        let x = Decomposition::of(x);
        let projected = x.left.tr_mul(&y.add_scalar(-centre));
        Self {
            x,
            centre,
            projected,
        }
    }

    /// The regression with the penalty `alpha`.
    pub fn at(&self, alpha: f64) -> Ridge {
        let n = self.x.left.nrows() as f64;
        let shrunk = DVector::from_iterator(
            self.x.singular.len(),
            (self.x.singular.iter().zip(self.projected.iter()))
                .map(|(s, y)| s * y / (s * s + alpha * n)),
        );
        Ridge {
            weights: &self.x.right * shrunk,
            centre: self.centre,
        }
    }
}

/// A fitted ridge regression.
#[derive(Clone, Debug)]
pub struct Ridge {
    weights: DVector<f64>,
    centre: f64,
}

impl Ridge {
    /// Predictions, one per row.
    pub fn predict(&self, x: &DMatrix<f64>) -> Vec<f64> {
        (x * &self.weights)
            .add_scalar(self.centre)
            .as_slice()
            .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Solution of the normal equations.
    fn by_definition(x: &DMatrix<f64>, y: &[f64], alpha: f64) -> DVector<f64> {
        let y = DVector::from_column_slice(y);
        let (n, p) = x.shape();
        let a = x.tr_mul(x) + DMatrix::identity(p, p) * (alpha * n as f64);
        a.lu()
            .solve(&x.tr_mul(&y.add_scalar(-y.mean())))
            .expect("regular")
    }

    #[test]
    fn wide_and_tall_are_what_the_normal_equations_say() {
        let values: Vec<f64> = (0..15).map(|i| f64::from(i * i % 7) - 3.0).collect();
        for (rows, columns) in [(5, 3), (3, 5)] {
            let x = DMatrix::from_row_slice(rows, columns, &values);
            let y: Vec<f64> = (0..rows).map(|i| 10.0 + (i as f64).sin()).collect();
            for alpha in [0.01, 1.0, 100.0] {
                let ridge = RidgePath::new(&x, &y).at(alpha);
                let expected = by_definition(&x, &y, alpha);
                assert!(
                    (&ridge.weights - expected).amax() < 1e-9,
                    "{rows} x {columns}"
                );
            }
        }
    }

    #[test]
    fn an_infinite_penalty_leaves_the_mean() {
        let x = DMatrix::from_row_slice(2, 1, &[-1.0, 1.0]);
        let ridge = RidgePath::new(&x, &[1.0, 3.0]).at(1e12);
        assert!(ridge.predict(&x).iter().all(|y| (y - 2.0).abs() < 1e-9));
    }
}
