//! Ridge regression of several targets, with several penalties.

use nalgebra::{DMatrix, RowDVector};
use rayon::prelude::*;

use super::cholesky::Cholesky;
use super::gram::gram;

/// Products of standardised rows, which ridge regressions of all targets and penalties share: of
/// all pairs of rows if there are fewer rows than columns (dual form), otherwise of all pairs of
/// columns.
///
/// It holds the square of the smaller number of rows and columns, in double precision.
#[derive(Clone, Debug, PartialEq)]
pub struct RidgeGram {
    products: DMatrix<f64>,
    is_dual: bool,
}

impl RidgeGram {
    /// Multiplies the rows of `x`, `[rows, columns]`.
    pub fn new(x: &DMatrix<f64>) -> Self {
        let is_dual = x.nrows() < x.ncols();
        let products = match is_dual {
            true => gram(x),
            false => gram(&x.transpose()),
        };
        Self { products, is_dual }
    }

    /// Memory that it holds, in bytes.
    pub fn n_bytes(&self) -> usize {
        size_of_val(self.products.as_slice())
    }
}

/// Ridge regression of standardised rows for all penalties.
///
/// ```text
/// w = argmin |y - mean(y) - X w|^2 + alpha n |w|^2          n: rows of X
///   = (X' X + alpha n)^-1 X' (y - mean(y))                  normal equations
///   = X' (X X' + alpha n)^-1 (y - mean(y))                  the same in dual form
/// ```
/// All penalties and targets share the products in a [`RidgeGram`].
pub struct RidgePath<'a> {
    x: &'a DMatrix<f64>,
    gram: &'a RidgeGram,
    /// Mean of each target.
    centre: RowDVector<f64>,
    /// Right-hand sides of the equations: targets without their mean, `[rows, targets]`, or `X'`
    /// times them, `[columns, targets]`.
    right: DMatrix<f64>,
}

impl<'a> RidgePath<'a> {
    /// Rows `x` `[rows, columns]`, their products, and what they predict, `[rows, targets]`.
    pub fn new(x: &'a DMatrix<f64>, gram: &'a RidgeGram, targets: &DMatrix<f64>) -> Self {
        let centre = targets.row_mean();
        let mut right = targets.clone();
        for mut row in right.row_iter_mut() {
            row -= &centre;
        }
        if !gram.is_dual {
            right = x.tr_mul(&right);
        }
        Self {
            x,
            gram,
            centre,
            right,
        }
    }

    /// The regressions with the penalties `alphas`, in their order; threads share the penalties.
    ///
    /// # Panics
    /// If a penalty is not above 0.
    pub fn at(&self, alphas: &[f64]) -> Vec<Ridge> {
        let n_targets = self.right.ncols();
        let solved: Vec<DMatrix<f64>> = alphas.par_iter().map(|alpha| self.solve(*alpha)).collect();
        let mut all = DMatrix::zeros(self.right.nrows(), alphas.len() * n_targets);
        for (i, solved) in solved.iter().enumerate() {
            all.columns_mut(i * n_targets, n_targets).copy_from(solved);
        }
        if self.gram.is_dual {
            // One product for all penalties reads `x` once.
            all = (all.transpose() * self.x).transpose();
        }
        (0..alphas.len())
            .map(|i| Ridge {
                weights: all.columns(i * n_targets, n_targets).into_owned(),
                centre: self.centre.clone(),
            })
            .collect()
    }

    /// Solution of the equations with the penalty `alpha`.
    fn solve(&self, alpha: f64) -> DMatrix<f64> {
        assert!(alpha > 0.0, "a penalty of {alpha}");
        let mut products = self.gram.products.clone();
        let penalty = alpha * self.x.nrows() as f64;
        for i in 0..products.nrows() {
            products[(i, i)] += penalty;
        }
        let factor = Cholesky::of(products);
        let factor = factor.expect("products and a penalty above 0 are positive definite");
        factor.solve(self.right.clone())
    }
}

/// A fitted ridge regression.
#[derive(Clone, Debug)]
pub struct Ridge {
    /// `[columns, targets]`
    weights: DMatrix<f64>,
    centre: RowDVector<f64>,
}

impl Ridge {
    /// Predictions for rows `x`, `[rows, targets]`.
    pub fn predict(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        let mut predictions = x * &self.weights;
        for mut row in predictions.row_iter_mut() {
            row += &self.centre;
        }
        predictions
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DVector;

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
            let y = DMatrix::from_fn(rows, 2, |i, j| {
                10.0 + (i as f64).sin() - j as f64 * x[(i, 0)]
            });
            let gram = RidgeGram::new(&x);
            assert_eq!(gram.is_dual, rows < columns);
            let alphas = [0.01, 1.0, 100.0];
            let found = RidgePath::new(&x, &gram, &y).at(&alphas);
            for (ridge, alpha) in found.iter().zip(alphas) {
                for target in 0..2 {
                    let expected = by_definition(&x, y.column(target).as_slice(), alpha);
                    let apart = ridge.weights.column(target) - expected;
                    assert!(apart.amax() < 1e-9, "{rows} x {columns}, target {target}");
                }
            }
        }
    }

    #[test]
    fn an_infinite_penalty_leaves_the_mean() {
        let x = DMatrix::from_row_slice(2, 1, &[-1.0, 1.0]);
        let gram = RidgeGram::new(&x);
        let y = DMatrix::from_column_slice(2, 1, &[1.0, 3.0]);
        let ridge = &RidgePath::new(&x, &gram, &y).at(&[1e12])[0];
        assert!(ridge.predict(&x).iter().all(|y| (y - 2.0).abs() < 1e-9));
    }
}
