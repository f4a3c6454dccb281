//! Profiles: rows of which only the form counts, so that their products are correlations.

use nalgebra::DMatrix;

/// Each row minus its own mean, with a norm of 1: the product of two rows is their Pearson
/// correlation. A constant row becomes 0.
pub fn profiles(mut x: DMatrix<f64>) -> DMatrix<f64> {
    for mut row in x.row_iter_mut() {
        let mean = row.mean();
        row.add_scalar_mut(-mean);
        let norm = row.norm();
        // Smaller norms are rounding of single-precision features.
        let is_constant = norm <= 1e-7 * mean.abs().max(1e-7) * (row.len() as f64).sqrt();
        row *= if is_constant { 0.0 } else { norm.recip() };
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_correlations() {
        // The second row is a multiple of the first one plus a number, the third its opposite.
        let rows = [
            1.0, 2.0, 4.0, 13.0, 15.0, 19.0, -1.0, -2.0, -4.0, 5.0, 5.0, 5.0,
        ];
        let x = profiles(DMatrix::from_row_slice(4, 3, &rows));
        let products = &x * x.transpose();
        let expected = [1.0, 1.0, -1.0, 0.0];
        for (i, expected) in expected.into_iter().enumerate() {
            assert!((products[(0, i)] - expected).abs() < 1e-12, "{products}");
        }
    }
}
