//! Sums of products of all pairs of columns, from rows that come one by one.

use pulp::{Arch, Simd, WithSimd};

use super::gemm::{Gemm, Rows, Start};

/// Rows that are multiplied at once: 64 of 100 numbers lie in the nearest cache.
const BLOCK_ROWS: usize = 64;

/// Columns are filled up to a multiple of this with zeros, so that registers are full: AVX-512 holds as many.
const LANES: usize = 16;

/// Rows of the result that are computed at once; what lies left of them is on the other side of the diagonal, and left out.
const PANEL_ROWS: usize = 24;

/// The sum of `x' x` over all rows `x` that it was given, in `f32`, on the thread that calls.
///
/// A block of rows is kept and multiplied when it is full: whoever gives rows may compute them on the way, and no copy of all is made.
pub struct Gram {
    columns: usize,
    /// Columns with the zeros beside them.
    stride: usize,
    /// `[BLOCK_ROWS, stride]`, of which `filled` rows count.
    block: Vec<f32>,
    filled: usize,
    /// `[columns, stride]`: right above the diagonal, anything below.
    sums: Vec<f32>,
}

impl Gram {
    /// No row yet.
    pub fn new(columns: usize) -> Self {
        let stride = columns.next_multiple_of(LANES);
        Self {
            columns,
            stride,
            block: vec![0.0; BLOCK_ROWS * stride],
            filled: 0,
            sums: vec![0.0; columns * stride],
        }
    }

    /// The next row, as long as there are columns; every number of it must be set.
    #[inline]
    pub fn next_row(&mut self) -> &mut [f32] {
        if self.filled == BLOCK_ROWS {
            self.multiply();
        }
        let start = self.filled * self.stride;
        self.filled += 1;
        &mut self.block[start..start + self.columns]
    }

    /// The sums, `[columns, columns]`, symmetric.
    pub fn finish(mut self) -> Vec<f32> {
        self.multiply();
        let n = self.columns;
        let mut all = vec![0.0; n * n];
        for i in 0..n {
            all[i * n + i..(i + 1) * n]
                .copy_from_slice(&self.sums[i * self.stride + i..i * self.stride + n]);
            for j in 0..i {
                all[i * n + j] = all[j * n + i];
            }
        }
        all
    }

    fn multiply(&mut self) {
        Arch::new().dispatch(Panels(self));
        self.filled = 0;
    }
}

struct Panels<'a>(&'a mut Gram);

impl WithSimd for Panels<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Gram {
            columns,
            stride,
            ref block,
            filled,
            ref mut sums,
        } = *self.0;
        for row in (0..columns).step_by(PANEL_ROWS) {
            let column = row / LANES * LANES;
            let product = Gemm {
                shape: [PANEL_ROWS.min(columns - row), stride - column, filled],
                a: Rows::new(&block[row..], stride).transposed(),
                b: Rows::new(&block[column..], stride),
                start: Start::Held,
                c: &mut sums[row * stride + column..],
                c_stride: stride,
            };
            product.run(simd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn sums_are_those_of_the_definition() {
        let rng = &mut rand_chacha::ChaCha8Rng::seed_from_u64(0);
        for (rows, columns) in [(0, 3), (1, 1), (64, 16), (65, 17), (200, 100), (130, 49)] {
            let x: Vec<f32> = (0..rows * columns)
                .map(|_| rng.random_range(-1.0..1.0))
                .collect();
            let mut gram = Gram::new(columns);
            for row in x.chunks_exact(columns) {
                gram.next_row().copy_from_slice(row);
            }
            let found = gram.finish();
            assert_eq!(found.len(), columns * columns);
            for i in 0..columns {
                for j in 0..columns {
                    let pairs = x.chunks_exact(columns).map(|row| [row[i], row[j]]);
                    let sum: f64 = pairs.map(|[a, b]| f64::from(a) * f64::from(b)).sum();
                    let apart = (f64::from(found[i * columns + j]) - sum).abs();
                    // Sums of up to 70, which single precision rounds by up to 4e-6 each time.
                    assert!(apart < 5e-5, "{rows} x {columns}: {i}, {j} is {apart} off");
                }
            }
        }
    }
}
