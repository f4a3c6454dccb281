//! Rows of features, for classifiers that read all of them at every step.

use std::ops::Range;

use nalgebra::DMatrix;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Number of stretches of rows that are computed apart and then summed in their order, so that the
/// result does not depend on the number of threads.
const STRETCHES: usize = 16;

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
        let p = self.of.n_columns;
        let n_classes = self.weights.len() / (p + 1);
        let mut slope = vec![0.0; self.weights.len()];
        let mut apart = vec![0.0; n_classes];
        let mut loss = 0.0;
        for i in self.rows {
            let row = &self.of.values[i * p..(i + 1) * p];
            let classes = self.weights.chunks_exact(p + 1);
            for (logit, w) in apart.iter_mut().zip(classes) {
                *logit = dot(simd, row, &w[..p]) + w[p];
            }
            let class = self.truth[i] as usize;
            let largest = apart.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let own = apart[class] - largest;
            let mut sum = 0.0;
            for logit in &mut apart {
                *logit = (*logit - largest).exp();
                sum += *logit;
            }
            loss += sum.ln() - own;
            for (k, (share, slope)) in apart.iter().zip(slope.chunks_exact_mut(p + 1)).enumerate() {
                let share = share / sum - f64::from(u8::from(k == class));
                add_scaled(simd, share, row, &mut slope[..p]);
                slope[p] += share;
            }
        }
        LossAndSlope { loss, slope }
    }
}

#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (S::as_simd_f64s(a), S::as_simd_f64s(b));
    let mut sums = [simd.splat_f64s(0.0); 4];
    let ((a4, a1), (b4, b1)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (a, b) in a4.iter().zip(b4) {
        for lane in 0..4 {
            sums[lane] = simd.mul_add_e_f64s(a[lane], b[lane], sums[lane]);
        }
    }
    for (a, b) in a1.iter().zip(b1) {
        sums[0] = simd.mul_add_e_f64s(*a, *b, sums[0]);
    }
    let [one, two, three, four] = sums;
    let sum = simd.add_f64s(simd.add_f64s(one, two), simd.add_f64s(three, four));
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    simd.reduce_sum_f64s(sum) + rest
}

/// `sum += factor * row`.
#[inline(always)]
fn add_scaled<S: Simd>(simd: S, factor: f64, row: &[f64], sum: &mut [f64]) {
    let (row, row_rest) = S::as_simd_f64s(row);
    let (sum, sum_rest) = S::as_mut_simd_f64s(sum);
    let factors = simd.splat_f64s(factor);
    for (sum, x) in sum.iter_mut().zip(row) {
        *sum = simd.mul_add_e_f64s(factors, *x, *sum);
    }
    for (sum, x) in sum_rest.iter_mut().zip(row_rest) {
        *sum += factor * x;
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
