//! Sums of products of all pairs of columns, from rows that come one by one.

use pulp::{Arch, Simd, WithSimd};

/// Rows that are multiplied at once: 64 of 100 numbers lie in the nearest cache.
const BLOCK_ROWS: usize = 64;

/// Columns are filled up to a multiple of this with zeros, so that registers are full: AVX-512
/// holds as many.
const LANES: usize = 16;

/// Rows of the result whose sums are held at once, which divides [`LANES`].
const TILE_ROWS: usize = 4;

/// The sum of `x' x` over all rows `x` that it was given, in `f32`, on the thread that calls.
///
/// A block of rows is kept and multiplied when it is full: whoever gives rows may compute them on
/// the way, and no copy of all is made. Every sum goes through the rows in their order.
pub(super) struct Gram {
    columns: usize,
    /// Columns with the zeros beside them.
    stride: usize,
    /// `[BLOCK_ROWS, stride]`, of which `filled` rows count.
    block: Vec<f32>,
    filled: usize,
    /// `[stride, stride]`: right above the diagonal, anything below.
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
            sums: vec![0.0; stride * stride],
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
        Arch::new().dispatch(&mut *self);
        self.filled = 0;
    }

    /// The sums of [`TILE_ROWS`] rows from `row` on and of `REGISTERS` of columns from the register
    /// `register` on, which stay in registers throughout.
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
        // AVX2 has 16 registers: 4 x 2 sums, 2 of the right, 1 of the left side. Others have 32.
        let has_few = S::F32_LANES == 8;
        for row in (0..self.columns).step_by(TILE_ROWS) {
            // What lies left of the diagonal is on the other side of it, and left out.
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
        // Whole numbers, whose sums single precision holds: any order of adding gives the same.
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
        // 1e8 swallows 1 in single precision, and -1e8 does not give it back.
        let mut gram = Gram::new(2);
        for [a, b] in [[1e4, 1e4], [1.0, 1.0], [1e4, -1e4], [1.0, 1.0]] {
            gram.next_row().copy_from_slice(&[a, b]);
        }
        assert_eq!(gram.finish()[1], 1.0);
    }
}
