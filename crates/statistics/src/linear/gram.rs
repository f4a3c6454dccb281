//! Products of all pairs of rows.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// Rows of a block, the unit of work of a thread.
const BLOCK: usize = 128;

/// `x x'` of `x` `[rows, columns]`. Threads share the blocks on and below the diagonal, so half of
/// the products are computed; the result does not depend on the number of threads.
pub fn gram(x: &DMatrix<f64>) -> DMatrix<f64> {
    let n = x.nrows();
    let transposed = x.transpose();
    let starts = (0..n).step_by(BLOCK);
    let blocks: Vec<(usize, usize)> = starts
        .flat_map(|i| (0..=i).step_by(BLOCK).map(move |j| (i, j)))
        .collect();
    let size = |start: usize| BLOCK.min(n - start);
    let products: Vec<DMatrix<f64>> = (blocks.par_iter())
        .map(|(i, j)| x.rows(*i, size(*i)) * transposed.columns(*j, size(*j)))
        .collect();
    let mut gram = DMatrix::zeros(n, n);
    for ((i, j), product) in blocks.into_iter().zip(products) {
        let shape = product.shape();
        gram.view_mut((i, j), shape).copy_from(&product);
        if i != j {
            let mut above = gram.view_mut((j, i), (shape.1, shape.0));
            above.copy_from(&product.transpose());
        }
    }
    gram
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_rows_is_multiplied() {
        // More rows than a block, and a last block that is not full.
        let x = DMatrix::from_fn(2 * BLOCK + 5, 3, |i, j| ((i * 7 + j * 3) % 11) as f64 - 5.0);
        let found = gram(&x);
        for (i, j) in [(0, 0), (200, 3), (3, 200), (260, 260), (255, 256)] {
            assert_eq!(found[(i, j)], x.row(i).dot(&x.row(j)), "{i}, {j}");
        }
    }
}
