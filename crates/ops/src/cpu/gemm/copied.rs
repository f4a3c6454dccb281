//! Products by way of copies: blocks of the operands whose numbers follow one another in the order
//! in which the inner loop reads them.

use std::cell::Cell;

use pulp::Simd;

use super::{Gemm, Left, Rows, Start};

/// Steps of the inner sum that are copied together: 128 x 64 numbers of `b` fit into the level-1
/// cache.
const DEPTH: usize = 128;

/// Rows of `b` at least this long are copied. At a distance of 2 KiB or more, rows share few lines
/// of the level-1 cache and push each other out of it.
const LONG: usize = 512;

/// Rows of `c` from which on a copy is worth its time.
const MANY: usize = 24;

thread_local! {
    /// Memory for blocks of `a` and of `b`, kept from product to product.
    static BLOCKS: Cell<[Vec<f32>; 2]> = const { Cell::new([Vec::new(), Vec::new()]) };
}

impl Gemm<'_> {
    /// Whether blocks of the operands should be copied.
    pub(super) fn is_worth_a_copy(&self) -> bool {
        let [m, _, k] = self.shape;
        m >= MANY && k > 0 && self.b.stride >= LONG
    }

    /// All whole blocks of `NV` registers of columns, by way of copies; returns the first column
    /// that is left.
    #[inline(always)]
    pub(super) fn copied<S: Simd, const NV: usize>(&mut self, simd: S) -> usize {
        let [m, n, k] = self.shape;
        let width = NV * S::F32_LANES;
        let end = n / width * width;
        let [mut a, mut b] = BLOCKS.take();
        let transposed = self.a.row == 1;
        if transposed {
            a.resize(a.len().max(m * DEPTH), 0.0);
        }
        b.resize(b.len().max(width * DEPTH), 0.0);
        for from in (0..k).step_by(DEPTH) {
            let depth = DEPTH.min(k - from);
            if transposed {
                self.copy_a(from, depth, &mut a);
            }
            for first in (0..end).step_by(width) {
                for (p, b) in b.chunks_exact_mut(width).take(depth).enumerate() {
                    let at = (from + p) * self.b.stride + first;
                    b.copy_from_slice(&self.b.values[at..at + width]);
                }
                let start = match self.start {
                    Start::Row(row) if from == 0 => Start::Row(&row[first..]),
                    start if from == 0 => start,
                    _ => Start::Held,
                };
                for (row, rows) in tiles(m) {
                    let of_tile = match transposed {
                        true => Left {
                            values: &a[row * depth..],
                            row: 1,
                            column: rows,
                        },
                        false => Left {
                            values: &self.a.values[row * self.a.row + from * self.a.column..],
                            ..self.a
                        },
                    };
                    let mut tile = Gemm {
                        shape: [rows, width, depth],
                        a: of_tile,
                        b: Rows::new(&b, width),
                        start,
                        c: &mut self.c[row * self.c_stride + first..],
                        c_stride: self.c_stride,
                    };
                    match rows {
                        6 => tile.tile::<S, 6, NV>(simd, 0, 0),
                        4 => tile.tile::<S, 4, NV>(simd, 0, 0),
                        2 => tile.tile::<S, 2, NV>(simd, 0, 0),
                        _ => tile.tile::<S, 1, NV>(simd, 0, 0),
                    }
                }
            }
        }
        BLOCKS.set([a, b]);
        end
    }

    /// Copies the columns `from..from + depth` of a transposed `a`: the rows of a tile lie side by
    /// side, and tile follows on tile.
    fn copy_a(&self, from: usize, depth: usize, out: &mut [f32]) {
        let column = self.a.column;
        for (row, rows) in tiles(self.shape[0]) {
            let out = &mut out[row * depth..(row + rows) * depth];
            for (p, out) in out.chunks_exact_mut(rows).enumerate() {
                let at = row + (from + p) * column;
                out.copy_from_slice(&self.a.values[at..at + rows]);
            }
        }
    }
}

/// First row and number of rows of each tile of `m` rows: six, then four, two and one.
fn tiles(m: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut row = 0;
    std::iter::from_fn(move || {
        let rows = [6, 4, 2, 1].into_iter().find(|rows| row + rows <= m)?;
        row += rows;
        Some((row - rows, rows))
    })
}
