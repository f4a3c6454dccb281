//! Functions of symmetric matrices.

use nalgebra::{DMatrix, SymmetricEigen};

/// The symmetric matrix with the same eigenvectors as `matrix` and with its eigenvalues mapped by
/// `of`, such as the logarithm of a positive definite matrix. Of a matrix that rounding has made
/// asymmetric, the symmetric part is used.
pub fn map_eigenvalues(matrix: &DMatrix<f64>, of: fn(f64) -> f64) -> DMatrix<f64> {
    let symmetric = (matrix + matrix.transpose()) * 0.5;
    let SymmetricEigen {
        eigenvectors,
        eigenvalues,
    } = SymmetricEigen::new(symmetric);
    let scaled = &eigenvectors * DMatrix::from_diagonal(&eigenvalues.map(of));
    scaled * eigenvectors.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_of_a_rotated_diagonal_is_the_rotated_logarithm() {
        let (sin, cos) = 0.3f64.sin_cos();
        let turn = DMatrix::from_row_slice(2, 2, &[cos, -sin, sin, cos]);
        let diagonal = |a, b| DMatrix::from_row_slice(2, 2, &[a, 0.0, 0.0, b]);
        let matrix = &turn * diagonal(2.0, 0.5) * turn.transpose();
        let expected = &turn * diagonal(2f64.ln(), 0.5f64.ln()) * turn.transpose();
        assert!((map_eigenvalues(&matrix, f64::ln) - expected).amax() < 1e-14);
    }
}
