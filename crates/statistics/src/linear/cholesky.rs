//! Cholesky factors of large matrices, in blocks, so that nearly all work is matrix products.

use nalgebra::DMatrix;

/// Columns of a block.
const BLOCK: usize = 64;
/// Columns that are updated by one product.
const UPDATE: usize = 256;

/// The factor `L` of a symmetric positive definite matrix, `a = L L'`.
pub struct Cholesky(DMatrix<f64>);

impl Cholesky {
    /// Factor of `a`, of which the part on and below the diagonal is read; `None` if `a` is not
    /// positive definite.
    pub fn of(mut a: DMatrix<f64>) -> Option<Self> {
        let n = a.nrows();
        for start in (0..n).step_by(BLOCK) {
            let width = BLOCK.min(n - start);
            let corner = a.view((start, start), (width, width)).into_owned();
            let corner = nalgebra::Cholesky::new(corner)?.unpack();
            a.view_mut((start, start), (width, width))
                .copy_from(&corner);
            let below = start + width;
            if below == n {
                break;
            }
            // Rows below: panel = L corner', so corner L' = panel'.
            let mut across = a.view((below, start), (n - below, width)).transpose();
            if !corner.solve_lower_triangular_mut(&mut across) {
                return None;
            }
            let panel = across.transpose();
            a.view_mut((below, start), (n - below, width))
                .copy_from(&panel);
            for from in (0..n - below).step_by(UPDATE) {
                let columns = UPDATE.min(n - below - from);
                let rows = n - below - from;
                let at = below + from;
                a.view_mut((at, at), (rows, columns)).gemm(
                    -1.0,
                    &panel.rows(from, rows),
                    &across.columns(from, columns),
                    1.0,
                );
            }
        }
        Some(Self(a))
    }

    /// Solution of `a x = b`, `b` `[rows, right-hand sides]`.
    pub fn solve(&self, mut b: DMatrix<f64>) -> DMatrix<f64> {
        let solved = self.0.solve_lower_triangular_mut(&mut b)
            && self.0.tr_solve_lower_triangular_mut(&mut b);
        assert!(solved, "a factor has no 0 on its diagonal");
        b
    }

    /// `b' a^-1 b` of every column of `b`, `[rows, columns]`: the square of `L^-1 b`. Rows before
    /// `from` are 0 in all columns.
    pub fn inverse_squares(&self, mut b: DMatrix<f64>, from: usize) -> Vec<f64> {
        let (n, columns) = b.shape();
        for start in (from / BLOCK * BLOCK..n).step_by(BLOCK) {
            let width = BLOCK.min(n - start);
            let below = start + width;
            let (mut solved, mut rest) = b.rows_range_pair_mut(start..below, below..n);
            let corner = self.0.view((start, start), (width, width));
            let is_solved = corner.solve_lower_triangular_mut(&mut solved);
            assert!(is_solved, "a factor has no 0 on its diagonal");
            let factor = self.0.view((below, start), (n - below, width));
            rest.gemm(-1.0, &factor, &solved, 1.0);
        }
        (0..columns).map(|j| b.column(j).norm_squared()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_of_several_blocks_are_solved() {
        let n = 2 * BLOCK + UPDATE + 7;
        let a = DMatrix::from_fn(n, n, |i, j| {
            let apart = i.abs_diff(j) as f64;
            (-0.1 * apart).exp() + f64::from(u8::from(i == j))
        });
        let x = DMatrix::from_fn(n, 2, |i, j| ((i * 5 + j * 3) % 13) as f64 - 6.0);
        let solved = Cholesky::of(a.clone())
            .expect("positive definite")
            .solve(&a * &x);
        assert!((solved - x).amax() < 1e-10);
    }

    #[test]
    fn squares_of_the_inverse_are_those_of_solved_equations() {
        let n = 2 * BLOCK + 9;
        let a = DMatrix::from_fn(n, n, |i, j| {
            let apart = i.abs_diff(j) as f64;
            (-0.1 * apart).exp() + f64::from(u8::from(i == j))
        });
        let factor = Cholesky::of(a).expect("positive definite");
        let from = BLOCK + 3;
        let b = DMatrix::from_fn(n, 3, |i, j| match i < from {
            true => 0.0,
            false => ((i * 5 + j * 3) % 13) as f64 - 6.0,
        });
        let found = factor.inverse_squares(b.clone(), from);
        let solved = factor.solve(b.clone());
        for (j, found) in found.into_iter().enumerate() {
            let expected = b.column(j).dot(&solved.column(j));
            assert!(
                (found - expected).abs() < 1e-9 * expected,
                "{found}, {expected}"
            );
        }
    }

    #[test]
    fn a_matrix_with_a_negative_eigenvalue_has_no_factor() {
        let n = BLOCK + 1;
        let mut a = DMatrix::identity(n, n);
        a[(BLOCK, BLOCK)] = -1.0;
        assert!(Cholesky::of(a).is_none());
    }
}
