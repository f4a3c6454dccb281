//! Products of small matrices. Operands with long rows are copied in blocks, so that the addresses
//! that the inner loop reads follow one another; otherwise nothing is copied.

mod copied;

use pulp::{Simd, WithSimd};

/// Matrix that the product is added to.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// Zeros.
    Zero,
    /// The current values of `c`.
    Held,
    /// The same values in every row.
    Row(&'a [f32]),
}

/// Operand whose elements are read one by one, so any strides are allowed and a transposed matrix
/// needs no copy.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    values: &'a [f32],
    row: usize,
    column: usize,
}

/// Matrix stored row after row, `stride` apart.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    values: &'a [f32],
    stride: usize,
}

impl<'a> Rows<'a> {
    pub fn new(values: &'a [f32], stride: usize) -> Self {
        Self { values, stride }
    }

    pub fn columns_from(self, column: usize) -> Self {
        Self::new(&self.values[column..], self.stride)
    }

    /// As the left operand.
    pub fn left(self) -> Left<'a> {
        Left {
            values: self.values,
            row: self.stride,
            column: 1,
        }
    }

    /// Transposed, as the left operand.
    pub fn transposed(self) -> Left<'a> {
        Left {
            values: self.values,
            row: 1,
            column: self.stride,
        }
    }
}

/// `c = start + a b`, `[m, n] = [m, k] [k, n]`.
///
/// # Panics
/// If an operand is shorter than its shape requires.
pub struct Gemm<'a> {
    pub shape: [usize; 3],
    pub a: Left<'a>,
    pub b: Rows<'a>,
    pub start: Start<'a>,
    pub c: &'a mut [f32],
    pub c_stride: usize,
}

impl Gemm<'_> {
    /// Computes the product with the instruction set of `simd`.
    #[inline(always)]
    pub fn run<S: Simd>(self, simd: S) {
        simd.vectorize(self);
    }

    /// Checks that no index leaves its slice; the inner loop relies on it.
    fn check(&self) {
        let [m, n, k] = self.shape;
        if m == 0 || n == 0 {
            return;
        }
        let last = |rows: usize, stride: usize, columns: usize| (rows - 1) * stride + columns;
        assert!(self.c.len() >= last(m, self.c_stride, n), "c is too short");
        if let Start::Row(row) = self.start {
            assert!(row.len() >= n, "the starting row is too short");
        }
        if k == 0 {
            return;
        }
        let a = (m - 1) * self.a.row + (k - 1) * self.a.column + 1;
        assert!(self.a.values.len() >= a, "a is too short");
        assert!(
            self.b.values.len() >= last(k, self.b.stride, n),
            "b is too short"
        );
    }

    /// Columns `first .. first + NV registers`, all rows.
    #[inline(always)]
    fn columns<S: Simd, const ROWS: usize, const NV: usize>(&mut self, simd: S, first: usize) {
        let m = self.shape[0];
        let mut row = 0;
        while row + ROWS <= m {
            self.tile::<S, ROWS, NV>(simd, row, first);
            row += ROWS;
        }
        // The remaining rows are taken in blocks of half the size, so that few rows still share the
        // values read of b.
        while row + 4 <= m {
            self.tile::<S, 4, NV>(simd, row, first);
            row += 4;
        }
        while row + 2 <= m {
            self.tile::<S, 2, NV>(simd, row, first);
            row += 2;
        }
        if row < m {
            self.tile::<S, 1, NV>(simd, row, first);
        }
    }

    /// `MR` rows and `NV` registers of columns; their sums stay in registers throughout.
    #[inline(always)]
    #[allow(unsafe_code, clippy::needless_range_loop)]
    fn tile<S: Simd, const MR: usize, const NV: usize>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) {
        let lanes = S::F32_LANES;
        let k = self.shape[2];
        let mut sum = [[simd.splat_f32s(0.0); NV]; MR];
        // SAFETY: `check` has compared every index up to `shape` with the slices, and the callers
        // ask only for `row + MR <= m` and `column + NV * lanes <= n`. Registers need no alignment:
        // they are read and written as unaligned.
        unsafe {
            match self.start {
                Start::Zero => {}
                Start::Held => {
                    for i in 0..MR {
                        let c = self.c.as_ptr().add((row + i) * self.c_stride + column);
                        for j in 0..NV {
                            sum[i][j] = c.add(j * lanes).cast::<S::f32s>().read_unaligned();
                        }
                    }
                }
                Start::Row(values) => {
                    for j in 0..NV {
                        let values = values.as_ptr().add(column + j * lanes);
                        let values = values.cast::<S::f32s>().read_unaligned();
                        for i in 0..MR {
                            sum[i][j] = values;
                        }
                    }
                }
            }
            let a = self.a.values.as_ptr().add(row * self.a.row);
            let b = self.b.values.as_ptr().add(column);
            for p in 0..k {
                let b = b.add(p * self.b.stride);
                let mut read = [simd.splat_f32s(0.0); NV];
                for j in 0..NV {
                    read[j] = b.add(j * lanes).cast::<S::f32s>().read_unaligned();
                }
                let a = a.add(p * self.a.column);
                for i in 0..MR {
                    let a = simd.splat_f32s(*a.add(i * self.a.row));
                    for j in 0..NV {
                        sum[i][j] = simd.mul_add_e_f32s(a, read[j], sum[i][j]);
                    }
                }
            }
            for i in 0..MR {
                let c = self.c.as_mut_ptr().add((row + i) * self.c_stride + column);
                for j in 0..NV {
                    c.add(j * lanes)
                        .cast::<S::f32s>()
                        .write_unaligned(sum[i][j]);
                }
            }
        }
    }

    /// The last columns from `first` on, fewer than one register holds, all rows.
    #[inline(always)]
    fn rest<S: Simd>(&mut self, simd: S, first: usize) {
        let m = self.shape[0];
        let mut row = 0;
        while row + 12 <= m {
            self.cut_tile::<S, 12>(simd, row, first);
            row += 12;
        }
        while row + 4 <= m {
            self.cut_tile::<S, 4>(simd, row, first);
            row += 4;
        }
        while row < m {
            self.cut_tile::<S, 1>(simd, row, first);
            row += 1;
        }
    }

    /// `MR` rows of the last columns from `first` on.
    #[inline(always)]
    #[allow(unsafe_code, clippy::needless_range_loop)]
    fn cut_tile<S: Simd, const MR: usize>(&mut self, simd: S, row: usize, first: usize) {
        let [_, n, k] = self.shape;
        let mut sum = [simd.splat_f32s(0.0); MR];
        for i in 0..MR {
            let at = (row + i) * self.c_stride;
            match self.start {
                Start::Zero => {}
                Start::Held => sum[i] = simd.partial_load_f32s(&self.c[at + first..at + n]),
                Start::Row(values) => sum[i] = simd.partial_load_f32s(&values[first..n]),
            }
        }
        for p in 0..k {
            let b = p * self.b.stride;
            let b = simd.partial_load_f32s(&self.b.values[b + first..b + n]);
            let a = row * self.a.row + p * self.a.column;
            for i in 0..MR {
                // SAFETY: `check` has compared every index up to `shape` with the slice, and the
                // caller asks only for `row + MR <= m`.
                let a = unsafe { *self.a.values.get_unchecked(a + i * self.a.row) };
                sum[i] = simd.mul_add_e_f32s(simd.splat_f32s(a), b, sum[i]);
            }
        }
        for i in 0..MR {
            let at = (row + i) * self.c_stride;
            simd.partial_store_f32s(&mut self.c[at + first..at + n], sum[i]);
        }
    }
}

impl WithSimd for Gemm<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.check();
        let lanes = S::F32_LANES;
        let n = self.shape[1];
        let copies = self.is_worth_a_copy();
        let mut column = 0;
        if lanes == 8 {
            // AVX2 has 16 registers: 6 x 2 sums, 2 of b, 1 of a.
            if copies {
                column = self.copied::<S, 2>(simd);
            }
            while column + 2 * lanes <= n {
                self.columns::<S, 6, 2>(simd, column);
                column += 2 * lanes;
            }
        } else {
            // 32 registers: 6 x 4 sums, 4 of b, 1 of a.
            if copies {
                column = self.copied::<S, 4>(simd);
            }
            while column + 4 * lanes <= n {
                self.columns::<S, 6, 4>(simd, column);
                column += 4 * lanes;
            }
            while column + 2 * lanes <= n {
                self.columns::<S, 8, 2>(simd, column);
                column += 2 * lanes;
            }
        }
        while column + lanes <= n {
            self.columns::<S, 12, 1>(simd, column);
            column += lanes;
        }
        if column < n {
            self.rest(simd, column);
        }
    }
}

#[cfg(test)]
mod tests;
