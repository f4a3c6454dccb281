//! Gram matrix: sums of products of all pairs of columns, from rows that arrive one by one.

use pulp::{Arch, Simd, WithSimd};

/// Rows that are multiplied at once: 64 rows of 100 numbers fit into the first-level cache.
const BLOCK_ROWS: usize = 64;

/// Columns are padded with zeros to a multiple of this number, the width of an AVX-512 register.
const LANES: usize = 16;

/// Rows of the result whose sums are computed at once; a divisor of [`LANES`].
const TILE_ROWS: usize = 4;

/// The sum of `x' x` over all rows `x`, in `f32`, on the calling thread.
///
/// Rows are collected in a block, which is multiplied when it is full. So the caller can compute
/// rows on demand, and no copy of all rows is needed. Every sum adds the rows in their order.
pub(super) struct Gram {
    columns: usize,
    /// Number of columns with padding.
    stride: usize,
    /// `[BLOCK_ROWS, stride]`, of which the first `filled` rows are valid.
    block: Vec<f32>,
    filled: usize,
    /// `[stride, stride]`: valid on and above the diagonal, undefined below.
    sums: Vec<f32>,
}

impl Gram {
    /// A Gram matrix without rows.
    pub fn new(columns: usize) -> Self {
        let stride = columns.next_multiple_of(LANES);
        Self {
            columns,
            stride,
            block: vec![0.0; BLOCK_ROWS * stride],
            filled: 0,
            sums: vec![0.0; stride * stride],
        }
    }

    /// A buffer for the next row, of length `columns`; the caller must set every number.
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
        Arch::new().dispatch(&mut *self);
        self.filled = 0;
    }

    /// Computes the sums of [`TILE_ROWS`] rows from `row` on and of `REGISTERS` registers of
    /// columns from `register` on. The sums stay in registers.
    #[inline(always)]
    fn tile<S: Simd, const REGISTERS: usize>(&mut self, simd: S, row: usize, register: usize) {
        let registers = register..register + REGISTERS;
        let stride = self.stride;
        let mut sums = [[simd.splat_f32s(0.0); REGISTERS]; TILE_ROWS];
        for (at, sums) in sums.iter_mut().enumerate() {
            let stored = &self.sums[(row + at) * stride..][..stride];
            sums.copy_from_slice(&S::as_simd_f32s(stored).0[registers.clone()]);
        }
        for x in self.block[..self.filled * stride].chunks_exact(stride) {
            let right = &S::as_simd_f32s(x).0[registers.clone()];
            let left = &x[row..row + TILE_ROWS];
            for (sums, left) in sums.iter_mut().zip(left) {
                let left = simd.splat_f32s(*left);
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = simd.mul_add_e_f32s(left, *right, *sum);
                }
            }
        }
        for (at, sums) in sums.iter().enumerate() {
            let stored = &mut self.sums[(row + at) * stride..][..stride];
            S::as_mut_simd_f32s(stored).0[registers.clone()].copy_from_slice(sums);
        }
    }
}

/// Adds the products of the block to the sums.
impl WithSimd for &mut Gram {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let n_registers = self.stride / S::F32_LANES;
        // AVX2 has 16 registers: 4 x 2 sums, 2 for the right, 1 for the left factor. Others have
        // 32.
        let has_few = S::F32_LANES == 8;
        for row in (0..self.columns).step_by(TILE_ROWS) {
            // Sums left of the diagonal are skipped, because the matrix is symmetric.
            let mut register = row / S::F32_LANES;
            while !has_few && register + 4 <= n_registers {
                self.tile::<S, 4>(simd, row, register);
                register += 4;
            }
            while register + 2 <= n_registers {
                self.tile::<S, 2>(simd, row, register);
                register += 2;
            }
            while register < n_registers {
                self.tile::<S, 1>(simd, row, register);
                register += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_definition() {
        // Whole numbers have exact sums in single precision, so the order of addition does not
        // matter.
        for (rows, columns) in [(0, 3), (1, 1), (64, 16), (65, 17), (200, 100), (130, 49)] {
            let x: Vec<f32> = (0..rows * columns)
                .map(|at| (at * 7919 % 23) as f32 - 11.0)
                .collect();
            let mut gram = Gram::new(columns);
            for row in x.chunks_exact(columns) {
                gram.next_row().copy_from_slice(row);
            }
            let found = gram.finish();
            assert_eq!(found.len(), columns * columns);
            for i in 0..columns {
                for j in 0..columns {
                    let sum: f32 = x.chunks_exact(columns).map(|row| row[i] * row[j]).sum();
                    assert_eq!(found[i * columns + j], sum, "{rows} x {columns}: {i}, {j}");
                }
            }
        }
    }

    #[test]
    fn sums_go_through_the_rows_in_order() {
        // In single precision 1e8 + 1 is 1e8, so the later -1e8 does not restore the 1.
        let mut gram = Gram::new(2);
        for [a, b] in [[1e4, 1e4], [1.0, 1.0], [1e4, -1e4], [1.0, 1.0]] {
            gram.next_row().copy_from_slice(&[a, b]);
        }
        assert_eq!(gram.finish()[1], 1.0);
    }
}
