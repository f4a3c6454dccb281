//! What is done to the rows of matrices that lie in cache: sums, layer norm, softmax, GELU.

use pulp::Simd;

use super::lanes;

/// `out = f(out, inputs)`, element by element.
#[inline(always)]
pub fn update<S: Simd, const N: usize>(
    simd: S,
    out: &mut [f32],
    inputs: [&[f32]; N],
    f: impl Fn(S::f32s, [S::f32s; N]) -> S::f32s,
) {
    let n = out.len();
    let heads = inputs.map(|input| S::as_simd_f32s(&input[..n]));
    let (out, out_tail) = S::as_mut_simd_f32s(out);
    for (i, out) in out.iter_mut().enumerate() {
        *out = f(*out, heads.map(|(head, _)| head[i]));
    }
    if !out_tail.is_empty() {
        let tails = heads.map(|(_, tail)| simd.partial_load_f32s(tail));
        let value = f(simd.partial_load_f32s(out_tail), tails);
        simd.partial_store_f32s(out_tail, value);
    }
}

/// `out += x`.
#[inline(always)]
pub fn add<S: Simd>(simd: S, out: &mut [f32], x: &[f32]) {
    update(simd, out, [x], |out, [x]| simd.add_f32s(out, x));
}

/// Adds every row of `x` to `out`.
#[inline(always)]
pub fn add_rows<S: Simd>(simd: S, out: &mut [f32], x: &[f32]) {
    for row in x.chunks_exact(out.len()) {
        add(simd, out, row);
    }
}

/// Every row of `out` becomes that of `x` plus `row`.
#[inline(always)]
pub fn with_row<S: Simd>(simd: S, out: &mut [f32], x: &[f32], row: &[f32]) {
    let width = row.len();
    for (out, x) in out.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
        update(simd, out, [x, row], |_, [x, row]| simd.add_f32s(x, row));
    }
}

/// `out[j, i] = x[i, j]` of `x: [rows, columns]`; the rows of `out` are `stride` apart, what is
/// between them is left alone.
#[inline(always)]
pub fn transpose(out: &mut [f32], stride: usize, x: &[f32], columns: usize) {
    // Sixteen columns at a time: what is written stays in the first cache.
    for first in (0..columns).step_by(16) {
        let last = (first + 16).min(columns);
        for (i, row) in x.chunks_exact(columns).enumerate() {
            for (j, value) in row[first..last].iter().enumerate() {
                out[(first + j) * stride + i] = *value;
            }
        }
    }
}

/// The learned part of a layer norm.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    pub eps: f32,
}

/// Mean and reciprocal standard deviation of a row.
pub type RowStats = [f32; 2];

impl Norm<'_> {
    fn width(&self) -> usize {
        self.gamma.len()
    }

    #[inline(always)]
    fn stats<S: Simd>(&self, simd: S, row: &[f32]) -> RowStats {
        let (head, tail) = S::as_simd_f32s(row);
        let n = row.len() as f32;
        let mut sum = simd.splat_f32s(0.0);
        for x in head {
            sum = simd.add_f32s(sum, *x);
        }
        let mean = (simd.reduce_sum_f32s(sum) + tail.iter().sum::<f32>()) / n;
        let mut squares = simd.splat_f32s(0.0);
        for x in head {
            let apart = simd.sub_f32s(*x, simd.splat_f32s(mean));
            squares = simd.mul_add_e_f32s(apart, apart, squares);
        }
        let rest: f32 = tail.iter().map(|x| (x - mean) * (x - mean)).sum();
        let variance = (simd.reduce_sum_f32s(squares) + rest) / n;
        [mean, (variance + self.eps).sqrt().recip()]
    }

    /// `out = norm(x)`, row by row; `stats` gets those of each row.
    #[inline(always)]
    pub fn forward<S: Simd>(&self, simd: S, x: &[f32], out: &mut [f32], stats: &mut [RowStats]) {
        let width = self.width();
        let rows = x.chunks_exact(width).zip(out.chunks_exact_mut(width));
        for ((x, out), stats) in rows.zip(stats) {
            *stats = self.stats(simd, x);
            let [mean, scale] = stats.map(|value| simd.splat_f32s(value));
            update(
                simd,
                out,
                [x, self.gamma, self.beta],
                |_, [x, gamma, beta]| {
                    let unit = simd.mul_f32s(simd.sub_f32s(x, mean), scale);
                    simd.mul_add_e_f32s(unit, gamma, beta)
                },
            );
        }
    }

    /// Adds to `grad_x` what `grad` says of the normed rows, and to the gradients of gamma and beta.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub fn backward<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        stats: &[RowStats],
        grad: &[f32],
        grad_x: &mut [f32],
        grad_gamma: &mut [f32],
        grad_beta: &mut [f32],
    ) {
        let width = self.width();
        let n = width as f32;
        let rows = x.chunks_exact(width).zip(grad.chunks_exact(width));
        let rows = rows.zip(grad_x.chunks_exact_mut(width)).zip(stats);
        for (((x, grad), grad_x), stats) in rows {
            let [mean, scale] = stats.map(|value| simd.splat_f32s(value));
            let unit = |x: S::f32s| simd.mul_f32s(simd.sub_f32s(x, mean), scale);
            update(simd, grad_gamma, [x, grad], |sum, [x, grad]| {
                simd.mul_add_e_f32s(grad, unit(x), sum)
            });
            add(simd, grad_beta, grad);
            // Sums of grad gamma and of grad gamma unit; where a register is padded, grad is 0.
            let mut sums = [simd.splat_f32s(0.0); 2];
            let mut take = |x: S::f32s, grad: S::f32s, gamma: S::f32s| {
                let g = simd.mul_f32s(grad, gamma);
                sums[0] = simd.add_f32s(sums[0], g);
                sums[1] = simd.mul_add_e_f32s(g, unit(x), sums[1]);
            };
            let (x_head, x_tail) = S::as_simd_f32s(x);
            let (grad_head, grad_tail) = S::as_simd_f32s(grad);
            let (gamma_head, gamma_tail) = S::as_simd_f32s(self.gamma);
            for ((x, grad), gamma) in x_head.iter().zip(grad_head).zip(gamma_head) {
                take(*x, *grad, *gamma);
            }
            if !x_tail.is_empty() {
                let load = |tail| simd.partial_load_f32s(tail);
                take(load(x_tail), load(grad_tail), load(gamma_tail));
            }
            let [g, g_unit] = sums.map(|sum| simd.splat_f32s(-simd.reduce_sum_f32s(sum) / n));
            update(
                simd,
                grad_x,
                [x, grad, self.gamma],
                |sum, [x, grad, gamma]| {
                    let centred = simd.mul_add_e_f32s(grad, gamma, g);
                    let inner = simd.mul_add_e_f32s(unit(x), g_unit, centred);
                    simd.mul_add_e_f32s(inner, scale, sum)
                },
            );
        }
    }
}

/// `x = GELU(x)`.
#[inline(always)]
pub fn gelu<S: Simd>(simd: S, x: &mut [f32]) {
    update(simd, x, [], |x, []| lanes::gelu(simd, x));
}

/// `out = GELU(x)`, and `x` becomes the slope there.
#[inline(always)]
pub fn gelu_and_slope<S: Simd>(simd: S, x: &mut [f32], out: &mut [f32]) {
    let (x, x_tail) = S::as_mut_simd_f32s(x);
    let (out, out_tail) = S::as_mut_simd_f32s(out);
    for (x, out) in x.iter_mut().zip(out) {
        (*out, *x) = lanes::gelu_and_slope(simd, *x);
    }
    if !x_tail.is_empty() {
        let (value, slope) = lanes::gelu_and_slope(simd, simd.partial_load_f32s(x_tail));
        simd.partial_store_f32s(out_tail, value);
        simd.partial_store_f32s(x_tail, slope);
    }
}

/// `softmax(scale * x)` of each row, in place; rows are `stride` apart and `width` long.
#[inline(always)]
pub fn softmax<S: Simd>(simd: S, x: &mut [f32], stride: usize, width: usize, scale: f32) {
    for row in x.chunks_exact_mut(stride) {
        let row = &mut row[..width];
        let (head, tail) = S::as_simd_f32s(row);
        let mut largest = simd.splat_f32s(f32::NEG_INFINITY);
        for x in head {
            largest = simd.max_f32s(largest, *x);
        }
        let largest = tail
            .iter()
            .fold(simd.reduce_max_f32s(largest), |a, b| a.max(*b));
        let [scale_lanes, shift] = [scale, -scale * largest].map(|value| simd.splat_f32s(value));
        update(simd, row, [], |x, []| {
            lanes::exp(simd, simd.mul_add_e_f32s(x, scale_lanes, shift))
        });
        let (head, tail) = S::as_simd_f32s(row);
        let mut sum = simd.splat_f32s(0.0);
        for x in head {
            sum = simd.add_f32s(sum, *x);
        }
        let sum = simd.reduce_sum_f32s(sum) + tail.iter().sum::<f32>();
        let share = simd.splat_f32s(sum.recip());
        update(simd, row, [], |x, []| simd.mul_f32s(x, share));
    }
}

/// From the gradient of a softmax to that of its input, in place: `x (grad - sum(x grad)) scale`.
/// Rows are `stride` long; beyond the softmax's own width `x` is 0.
#[inline(always)]
pub fn softmax_backward<S: Simd>(simd: S, x: &[f32], grad: &mut [f32], stride: usize, scale: f32) {
    for (x, grad) in x.chunks_exact(stride).zip(grad.chunks_exact_mut(stride)) {
        let (x_head, x_tail) = S::as_simd_f32s(x);
        let (grad_head, grad_tail) = S::as_simd_f32s(grad);
        let mut sum = simd.splat_f32s(0.0);
        for (x, grad) in x_head.iter().zip(grad_head) {
            sum = simd.mul_add_e_f32s(*x, *grad, sum);
        }
        let rest: f32 = x_tail.iter().zip(grad_tail).map(|(x, g)| x * g).sum();
        let sum = simd.splat_f32s(simd.reduce_sum_f32s(sum) + rest);
        let scale = simd.splat_f32s(scale);
        update(simd, grad, [x], |grad, [x]| {
            simd.mul_f32s(simd.mul_f32s(x, scale), simd.sub_f32s(grad, sum))
        });
    }
}
