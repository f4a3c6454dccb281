//! Rows of features, for classifiers that read all of them at every step.

mod kernels;

use nalgebra::DMatrix;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::aligned::Aligned;
use kernels::{ROWS, Tiles};

/// Number of stretches of rows that are computed apart and then summed in their order, so that the
/// result does not depend on the number of threads.
const STRETCHES: usize = 16;

/// Tiles of rows in a block. The logits of a block are computed first, then its share of the
/// gradient, while it is in the cache: 9 rows of 5,000 columns are 360 kB.
const BLOCK: usize = 3;

/// Tiles of rows that are copied at once.
const AT_A_TIME: usize = 32;

/// Numbers of the gradient that a thread sums over the stretches at once.
const PIECE: usize = 4096;

/// Features `[rows, columns]` with a column of ones, as [`Tiles`].
pub struct Rows {
    tiles: Tiles,
    /// `[tiles of rows][chunks][ROWS][lanes]`
    values: Aligned,
    n_rows: usize,
    /// Columns without that of ones.
    n_columns: usize,
    /// What the stretches need, kept between the steps.
    stretches: Vec<Stretch>,
}

/// Mean of the loss over rows, and its gradient.
pub struct LossAndSlope {
    /// Mean of `-log p(truth)`.
    pub loss: f64,
    /// Gradient with respect to the weights, `[classes, columns + 1]`, row-major; the intercept is
    /// the last column.
    pub slope: Vec<f64>,
}

impl Rows {
    /// Copies a matrix `[rows, columns]`, for `n_classes`.
    pub fn new(x: &DMatrix<f64>, n_classes: usize) -> Self {
        let (n_rows, n_columns) = x.shape();
        let tiles = Tiles::new(Arch::new().dispatch(Lanes), n_columns + 1, n_classes);
        let n_tiles = n_rows.div_ceil(ROWS);
        let mut values = Aligned::zeros(n_tiles * tiles.of_rows());
        // Threads take some tiles at a time: in `x`, a column of their rows is a few cache lines.
        let ones = vec![1.0; n_rows];
        let some = values.get_mut().par_chunks_mut(AT_A_TIME * tiles.of_rows());
        some.enumerate().for_each(|(number, some)| {
            let first = number * AT_A_TIME * ROWS;
            let rows = first..(first + AT_A_TIME * ROWS).min(n_rows);
            for column in 0..=n_columns {
                let from = tiles.in_rows(0, column);
                let of_x = match column < n_columns {
                    true => &x.as_slice()[column * n_rows..][rows.clone()],
                    false => &ones[rows.clone()],
                };
                for (tile, of_x) in some
                    .chunks_exact_mut(tiles.of_rows())
                    .zip(of_x.chunks(ROWS))
                {
                    for (i, value) in of_x.iter().enumerate() {
                        tile[from + i * tiles.lanes] = *value;
                    }
                }
            }
        });
        let each = n_tiles.div_ceil(STRETCHES).max(1);
        let stretches = (0..n_tiles.div_ceil(each))
            .map(|i| Stretch {
                first: i * each,
                end: ((i + 1) * each).min(n_tiles),
                loss: 0.0,
                slope: Aligned::zeros(tiles.of_weights()),
                sums: Aligned::zeros(BLOCK * tiles.of_sums()),
                apart: vec![0.0; BLOCK * ROWS * tiles.n_classes_padded()],
            })
            .collect();
        Self {
            tiles,
            values,
            n_rows,
            n_columns,
            stretches,
        }
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Cross entropy of `softmax(W [x, 1])` and its gradient, in one pass over the features.
    ///
    /// `weights`: `[classes, columns + 1]`, row-major; `truth`: the class of each row.
    pub fn cross_entropy(&mut self, weights: &[f64], truth: &[f64]) -> LossAndSlope {
        let tiles = self.tiles;
        let width = self.n_columns + 1;
        let mut packed = Aligned::zeros(tiles.of_weights());
        for (class, weights) in weights.chunks_exact(width).enumerate() {
            for (chunk, weights) in weights.chunks(tiles.lanes).enumerate() {
                let at = tiles.in_weights(class, chunk);
                packed.get_mut()[at..at + weights.len()].copy_from_slice(weights);
            }
        }
        let (values, weights) = (self.values.get(), packed.get());
        self.stretches.par_iter_mut().for_each(|stretch| {
            Arch::new().dispatch(Step {
                tiles,
                values,
                weights,
                truth,
                stretch,
            });
        });
        let mean = 1.0 / self.n_rows as f64;
        let loss = self
            .stretches
            .iter()
            .map(|stretch| stretch.loss)
            .sum::<f64>();
        let mut sum = vec![0.0; tiles.of_weights()];
        sum.par_chunks_mut(PIECE).enumerate().for_each(|(i, sum)| {
            for stretch in &self.stretches {
                let own = &stretch.slope.get()[i * PIECE..];
                sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            }
            sum.iter_mut().for_each(|sum| *sum *= mean);
        });
        let mut slope = vec![0.0; tiles.n_classes * width];
        for (class, slope) in slope.chunks_exact_mut(width).enumerate() {
            for (chunk, slope) in slope.chunks_mut(tiles.lanes).enumerate() {
                let at = tiles.in_slope(class, chunk);
                slope.copy_from_slice(&sum[at..at + slope.len()]);
            }
        }
        LossAndSlope {
            loss: loss * mean,
            slope,
        }
    }
}

/// Tiles of rows that one thread computes, and its sums.
struct Stretch {
    first: usize,
    end: usize,
    loss: f64,
    /// Gradient, in [`Tiles::in_slope`]'s order.
    slope: Aligned,
    /// Logits of a block before the sum over lanes, `[tiles of rows][tiles of classes][CLASSES]
    /// [ROWS][lanes]`.
    sums: Aligned,
    /// Distance of a block's probabilities from the truth, `[tiles of classes][rows][CLASSES]`.
    apart: Vec<f64>,
}

/// Number of double-precision numbers in a register.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> usize {
        S::F64_LANES
    }
}

/// The work of a stretch.
struct Step<'a> {
    tiles: Tiles,
    values: &'a [f64],
    weights: &'a [f64],
    truth: &'a [f64],
    stretch: &'a mut Stretch,
}

impl WithSimd for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            tiles,
            values,
            weights,
            truth,
            stretch,
        } = self;
        stretch.loss = 0.0;
        stretch.slope.get_mut().fill(0.0);
        let size = tiles.of_rows();
        let mut next = stretch.first;
        // Plain loops here and in what they call: closures do not get the wide registers.
        while next < stretch.end {
            let n = BLOCK.min(stretch.end - next);
            let block = &values[next * size..(next + n) * size];
            let sums = &mut stretch.sums.get_mut()[..n * tiles.of_sums()];
            kernels::logits(simd, tiles, block, weights, sums);
            let first = next * ROWS;
            let truth = &truth[first..(first + n * ROWS).min(truth.len())];
            stretch.loss += tiles.distances(sums, truth, n, &mut stretch.apart);
            kernels::slope(simd, tiles, block, &stretch.apart, stretch.slope.get_mut());
            next += n;
        }
    }
}

#[cfg(test)]
mod tests;
