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
/// All penalties and targets share the products in a [`RidgeGram`]. The mean of each column of `X`
/// is 0.
pub struct RidgePath<'a> {
    x: &'a DMatrix<f64>,
    gram: &'a RidgeGram,
    /// Mean of each target.
    centre: RowDVector<f64>,
    /// Targets without their mean, `[rows, targets]`.
    targets: DMatrix<f64>,
    /// Right-hand sides of the equations in primal form, `X'` times the targets,
    /// `[columns, targets]`; `None` in dual form, where they are the targets.
    of_columns: Option<DMatrix<f64>>,
}

/// Columns of the inverse that are computed at once.
const AT_ONCE: usize = 256;

impl<'a> RidgePath<'a> {
    /// Rows `x` `[rows, columns]`, their products, and what they predict, `[rows, targets]`.
    pub fn new(x: &'a DMatrix<f64>, gram: &'a RidgeGram, targets: &DMatrix<f64>) -> Self {
        let centre = targets.row_mean();
        let mut targets = targets.clone();
        for mut row in targets.row_iter_mut() {
            row -= &centre;
        }
        let of_columns = (!gram.is_dual).then(|| x.tr_mul(&targets));
        Self {
            x,
            gram,
            centre,
            targets,
            of_columns,
        }
    }

    /// The regressions with the penalties `alphas`, in their order; threads share the penalties.
    ///
    /// # Panics
    /// If a penalty is not above 0.
    pub fn at(&self, alphas: &[f64]) -> Vec<Ridge> {
        let right = self.right();
        let n_targets = right.ncols();
        let solve = |alpha: &f64| self.factor(*alpha).solve(right.clone());
        let solved: Vec<DMatrix<f64>> = alphas.par_iter().map(solve).collect();
        let mut all = DMatrix::zeros(right.nrows(), alphas.len() * n_targets);
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

    /// Errors of leave-one-out, for each of the penalties `alphas`: the truth of every row minus
    /// its prediction by the regression of all other rows, `[rows, targets]`; threads share the
    /// penalties. With a single row they are not numbers.
    ///
    /// ```text
    /// error_i = (y_i - prediction_i) / (1 - h_i)     h_i = 1/n + x_i (X' X + alpha n)^-1 x_i'
    /// ```
    /// They are exact for the scale of the columns and the product `alpha n` of all rows: `1/n` is
    /// the share of a row in the intercept, and with it in the means of the columns.
    ///
    /// # Source
    /// Allen 1974 (PRESS); Golub, Heath and Wahba 1979, section 1.
    ///
    /// # Panics
    /// If a penalty is not above 0.
    pub fn left_out(&self, alphas: &[f64]) -> Vec<DMatrix<f64>> {
        alphas.par_iter().map(|a| self.left_out_at(*a)).collect()
    }

    fn left_out_at(&self, alpha: f64) -> DMatrix<f64> {
        let n = self.x.nrows();
        let intercept = 1.0 / n as f64;
        let factor = self.factor(alpha);
        let solved = factor.solve(self.right().clone());
        let starts = (0..n).step_by(AT_ONCE);
        let width = |start: usize| AT_ONCE.min(n - start);
        let (mut errors, shares): (_, Vec<f64>) = match self.gram.is_dual {
            // y - prediction = alpha n a with a = (X X' + alpha n)^-1 y, and 1 - h_i is alpha n
            // times the diagonal of that inverse, without 1/n.
            true => {
                let penalty = alpha * n as f64;
                let of_inverse = starts.flat_map(|start| {
                    let mut unit = DMatrix::zeros(n, width(start));
                    (0..width(start)).for_each(|j| unit[(start + j, j)] = 1.0);
                    factor.inverse_squares(unit, start)
                });
                let shares = of_inverse.map(|square| penalty * square - intercept);
                let shares = shares.collect();
                (solved * penalty, shares)
            }
            false => {
                let squares = starts.flat_map(|start| {
                    let rows = self.x.rows(start, width(start)).transpose();
                    factor.inverse_squares(rows, 0)
                });
                let shares = squares.map(|square| 1.0 - intercept - square).collect();
                (&self.targets - self.x * solved, shares)
            }
        };
        for (mut row, share) in errors.row_iter_mut().zip(shares) {
            row /= share;
        }
        errors
    }

    /// Right-hand sides of the equations.
    fn right(&self) -> &DMatrix<f64> {
        self.of_columns.as_ref().unwrap_or(&self.targets)
    }

    /// Factor of the products with the penalty `alpha`.
    fn factor(&self, alpha: f64) -> Cholesky {
        assert!(alpha > 0.0, "a penalty of {alpha}");
        let mut products = self.gram.products.clone();
        let penalty = alpha * self.x.nrows() as f64;
        for i in 0..products.nrows() {
            products[(i, i)] += penalty;
        }
        let factor = Cholesky::of(products);
        factor.expect("products and a penalty above 0 are positive definite")
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
mod tests;
