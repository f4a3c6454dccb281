//! Principal components of features.

use nalgebra::{DMatrix, RowDVector};

use super::decomposition::Decomposition;

/// Principal components of the training set.
///
/// ```text
/// (x - mean) V,  V: the first right singular vectors of the training set's x - mean
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    mean: RowDVector<f64>,
    /// Orthonormal columns, `[columns, components]`, in descending order of variance.
    components: DMatrix<f64>,
}

impl Principal {
    /// Fits `n_components` to rows `x` `[rows, columns]`. There are fewer if the rank of the rows
    /// is lower, but at least one, which is 0 if all rows are equal.
    pub fn fit(x: &DMatrix<f64>, n_components: usize) -> Self {
        let mean = x.row_mean();
        let decomposition = Decomposition::of(&centred(x.clone(), &mean));
        let components = match n_components.min(decomposition.rank()) {
            0 => DMatrix::zeros(x.ncols(), 1),
            n => decomposition.right.columns(0, n).into_owned(),
        };
        Self { mean, components }
    }

    /// The components of other rows, `[rows, components]`.
    pub fn apply(&self, x: DMatrix<f64>) -> DMatrix<f64> {
        centred(x, &self.mean) * &self.components
    }

    /// Number of components.
    pub fn n_components(&self) -> usize {
        self.components.ncols()
    }
}

fn centred(mut x: DMatrix<f64>, mean: &RowDVector<f64>) -> DMatrix<f64> {
    for mut row in x.row_iter_mut() {
        row -= mean;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_line_are_measured_along_it() {
        // Steps of 5 along (3, 4), around (4, 2).
        let x = DMatrix::from_row_slice(3, 2, &[1.0, -2.0, 4.0, 2.0, 7.0, 6.0]);
        let principal = Principal::fit(&x, 1);
        let found = principal.apply(x);
        let sign = found[2].signum();
        let expected = [-5.0, 0.0, 5.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found * sign - expected).abs() < 1e-12, "{found}");
        }
        // Another point, 3 beside the line. Its projection is 10 beyond the centre of the training
        // set.
        let foot = [4.0 + 6.0, 2.0 + 8.0];
        let other = DMatrix::from_row_slice(1, 2, &[foot[0] - 0.8 * 3.0, foot[1] + 0.6 * 3.0]);
        assert!((principal.apply(other)[0] * sign - 10.0).abs() < 1e-12);
    }

    #[test]
    fn two_components_are_all_there_is_of_rank_two() {
        let two = [
            [1.0, 2.0, 0.0, -1.0, 3.0, 0.5, 2.0],
            [0.0, 1.0, 1.0, 4.0, -2.0, 1.0, 0.0],
        ];
        let shares = [[1.0, 0.0], [2.0, 1.0], [0.0, 3.0], [-1.0, 1.0], [4.0, -2.0]];
        let x = DMatrix::from_fn(5, 7, |i, j| {
            10.0 + shares[i][0] * two[0][j] + shares[i][1] * two[1][j]
        });
        let again = |n: usize| {
            let principal = Principal::fit(&x, n);
            let mut again = principal.apply(x.clone()) * principal.components.transpose();
            for mut row in again.row_iter_mut() {
                row += &principal.mean;
            }
            (principal.n_components(), (again - &x).amax())
        };
        let (n, apart) = again(2);
        assert!(n == 2 && apart < 1e-12, "{apart}");
        let (n, apart) = again(5);
        assert!(n == 2 && apart < 1e-12, "cut to the rank: {n}, {apart}");
        let (n, apart) = again(1);
        assert!(n == 1 && apart > 0.1, "{apart}");
    }

    #[test]
    fn rows_that_are_all_the_same_have_one_component_which_is_0() {
        let x = DMatrix::from_element(3, 4, 2.0);
        assert_eq!(Principal::fit(&x, 2).apply(x).as_slice(), [0.0; 3]);
    }
}
