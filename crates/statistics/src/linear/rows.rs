//! Rows of features, for classifiers that read all of them at every step.

use std::ops::Range;

use nalgebra::DMatrix;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Number of stretches of rows that are computed apart and then summed in their order, so that the
/// result does not depend on the number of threads.
const STRETCHES: usize = 16;

/// Number of rows that are multiplied at once.
const AT_ONCE: usize = 4;

/// Features `[rows, columns]`, row-major.
pub struct Rows {
    values: Vec<f64>,
    n_rows: usize,
    n_columns: usize,
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
    /// Copies a matrix `[rows, columns]`.
    pub fn new(x: &DMatrix<f64>) -> Self {
        let (n_rows, n_columns) = x.shape();
        let values = x.transpose().as_slice().to_vec();
        Self {
            values,
            n_rows,
            n_columns,
        }
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Cross entropy of `softmax(W [x, 1])` and its gradient, in one pass over the features.
    ///
    /// `weights`: `[classes, columns + 1]`, row-major; `truth`: the class of each row.
    pub fn cross_entropy(&self, weights: &[f64], truth: &[f64]) -> LossAndSlope {
        let n = self.n_rows;
        let each = n.div_ceil(STRETCHES).max(1);
        let stretches = (0..n.div_ceil(each)).into_par_iter();
        let sums: Vec<LossAndSlope> = stretches
            .map(|i| {
                let rows = i * each..((i + 1) * each).min(n);
                Arch::new().dispatch(Stretch {
                    of: self,
                    rows,
                    weights,
                    truth,
                })
            })
            .collect();
        let mut total = LossAndSlope {
            loss: 0.0,
            slope: vec![0.0; weights.len()],
        };
        for sum in sums {
            total.loss += sum.loss;
            let pairs = total.slope.iter_mut().zip(sum.slope);
            pairs.for_each(|(total, slope)| *total += slope);
        }
        let mean = 1.0 / n as f64;
        total.loss *= mean;
        total.slope.iter_mut().for_each(|slope| *slope *= mean);
        total
    }
}

/// Rows that one thread computes.
struct Stretch<'a> {
    of: &'a Rows,
    rows: Range<usize>,
    weights: &'a [f64],
    truth: &'a [f64],
}

impl WithSimd for Stretch<'_> {
    /// Sums over the rows.
    type Output = LossAndSlope;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> LossAndSlope {
        let mut sum = LossAndSlope {
            loss: 0.0,
            slope: vec![0.0; self.weights.len()],
        };
        let mut next = self.rows.start;
        while next + AT_ONCE <= self.rows.end {
            self.add::<S, AT_ONCE>(simd, next, &mut sum);
            next += AT_ONCE;
        }
        for row in next..self.rows.end {
            self.add::<S, 1>(simd, row, &mut sum);
        }
        sum
    }
}

impl Stretch<'_> {
    /// Adds the loss of `N` rows from `first` on, and its gradient. Weights are loaded once for all
    /// of these rows.
    #[inline(always)]
    fn add<S: Simd, const N: usize>(&self, simd: S, first: usize, sum: &mut LossAndSlope) {
        let p = self.of.n_columns;
        let rows: [&[f64]; N] = std::array::from_fn(|i| {
            let row = first + i;
            &self.of.values[row * p..(row + 1) * p]
        });
        // [classes][rows]: logits, then their distance from the truth.
        // A loop and no closure: code in closures does not get the wide registers.
        let mut apart = Vec::with_capacity(self.weights.len() / (p + 1));
        for w in self.weights.chunks_exact(p + 1) {
            let mut logits = dots(simd, rows, &w[..p]);
            for logit in &mut logits {
                *logit += w[p];
            }
            apart.push(logits);
        }
        for i in 0..N {
            let class = self.truth[first + i] as usize;
            let logits = apart.iter().map(|logits| logits[i]);
            let largest = logits.fold(f64::NEG_INFINITY, f64::max);
            let own = apart[class][i] - largest;
            let mut total = 0.0;
            for logits in &mut apart {
                logits[i] = (logits[i] - largest).exp();
                total += logits[i];
            }
            sum.loss += total.ln() - own;
            for (k, logits) in apart.iter_mut().enumerate() {
                logits[i] = logits[i] / total - f64::from(u8::from(k == class));
            }
        }
        for (apart, slope) in apart.iter().zip(sum.slope.chunks_exact_mut(p + 1)) {
            add_scaled(simd, *apart, rows, &mut slope[..p]);
            slope[p] += apart.iter().sum::<f64>();
        }
    }
}

/// Products of `N` rows with the weights of a class.
#[inline(always)]
fn dots<S: Simd, const N: usize>(simd: S, rows: [&[f64]; N], w: &[f64]) -> [f64; N] {
    let (w, w_rest) = S::as_simd_f64s(w);
    let split = rows.map(|row| S::as_simd_f64s(row));
    let mut sums = [simd.splat_f64s(0.0); N];
    for (i, w) in w.iter().enumerate() {
        for (sum, (row, _)) in sums.iter_mut().zip(&split) {
            *sum = simd.mul_add_e_f64s(row[i], *w, *sum);
        }
    }
    let mut products = [0.0; N];
    for (product, (sum, (_, rest))) in products.iter_mut().zip(sums.iter().zip(&split)) {
        *product = simd.reduce_sum_f64s(*sum);
        for (x, w) in rest.iter().zip(w_rest) {
            *product += x * w;
        }
    }
    products
}

/// `sum += factors * rows`.
#[inline(always)]
fn add_scaled<S: Simd, const N: usize>(
    simd: S,
    factors: [f64; N],
    rows: [&[f64]; N],
    sum: &mut [f64],
) {
    let split = rows.map(|row| S::as_simd_f64s(row));
    let (sum, sum_rest) = S::as_mut_simd_f64s(sum);
    let mut wide = [simd.splat_f64s(0.0); N];
    for (wide, factor) in wide.iter_mut().zip(factors) {
        *wide = simd.splat_f64s(factor);
    }
    for (i, sum) in sum.iter_mut().enumerate() {
        for (factor, (row, _)) in wide.iter().zip(&split) {
            *sum = simd.mul_add_e_f64s(*factor, row[i], *sum);
        }
    }
    for (i, sum) in sum_rest.iter_mut().enumerate() {
        for (factor, (_, rest)) in factors.iter().zip(&split) {
            *sum += factor * rest[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_and_gradient_are_those_of_the_definition() {
        // More rows than stretches, and columns that fill no register.
        let (n, p, n_classes) = (37, 13, 3);
        let number = |i: usize| ((i * 7919) % 101) as f64 / 50.0 - 1.0;
        let x = DMatrix::from_fn(n, p, |i, j| number(i * p + j));
        let weights: Vec<f64> = (0..n_classes * (p + 1)).map(|i| number(i + 5)).collect();
        let truth: Vec<f64> = (0..n).map(|i| (i * 5 % n_classes) as f64).collect();
        let rows = Rows::new(&x);
        let loss = |weights: &[f64]| -> f64 {
            let of_row = |i: usize| {
                let logit = |k: usize| {
                    let w = &weights[k * (p + 1)..(k + 1) * (p + 1)];
                    (0..p).map(|j| w[j] * x[(i, j)]).sum::<f64>() + w[p]
                };
                let sum: f64 = (0..n_classes).map(|k| logit(k).exp()).sum();
                sum.ln() - logit(truth[i] as usize)
            };
            (0..n).map(of_row).sum::<f64>() / n as f64
        };
        let found = rows.cross_entropy(&weights, &truth);
        assert!((found.loss - loss(&weights)).abs() < 1e-12);
        for at in 0..weights.len() {
            let moved = |by: f64| {
                let mut weights = weights.clone();
                weights[at] += by;
                loss(&weights)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((found.slope[at] - expected).abs() < 1e-8, "{at}");
        }
    }
}
