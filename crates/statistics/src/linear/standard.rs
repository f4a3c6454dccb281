//! Standardised columns: mean 0 and variance 1 in the training set.

use nalgebra::{DMatrix, RowDVector};

/// Mean and scale of each column.
#[derive(Clone, Debug, PartialEq)]
pub struct Standard {
    mean: RowDVector<f64>,
    scale: RowDVector<f64>,
}

impl Standard {
    /// Fits on rows `x`; a constant column becomes 0.
    pub fn fit(x: &DMatrix<f64>) -> Self {
        let mean = x.row_mean();
        let sd = x.row_variance().map(f64::sqrt);
        let scale = RowDVector::from_iterator(
            sd.len(),
            (sd.iter().zip(mean.iter())).map(|(sd, mean)| {
                // Smaller values are below the precision of single-precision features.
                if *sd > 1e-7 * mean.abs().max(1e-7) {
                    sd.recip()
                } else {
                    0.0
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
        let standard = Standard::fit(&x);
        assert_eq!(standard.apply(x).as_slice(), [-1.0, 1.0, 0.0, 0.0]);
        let other = DMatrix::from_row_slice(1, 2, &[2.0, 9.0]);
        assert_eq!(standard.apply(other).as_slice(), [0.0, 0.0]);
    }
}
