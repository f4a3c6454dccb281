//! Centred and scaled columns: mean 0 in the training set, and variance 1 of each or on average.

use nalgebra::{DMatrix, RowDVector};

/// Scale of the columns of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// Every column gets variance 1.
    EachColumn,
    /// One factor for all columns makes their mean variance 1, so their ratios stay.
    AllColumns,
}

/// Mean and scale of each column.
#[derive(Clone, Debug, PartialEq)]
pub struct Standard {
    mean: RowDVector<f64>,
    scale: RowDVector<f64>,
}

impl Standard {
    /// Fits on rows `x`; a constant column becomes 0.
    pub fn fit(x: &DMatrix<f64>, scaling: Scaling) -> Self {
        let mean = x.row_mean();
        let variance = x.row_variance();
        let common = variance.mean().sqrt();
        let scale = RowDVector::from_iterator(
            variance.len(),
            (variance.iter().zip(mean.iter())).map(|(variance, mean)| {
                let sd = variance.sqrt();
                // Smaller values are below the precision of single-precision features.
                let changes = sd > 1e-7 * mean.abs().max(1e-7);
                match scaling {
                    _ if !changes => 0.0,
                    Scaling::EachColumn => sd.recip(),
                    Scaling::AllColumns => common.recip(),
                }
            }),
        );
        Self { mean, scale }
    }

    /// True if all columns are constant; then nothing can be learned.
    pub fn is_constant(&self) -> bool {
        self.scale.iter().all(|scale| *scale == 0.0)
    }

    /// Slopes `[columns, targets]` of the columns as they are, from those of standardised columns.
    pub(super) fn scaled_back(&self, mut slopes: DMatrix<f64>) -> DMatrix<f64> {
        for (mut row, scale) in slopes.row_iter_mut().zip(self.scale.iter()) {
            row *= *scale;
        }
        slopes
    }

    /// Standardises rows with the mean and scale of the fit.
    pub fn apply(&self, mut x: DMatrix<f64>) -> DMatrix<f64> {
        for mut row in x.row_iter_mut() {
            row -= &self.mean;
            row.component_mul_assign(&self.scale);
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_standardised_and_constant_ones_vanish() {
        let x = DMatrix::from_row_slice(2, 2, &[1.0, 7.0, 3.0, 7.0]);
        let standard = Standard::fit(&x, Scaling::EachColumn);
        assert_eq!(standard.apply(x).as_slice(), [-1.0, 1.0, 0.0, 0.0]);
        let other = DMatrix::from_row_slice(1, 2, &[2.0, 9.0]);
        assert_eq!(standard.apply(other).as_slice(), [0.0, 0.0]);
    }

    #[test]
    fn one_scale_keeps_the_ratios_of_columns() {
        // Variances 1, 7 and 0 have the mean 8/3.
        let sd = 7f64.sqrt();
        let x = DMatrix::from_row_slice(2, 3, &[1.0, -sd, 4.0, 3.0, sd, 4.0]);
        let x = Standard::fit(&x, Scaling::AllColumns).apply(x);
        let common = (8.0f64 / 3.0).sqrt();
        let expected = [-1.0, 1.0, -sd, sd, 0.0, 0.0].map(|x| x / common);
        for (found, expected) in x.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
        assert!((x.row_variance().mean() - 1.0).abs() < 1e-12);
    }
}
