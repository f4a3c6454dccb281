//! Multinomial logistic regression with an L2 penalty.

use nalgebra::{DMatrix, DVector};

use super::lbfgs::minimise;
use crate::softmax_rows;

/// A fitted classifier for standardised rows.
///
/// ```text
/// p(class | x) = softmax(x W + b);   minimises  mean -log p(truth) + alpha / 2 |W|^2
/// ```
/// The intercepts `b` have no penalty.
#[derive(Clone, Debug)]
pub struct Logistic {
    /// `[columns + 1, classes]`, the intercepts last.
    weights: DMatrix<f64>,
}

impl Logistic {
    /// Fits rows `x` with their classes `truth`. `start` is a fit with another penalty, from which
    /// the optimisation begins.
    pub fn fit(
        x: &DMatrix<f64>,
        truth: &[f64],
        n_classes: usize,
        alpha: f64,
        start: Option<&Logistic>,
    ) -> Self {
        let (n, p) = x.shape();
        let shape = (p + 1, n_classes);
        let start = start.map_or_else(|| DMatrix::zeros(shape.0, shape.1), |s| s.weights.clone());
        let objective = |flat: &DVector<f64>, gradient: &mut DVector<f64>| {
            let weights = DMatrix::from_column_slice(shape.0, shape.1, flat.as_slice());
            let mut apart = logits(x, &weights);
            let mut loss = 0.0;
            for (i, mut row) in apart.row_iter_mut().enumerate() {
                let class = truth[i] as usize;
                let largest = row.max();
                let own = row[class] - largest;
                row.apply(|logit| *logit = (*logit - largest).exp());
                let sum = row.sum();
                loss += sum.ln() - own;
                row /= sum;
                row[class] -= 1.0;
            }
            let mut slope = DMatrix::zeros(shape.0, shape.1);
            let (mut of_weights, mut of_intercepts) = slope.rows_range_pair_mut(0..p, p..p + 1);
            of_weights.gemm_tr(1.0 / n as f64, x, &apart, 0.0);
            of_intercepts.copy_from(&(apart.row_sum() / n as f64));
            let shrunk = weights.rows(0, p);
            of_weights += alpha * shrunk;
            gradient.copy_from_slice(slope.as_slice());
            loss / n as f64 + 0.5 * alpha * shrunk.norm_squared()
        };
        let flat = minimise(objective, DVector::from_column_slice(start.as_slice()));
        Self {
            weights: DMatrix::from_column_slice(shape.0, shape.1, flat.as_slice()),
        }
    }

    /// Probabilities, `[rows of x, classes]`, row-major.
    pub fn predict(&self, x: &DMatrix<f64>) -> Vec<f64> {
        let mut rows = logits(x, &self.weights).transpose().as_slice().to_vec();
        softmax_rows(&mut rows, self.weights.ncols());
        rows
    }
}

fn logits(x: &DMatrix<f64>, weights: &DMatrix<f64>) -> DMatrix<f64> {
    let p = x.ncols();
    let mut logits = x * weights.rows(0, p);
    for mut row in logits.row_iter_mut() {
        row += weights.row(p);
    }
    logits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_features_the_shares_of_the_classes_remain() {
        let x = DMatrix::zeros(4, 1);
        let fitted = Logistic::fit(&x, &[0.0, 0.0, 0.0, 1.0], 2, 1.0, None);
        let row = fitted.predict(&DMatrix::zeros(1, 1));
        assert!((row[0] - 0.75).abs() < 1e-5, "{row:?}");
    }

    #[test]
    fn the_gradient_vanishes_at_the_fit() {
        // Three classes of overlapping points. The test checks the optimality condition by its
        // definition.
        let values: Vec<f64> = (0..24)
            .map(|i| ((i * 7919) % 101) as f64 / 50.0 - 1.0)
            .collect();
        let x = DMatrix::from_row_slice(12, 2, &values);
        let truth: Vec<f64> = (0..12).map(|i| f64::from(i * 5 % 3)).collect();
        let alpha = 0.3;
        let fitted = Logistic::fit(&x, &truth, 3, alpha, None);
        let p = fitted.predict(&x);
        let rows: Vec<&[f64]> = p.chunks_exact(3).collect();
        let apart =
            |i: usize, class: usize| rows[i][class] - f64::from(u8::from(truth[i] == class as f64));
        for class in 0..3 {
            let intercept: f64 = (0..12).map(|i| apart(i, class)).sum();
            assert!(intercept.abs() < 1e-4, "{intercept}");
            for column in 0..2 {
                let slope = (0..12).map(|i| apart(i, class) * x[(i, column)] / 12.0);
                let slope = slope.sum::<f64>() + alpha * fitted.weights[(column, class)];
                assert!(slope.abs() < 1e-5, "{slope}");
            }
        }
    }
}
