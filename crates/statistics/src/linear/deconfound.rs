//! Removal of confounds from features by linear regression.

use nalgebra::{DMatrix, RowDVector};

use super::decomposition::Decomposition;
use super::standard::{Scaling, Standard};

/// A residual below this share of its column is rounding, because features have single precision.
const ROUNDING: f64 = 1e-6;

/// Linear fit of each feature on the confounds of the training set; [`apply`](Self::apply)
/// subtracts it.
///
/// ```text
/// x - mean(x) - z B,  B = argmin |x - mean(x) - z B|²,  z: confounds of mean 0 and variance 1
/// ```
/// If several `B` minimise it, as for dependent confounds, the smallest one is used.
///
/// # Source
/// Snoek et al. 2019: a regression on training and test set together leaks the test set's confounds
/// into the model, so it is fitted on the training set.
#[derive(Clone, Debug, PartialEq)]
pub struct Deconfound {
    confounds: Standard,
    /// `[confounds, columns]`
    slopes: DMatrix<f64>,
    mean: RowDVector<f64>,
    /// 0 for a column that confounds explain completely, 1 for all other columns.
    remains: RowDVector<f64>,
    /// Rank of the confounds.
    rank: usize,
}

impl Deconfound {
    /// Fits on the rows of the training set: `confounds` `[rows, confounds]`, features `x`
    /// `[rows, columns]`.
    pub fn fit(confounds: &DMatrix<f64>, x: &DMatrix<f64>) -> Self {
        let standard = Standard::fit(confounds, Scaling::EachColumn);
        let z = standard.apply(confounds.clone());
        let decomposition = Decomposition::of(&z);
        let mut along = decomposition.left.tr_mul(x);
        for (mut row, singular) in along.row_iter_mut().zip(decomposition.singular.iter()) {
            row /= *singular;
        }
        let mut fitted = Self {
            confounds: standard,
            slopes: &decomposition.right * along,
            mean: x.row_mean(),
            remains: RowDVector::repeat(x.ncols(), 1.0),
            rank: decomposition.rank(),
        };
        let residual = fitted.apply(confounds, x.clone());
        let columns = residual.column_iter().zip(x.column_iter());
        let remains = columns.map(|(residual, x)| {
            let is_left = residual.norm() > ROUNDING * x.norm();
            f64::from(u8::from(is_left))
        });
        fitted.remains = RowDVector::from_iterator(x.ncols(), remains);
        fitted
    }

    /// Residuals of `x`; its rows have these confounds.
    pub fn apply(&self, confounds: &DMatrix<f64>, mut x: DMatrix<f64>) -> DMatrix<f64> {
        x -= self.confounds.apply(confounds.clone()) * &self.slopes;
        for mut row in x.row_iter_mut() {
            row -= &self.mean;
            row.component_mul_assign(&self.remains);
        }
        x
    }

    /// Rank of the confounds in the training set. If it is the number of rows minus 1, the residual
    /// of every feature is 0.
    pub fn rank(&self) -> usize {
        self.rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One confound, and three features: a linear function of it, a constant, and 0.7 + 1.2 c plus
    /// an independent term.
    fn training() -> [DMatrix<f64>; 2] {
        let confound = DMatrix::from_column_slice(4, 1, &[0.0, 1.0, 2.0, 3.0]);
        let x = DMatrix::from_column_slice(
            4,
            3,
            &[5.0, 3.0, 1.0, -1.0, 7.0, 7.0, 7.0, 7.0, 1.0, 2.0, 2.0, 5.0],
        );
        [confound, x]
    }

    #[test]
    fn what_confounds_explain_is_gone_and_the_rest_is_left() {
        let [confound, x] = training();
        let fitted = Deconfound::fit(&confound, &x);
        let left = fitted.apply(&confound, x);
        let mut expected = DMatrix::zeros(4, 3);
        (expected.column_mut(2)).copy_from_slice(&[0.3, 0.1, -1.1, 0.7]);
        assert!((&left - expected).amax() < 1e-12, "{left}");
        assert!(left.columns(0, 2).iter().all(|x| *x == 0.0), "{left}");
        // Other rows use the line of the training set: 0.7 + 1.2 x 10 = 12.7.
        let other = fitted.apply(
            &DMatrix::from_element(1, 1, 10.0),
            DMatrix::from_row_slice(1, 3, &[-15.0, 7.0, 13.0]),
        );
        assert!((other[2] - 0.3).abs() < 1e-12, "{other}");
        assert_eq!((other[0], other[1]), (0.0, 0.0));
    }

    #[test]
    fn a_confound_that_is_told_twice_counts_once_and_one_that_never_changes_not_at_all() {
        let [confound, x] = training();
        let once = Deconfound::fit(&confound, &x);
        let more = DMatrix::from_fn(4, 3, |i, j| [confound[i], 3.0 - 2.0 * confound[i], 4.0][j]);
        let twice = Deconfound::fit(&more, &x);
        assert_eq!((once.rank(), twice.rank()), (1, 1));
        let apart = once.apply(&confound, x.clone()) - twice.apply(&more, x);
        assert!(apart.amax() < 1e-12, "{apart}");
    }

    #[test]
    fn confounds_that_never_change_leave_all_but_the_mean() {
        let [_, x] = training();
        let constant = DMatrix::from_element(4, 1, 2.0);
        let fitted = Deconfound::fit(&constant, &x);
        assert_eq!(fitted.rank(), 0);
        let left = fitted.apply(&constant, x);
        assert_eq!(left.column(0).as_slice(), [3.0, 1.0, -1.0, -3.0]);
    }
}
