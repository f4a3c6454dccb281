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

    /// The last columns, fewer than one register holds.
    #[inline(always)]
    fn rest<S: Simd>(&mut self, simd: S, first: usize) {
        let [m, n, k] = self.shape;
        for row in 0..m {
            let at = row * self.c_stride;
            let mut sum = match self.start {
                Start::Zero => simd.splat_f32s(0.0),
                Start::Held => simd.partial_load_f32s(&self.c[at + first..at + n]),
                Start::Row(values) => simd.partial_load_f32s(&values[first..n]),
            };
            for p in 0..k {
                let a = self.a.values[row * self.a.row + p * self.a.column];
                let b = p * self.b.stride;
                let b = simd.partial_load_f32s(&self.b.values[b + first..b + n]);
                sum = simd.mul_add_e_f32s(simd.splat_f32s(a), b, sum);
            }
            simd.partial_store_f32s(&mut self.c[at + first..at + n], sum);
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
mod tests {
    use super::super::instructions::{SETS, run_with};
    use super::*;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn products_are_those_of_the_definition() {
        let rng = &mut rand_chacha::ChaCha8Rng::seed_from_u64(0);
        let mut draw =
            |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
        for [m, n, k] in [
            [1, 1, 1],
            [3, 5, 7],
            [13, 16, 9],
            [100, 64, 20],
            [25, 117, 33],
            [7, 48, 0],
            // Long rows of b, whose blocks are copied.
            [31, 600, 140],
        ] {
            let (a, b, row, held) = (
                draw(m * k + k * 3),
                draw(k * (n + 2)),
                draw(n),
                draw(m * (n + 1)),
            );
            let cases = SETS.into_iter().flat_map(|set| {
                [false, true]
                    .into_iter()
                    .flat_map(move |t| (0..3).map(move |start| (set, t, start)))
            });
            for (set, transposed, start) in cases {
                let left = Rows::new(&a, if transposed { m } else { k });
                let a_at = |i: usize, p: usize| a[if transposed { p * m + i } else { i * k + p }];
                let mut c = held.clone();
                let product = Gemm {
                    shape: [m, n, k],
                    a: if transposed {
                        left.transposed()
                    } else {
                        left.left()
                    },
                    b: Rows::new(&b, n + 2),
                    start: [Start::Zero, Start::Held, Start::Row(&row)][start],
                    c: &mut c,
                    c_stride: n + 1,
                };
                if run_with(set, product).is_none() {
                    continue;
                }
                for i in 0..m {
                    for j in 0..n {
                        let begin = [0.0, held[i * (n + 1) + j], row[j]][start];
                        let sum: f32 = (0..k).map(|p| a_at(i, p) * b[p * (n + 2) + j]).sum();
                        let found = c[i * (n + 1) + j];
                        assert!(
                            (found - begin - sum).abs() < 1e-5,
                            "{set} {m} {n} {k}: {found}"
                        );
                    }
                    let beside = i * (n + 1) + n;
                    assert_eq!(c[beside], held[beside], "a value beside the matrix changed");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "b is too short")]
    fn operands_that_are_too_short_are_refused() {
        let (a, b, mut c) = ([1.0; 4], [1.0; 3], [0.0; 4]);
        let product = Gemm {
            shape: [2, 2, 2],
            a: Rows::new(&a, 2).left(),
            b: Rows::new(&b, 2),
            start: Start::Zero,
            c: &mut c,
            c_stride: 2,
        };
        run_with("widest", product);
    }
}
