//! Singular value decomposition for matrices with far more columns than rows, or far more rows.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::gram::gram;

/// `X = left diag(singular) right'`, without components at the level of rounding.
///
/// Computed from the eigenvectors of the smaller of `X X'` and `X' X`. Singular values below a
/// millionth of the largest are left out.
#[derive(Clone, Debug)]
pub struct Decomposition {
    /// Orthonormal columns, `[rows, rank]`.
    pub left: DMatrix<f64>,
    /// Orthonormal columns, `[columns, rank]`.
    pub right: DMatrix<f64>,
    /// Singular values in descending order.
    pub singular: DVector<f64>,
}

impl Decomposition {
    /// Decomposes `x`, `[rows, columns]`; both sizes are at least 1.
    pub fn of(x: &DMatrix<f64>) -> Self {
        let wide = x.ncols() > x.nrows();
        let across = x.transpose();
        let eigen = SymmetricEigen::new(gram(if wide { x } else { &across }));
        let values = &eigen.eigenvalues;
        let largest = values.max().max(0.0);
        let mut kept: Vec<usize> = (0..values.len())
            .filter(|&i| values[i] > 1e-12 * largest && values[i] > 0.0)
            .collect();
        kept.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        let vectors = eigen.eigenvectors.select_columns(&kept);
        let singular = DVector::from_iterator(kept.len(), kept.iter().map(|&i| values[i].sqrt()));
        let mut other = if wide {
            across * &vectors
        } else {
            x * &vectors
        };
        for (mut column, singular) in other.column_iter_mut().zip(singular.iter()) {
            column /= *singular;
        }
        let (left, right) = if wide {
            (vectors, other)
        } else {
            (other, vectors)
        };
        Self {
            left,
            right,
            singular,
        }
    }

    /// Number of singular values.
    pub fn rank(&self) -> usize {
        self.singular.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_tall_are_put_together_again_from_their_rank() {
        // Rank 2: all rows are sums of two rows.
        let two = [[1.0, 2.0, 0.0, -1.0, 3.0], [0.0, 1.0, 1.0, 4.0, -2.0]];
        let x = DMatrix::from_fn(3, 5, |i, j| {
            two[0][j] * i as f64 + two[1][j] * (2.0 - i as f64)
        });
        for x in [x.clone(), x.transpose()] {
            let found = Decomposition::of(&x);
            assert_eq!(found.rank(), 2);
            assert!(found.singular[0] > found.singular[1]);
            let again =
                &found.left * DMatrix::from_diagonal(&found.singular) * found.right.transpose();
            assert!((again - &x).amax() < 1e-12);
            for side in [&found.left, &found.right] {
                assert!((side.tr_mul(side) - DMatrix::identity(2, 2)).amax() < 1e-12);
            }
        }
        assert_eq!(Decomposition::of(&DMatrix::zeros(3, 2)).rank(), 0);
    }
}
