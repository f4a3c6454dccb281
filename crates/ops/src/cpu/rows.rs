//! Operations on the rows of matrices in cache: sums, layer norm, softmax, GELU.

use pulp::Simd;

use super::lanes;

/// `update!(simd, out, old, [x in input, ...] => value)`: every element of `out` becomes `value`,
/// one register at a time. `old` is the previous element of `out`, and `x` the element of `input`.
///
/// This is a macro because a closure is compiled for the oldest CPU, whatever function calls it.
macro_rules! update {
    ($simd:expr, $out:expr, $old:ident, [$($x:ident in $input:expr),*] => $value:expr) => {{
        let out: &mut [f32] = $out;
        $(let $x = S::as_simd_f32s(&$input[..out.len()]);)*
        let (head, tail) = S::as_mut_simd_f32s(out);
        for (i, out) in head.iter_mut().enumerate() {
            let $old = *out;
            $(let $x = $x.0[i];)*
            *out = $value;
            let _ = (i, $old);
        }
        if !tail.is_empty() {
            let $old = $simd.partial_load_f32s(tail);
            $(let $x = $simd.partial_load_f32s($x.1);)*
            let value = $value;
            $simd.partial_store_f32s(tail, value);
            let _ = $old;
        }
    }};
}

pub(super) use update;

/// `sum(x y)`
#[inline(always)]
pub fn dot<S: Simd>(simd: S, x: &[f32], y: &[f32]) -> f32 {
    let (x_head, x_tail) = S::as_simd_f32s(x);
    let (y_head, y_tail) = S::as_simd_f32s(&y[..x.len()]);
    let mut sum = simd.splat_f32s(0.0);
    for (x, y) in x_head.iter().zip(y_head) {
        sum = simd.mul_add_e_f32s(*x, *y, sum);
    }
    let tail = x_tail.iter().zip(y_tail).map(|(x, y)| x * y);
    simd.reduce_sum_f32s(sum) + tail.sum::<f32>()
}

/// `out += factor x`.
#[inline(always)]
pub fn add_times<S: Simd>(simd: S, out: &mut [f32], x: &[f32], factor: f32) {
    let factor = simd.splat_f32s(factor);
    update!(simd, out, old, [x in x] => simd.mul_add_e_f32s(x, factor, old));
}

/// `out += x`.
#[inline(always)]
pub fn add<S: Simd>(simd: S, out: &mut [f32], x: &[f32]) {
    update!(simd, out, old, [x in x] => simd.add_f32s(old, x));
}

/// `out *= x`.
#[inline(always)]
pub fn multiply<S: Simd>(simd: S, out: &mut [f32], x: &[f32]) {
    update!(simd, out, old, [x in x] => simd.mul_f32s(old, x));
}

/// Adds every row of `x` to `out`.
#[inline(always)]
pub fn add_rows<S: Simd>(simd: S, out: &mut [f32], x: &[f32]) {
    for row in x.chunks_exact(out.len()) {
        add(simd, out, row);
    }
}

/// Every row of `out` becomes the same row of `x` plus `row`.
#[inline(always)]
pub fn with_row<S: Simd>(simd: S, out: &mut [f32], x: &[f32], row: &[f32]) {
    let width = row.len();
    for (out, x) in out.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
        update!(simd, out, _old, [x in x, row in row] => simd.add_f32s(x, row));
    }
}

/// The sum of all elements.
#[inline(always)]
pub fn sum<S: Simd>(simd: S, x: &[f32]) -> f32 {
    let (head, tail) = S::as_simd_f32s(x);
    let mut sum = simd.splat_f32s(0.0);
    for x in head {
        sum = simd.add_f32s(sum, *x);
    }
    simd.reduce_sum_f32s(sum) + tail.iter().sum::<f32>()
}

/// `out[j, i] = x[i, j]` of `x: [rows, columns]`. The rows of `out` are `stride` apart; the
/// elements between them do not change.
#[inline(always)]
pub fn transpose(out: &mut [f32], stride: usize, x: &[f32], columns: usize) {
    // Sixteen columns at a time: the written elements stay in the level-1 cache.
    for first in (0..columns).step_by(16) {
        let last = (first + 16).min(columns);
        for (i, row) in x.chunks_exact(columns).enumerate() {
            for (j, value) in row[first..last].iter().enumerate() {
                out[(first + j) * stride + i] = *value;
            }
        }
    }
}

/// Learned parameters of a layer norm.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    pub eps: f32,
}

/// Mean and reciprocal standard deviation of a row.
pub type RowStats = [f32; 2];

impl Norm<'_> {
    #[inline(always)]
    fn stats<S: Simd>(&self, simd: S, row: &[f32]) -> RowStats {
        let n = row.len() as f32;
        let mean = sum(simd, row) / n;
        let (head, tail) = S::as_simd_f32s(row);
        let mut squares = simd.splat_f32s(0.0);
        for x in head {
            let apart = simd.sub_f32s(*x, simd.splat_f32s(mean));
            squares = simd.mul_add_e_f32s(apart, apart, squares);
        }
        let mut variance = simd.reduce_sum_f32s(squares);
        for x in tail {
            variance += (x - mean) * (x - mean);
        }
        [mean, (variance / n + self.eps).sqrt().recip()]
    }

    /// Mean and reciprocal standard deviation of every row.
    #[inline(always)]
    pub fn measure<S: Simd>(&self, simd: S, x: &[f32], stats: &mut [RowStats]) {
        for (row, stats) in x.chunks_exact(self.gamma.len()).zip(stats) {
            *stats = self.stats(simd, row);
        }
    }

    /// `out = norm(x)`, row by row; `stats` gets the statistics of each row.
    #[inline(always)]
    pub fn forward<S: Simd>(&self, simd: S, x: &[f32], out: &mut [f32], stats: &mut [RowStats]) {
        let (gamma, beta) = (self.gamma, self.beta);
        let width = gamma.len();
        let rows = x.chunks_exact(width).zip(out.chunks_exact_mut(width));
        for ((x, out), stats) in rows.zip(stats) {
            *stats = self.stats(simd, x);
            let (mean, scale) = (simd.splat_f32s(stats[0]), simd.splat_f32s(stats[1]));
            update!(simd, out, _old, [x in x, gamma in gamma, beta in beta] => {
                simd.mul_add_e_f32s(unit(simd, x, mean, scale), gamma, beta)
            });
        }
    }

    /// Adds the gradient of the norm's input to `grad_x`, and to the gradients of gamma and beta,
    /// from the gradient `grad` of its output.
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
        let gamma = self.gamma;
        let width = gamma.len();
        let n = width as f32;
        let rows = x.chunks_exact(width).zip(grad.chunks_exact(width));
        let rows = rows.zip(grad_x.chunks_exact_mut(width)).zip(stats);
        for (((x, grad), grad_x), stats) in rows {
            let (mean, scale) = (simd.splat_f32s(stats[0]), simd.splat_f32s(stats[1]));
            update!(simd, grad_gamma, old, [x in x, grad in grad] => {
                simd.mul_add_e_f32s(grad, unit(simd, x, mean, scale), old)
            });
            add(simd, grad_beta, grad);

            // Sums of grad gamma and of grad gamma unit; grad is 0 in the padding of a register.
            let (x_head, x_tail) = S::as_simd_f32s(x);
            let (grad_head, grad_tail) = S::as_simd_f32s(grad);
            let (gamma_head, gamma_tail) = S::as_simd_f32s(gamma);
            let mut plain = simd.splat_f32s(0.0);
            let mut with_unit = simd.splat_f32s(0.0);
            for ((x, grad), gamma) in x_head.iter().zip(grad_head).zip(gamma_head) {
                let g = simd.mul_f32s(*grad, *gamma);
                plain = simd.add_f32s(plain, g);
                with_unit = simd.mul_add_e_f32s(g, unit(simd, *x, mean, scale), with_unit);
            }
            if !x_tail.is_empty() {
                let x = simd.partial_load_f32s(x_tail);
                let grad = simd.partial_load_f32s(grad_tail);
                let g = simd.mul_f32s(grad, simd.partial_load_f32s(gamma_tail));
                plain = simd.add_f32s(plain, g);
                with_unit = simd.mul_add_e_f32s(g, unit(simd, x, mean, scale), with_unit);
            }
            let plain = simd.splat_f32s(-simd.reduce_sum_f32s(plain) / n);
            let with_unit = simd.splat_f32s(-simd.reduce_sum_f32s(with_unit) / n);
            update!(simd, grad_x, old, [x in x, grad in grad, gamma in gamma] => {
                let centred = simd.mul_add_e_f32s(grad, gamma, plain);
                let unit = unit(simd, x, mean, scale);
                let inner = simd.mul_add_e_f32s(unit, with_unit, centred);
                simd.mul_add_e_f32s(inner, scale, old)
            });
        }
    }
}

/// `(x - mean) scale`.
#[inline(always)]
fn unit<S: Simd>(simd: S, x: S::f32s, mean: S::f32s, scale: S::f32s) -> S::f32s {
    simd.mul_f32s(simd.sub_f32s(x, mean), scale)
}

/// `x = GELU(x)`.
#[inline(always)]
pub fn gelu<S: Simd>(simd: S, x: &mut [f32]) {
    update!(simd, x, x, [] => lanes::gelu(simd, x));
}

/// `out = GELU(x)`; `x` becomes the derivative at the same point.
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
        let mut largest = simd.reduce_max_f32s(largest);
        for x in tail {
            largest = largest.max(*x);
        }
        let shift = simd.splat_f32s(-scale * largest);
        let scale = simd.splat_f32s(scale);
        update!(simd, row, old, [] => {
            lanes::exp(simd, simd.mul_add_e_f32s(old, scale, shift))
        });
        let share = simd.splat_f32s(sum(simd, row).recip());
        update!(simd, row, old, [] => simd.mul_f32s(old, share));
    }
}

/// Sets the columns of `x` with a flag of 1 to `value`; rows are `stride` long.
pub fn fill_columns(x: &mut [f32], stride: usize, flags: &[f32], value: f32) {
    if flags.is_empty() {
        return;
    }
    for row in x.chunks_exact_mut(stride) {
        for (x, flag) in row.iter_mut().zip(flags) {
            if *flag > 0.5 {
                *x = value;
            }
        }
    }
}

/// From the gradient of a softmax to that of its input, in place: `x (grad - sum(x grad)) scale`.
/// Rows are `stride` long; `x` is 0 beyond the width of the softmax.
#[inline(always)]
pub fn softmax_backward<S: Simd>(simd: S, x: &[f32], grad: &mut [f32], stride: usize, scale: f32) {
    for (x, grad) in x.chunks_exact(stride).zip(grad.chunks_exact_mut(stride)) {
        let (x_head, x_tail) = S::as_simd_f32s(x);
        let (grad_head, grad_tail) = S::as_simd_f32s(grad);
        let mut sum = simd.splat_f32s(0.0);
        for (x, grad) in x_head.iter().zip(grad_head) {
            sum = simd.mul_add_e_f32s(*x, *grad, sum);
        }
        let mut sum = simd.reduce_sum_f32s(sum);
        for (x, grad) in x_tail.iter().zip(grad_tail) {
            sum += x * grad;
        }
        let (sum, scale) = (simd.splat_f32s(sum), simd.splat_f32s(scale));
        update!(simd, grad, old, [x in x] => {
            simd.mul_f32s(simd.mul_f32s(x, scale), simd.sub_f32s(old, sum))
        });
    }
}
