//! Columns brought to mean 0 and variance 1, as the training side says.

use nalgebra::{DMatrix, RowDVector};

/// Mean and scale of each column.
#[derive(Clone, Debug, PartialEq)]
pub struct Standard {
    mean: RowDVector<f64>,
    scale: RowDVector<f64>,
}

impl Standard {
    /// Learns from rows; a column that does not change becomes 0.
    pub fn fit(x: &DMatrix<f64>) -> Self {
        let mean = x.row_mean();
        let sd = x.row_variance().map(f64::sqrt);
        let scale = RowDVector::from_iterator(
            sd.len(),
            (sd.iter().zip(mean.iter())).map(|(sd, mean)| {
                // Single-precision features carry no more than this.
                if *sd > 1e-7 * mean.abs().max(1e-7) {
                    sd.recip()
                } else {
                    0.0
                }
            }),
        );
        Self { mean, scale }
    }

    /// Whether every column is constant: nothing can be learned.
    pub fn is_constant(&self) -> bool {
        self.scale.iter().all(|scale| *scale == 0.0)
    }

    /// Brings rows to the scale of those it was learned from.
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
