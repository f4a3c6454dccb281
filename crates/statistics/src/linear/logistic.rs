//! Multinomial logistic regression with an L2 penalty.

use nalgebra::{DMatrix, DVector};

use super::decomposition::Decomposition;
use super::lbfgs::minimise;
use super::rows::Rows;
use crate::softmax_rows;

/// Rows are replaced by their coordinates in the space that they span if there are this many times
/// more columns than rows: the decomposition then costs less than it saves.
const FAR_MORE_COLUMNS: usize = 4;

/// Logistic regression of standardised rows for several penalties, each of which starts from the
/// fit before.
///
/// ```text
/// p(class | x) = softmax(W x + b);   minimises  mean -log p(truth) + alpha / 2 |W|^2
/// ```
/// The intercepts `b` have no penalty.
pub struct LogisticPath<'a> {
    rows: Rows,
    /// `[columns, rank]`, if `rows` are coordinates: the weights that minimise lie in the space of
    /// the rows, and there `|W|` is the norm of their coordinates.
    basis: Option<DMatrix<f64>>,
    truth: &'a [f64],
    n_classes: usize,
    /// Last fit, `[classes, columns + 1]`, row-major.
    weights: Vec<f64>,
}

impl<'a> LogisticPath<'a> {
    /// Rows `x` `[rows, columns]` with their classes `truth`.
    pub fn new(x: &DMatrix<f64>, truth: &'a [f64], n_classes: usize) -> Self {
        let (n, p) = x.shape();
        let (rows, basis) = match p >= FAR_MORE_COLUMNS * n {
            false => (Rows::new(x, n_classes), None),
            true => {
                let Decomposition {
                    mut left,
                    right,
                    singular,
                } = Decomposition::of(x);
                for (mut column, singular) in left.column_iter_mut().zip(singular.iter()) {
                    column *= *singular;
                }
                (Rows::new(&left, n_classes), Some(right))
            }
        };
        let weights = vec![0.0; n_classes * (rows.n_columns() + 1)];
        Self {
            rows,
            basis,
            truth,
            n_classes,
            weights,
        }
    }

    /// The fit with the penalty `alpha`.
    pub fn at(&mut self, alpha: f64) -> Logistic {
        let p = self.rows.n_columns();
        let objective = |weights: &DVector<f64>, gradient: &mut DVector<f64>| {
            let mut found = self.rows.cross_entropy(weights.as_slice(), self.truth);
            let classes = weights.as_slice().chunks_exact(p + 1);
            for (w, slope) in classes.zip(found.slope.chunks_exact_mut(p + 1)) {
                for (w, slope) in w[..p].iter().zip(slope) {
                    *slope += alpha * w;
                    found.loss += 0.5 * alpha * w * w;
                }
            }
            gradient.copy_from_slice(&found.slope);
            found.loss
        };
        let start = DVector::from_column_slice(&self.weights);
        self.weights = minimise(objective, start).as_slice().to_vec();
        // Column-major: the weights of a class are a column, the intercept is its last element.
        let fitted = DMatrix::from_column_slice(p + 1, self.n_classes, &self.weights);
        let slopes = fitted.rows(0, p);
        Logistic {
            slopes: match &self.basis {
                None => slopes.into_owned(),
                Some(basis) => basis * slopes,
            },
            intercepts: fitted.row(p).iter().copied().collect(),
        }
    }
}

/// A fitted classifier for standardised rows.
#[derive(Clone, Debug)]
pub struct Logistic {
    /// `[columns, classes]`
    slopes: DMatrix<f64>,
    /// One for each class.
    intercepts: Vec<f64>,
}

impl Logistic {
    /// Probabilities, `[rows of x, classes]`, row-major.
    pub fn predict(&self, x: &DMatrix<f64>) -> Vec<f64> {
        let mut logits = x * &self.slopes;
        for (mut column, intercept) in logits.column_iter_mut().zip(&self.intercepts) {
            column.add_scalar_mut(*intercept);
        }
        let mut rows = logits.transpose().as_slice().to_vec();
        softmax_rows(&mut rows, self.intercepts.len());
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_features_the_shares_of_the_classes_remain() {
        let x = DMatrix::zeros(4, 1);
        let fitted = LogisticPath::new(&x, &[0.0, 0.0, 0.0, 1.0], 2).at(1.0);
        let row = fitted.predict(&DMatrix::zeros(1, 1));
        assert!((row[0] - 0.75).abs() < 1e-5, "{row:?}");
    }

    #[test]
    fn the_gradient_vanishes_at_the_fit() {
        // Three classes of overlapping points; with 2 and with 60 columns, which are replaced by
        // their coordinates. The test checks the optimality condition by its definition.
        for p in [2, 60] {
            let values = (0..12 * p).map(|i| ((i * 7919) % 101) as f64 / 50.0 - 1.0);
            let x = DMatrix::from_row_iterator(12, p, values);
            let truth: Vec<f64> = (0..12).map(|i| f64::from(i * 5 % 3)).collect();
            let mut path = LogisticPath::new(&x, &truth, 3);
            assert_eq!(path.basis.is_some(), p == 60);
            for alpha in [3.0, 0.3] {
                let fitted = path.at(alpha);
                let p_class = fitted.predict(&x);
                let rows: Vec<&[f64]> = p_class.chunks_exact(3).collect();
                let apart = |i: usize, class: usize| {
                    rows[i][class] - f64::from(u8::from(truth[i] == class as f64))
                };
                for class in 0..3 {
                    let intercept: f64 = (0..12).map(|i| apart(i, class)).sum();
                    assert!(intercept.abs() < 1e-4, "{intercept}");
                    for column in 0..p {
                        let slope = (0..12).map(|i| apart(i, class) * x[(i, column)] / 12.0);
                        let slope = slope.sum::<f64>() + alpha * fitted.slopes[(column, class)];
                        assert!(slope.abs() < 1e-5, "{slope}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_start_changes_nothing_but_the_way() {
        let x = DMatrix::from_fn(40, 3, |i, j| ((i * 31 + j * 17) % 23) as f64 / 10.0 - 1.0);
        let truth: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        let mut path = LogisticPath::new(&x, &truth, 2);
        path.at(10.0);
        let (warm, cold) = (path.at(0.1), LogisticPath::new(&x, &truth, 2).at(0.1));
        assert!((warm.slopes - cold.slopes).amax() < 1e-4);
    }
}
