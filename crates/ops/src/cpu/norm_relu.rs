//! Batch norm over rows and ReLU, with a linear map after them or without.

use pulp::Simd;

use super::backward::{add_weights, to_inputs};
use super::block::Linear;
use super::gemm::Start;
use super::parallel::{self, PerRun};
use super::rows::{self, update};

/// Number of rows that are computed together.
const ROWS: usize = 64;

/// Sums of the distances of the columns from these numbers, and of their squares.
struct Distances<'a>(&'a [f32]);

/// Mean and variance of every column, `[2, width]`, in one pass. Distances are those from the means
/// of the first rows: those from 0 would lose digits.
pub fn moments(x: &[f32], width: usize, out: &mut [f32]) {
    let mut near = vec![0.0f32; width];
    let first = &x[..x.len().min(ROWS * width)];
    for row in first.chunks_exact(width) {
        near.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    let n = (first.len() / width) as f32;
    near.iter_mut().for_each(|sum| *sum /= n);

    let work = Distances(&near);
    let sums = parallel::map_summing(&work, [(x, width)], &mut [], &[width, width]);
    let n = (x.len() / width) as f32;
    let (mean, variance) = out.split_at_mut(width);
    for i in 0..width {
        let apart = sums[0][i] / n;
        mean[i] = near[i] + apart;
        variance[i] = (sums[1][i] / n - apart * apart).max(0.0);
    }
}

impl PerRun<1> for Distances<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [x]: [&[f32]; 1], _out: &mut [f32], sums: &mut [Vec<f32>]) {
        let near = self.0;
        let [plain, squares] = sums else { return };
        for row in x.chunks_exact(near.len()) {
            update!(simd, plain, old, [x in row, near in near] => {
                simd.add_f32s(old, simd.sub_f32s(x, near))
            });
            update!(simd, squares, old, [x in row, near in near] => {
                let apart = simd.sub_f32s(x, near);
                simd.mul_add_e_f32s(apart, apart, old)
            });
        }
    }
}

/// `relu((x - mean) / sqrt(variance + eps) gamma + beta)`, and the linear map of that.
pub struct NormRelu<'a> {
    mean: &'a [f32],
    /// Reciprocal standard deviations.
    inverse: Vec<f32>,
    /// Factor of `x`, and what is added to it.
    scale: Vec<f32>,
    shift: Vec<f32>,
    linear: Option<Linear<'a>>,
    /// Weight of the linear map, transposed.
    transposed: Vec<f32>,
}

impl<'a> NormRelu<'a> {
    /// `moments` as [`moments`] returns them.
    pub fn new(
        moments: &'a [f32],
        [gamma, beta]: [&'a [f32]; 2],
        eps: f32,
        linear: Option<Linear<'a>>,
    ) -> Self {
        let (mean, variance) = moments.split_at(gamma.len());
        let inverse: Vec<f32> = variance.iter().map(|x| (x + eps).sqrt().recip()).collect();
        let scale: Vec<f32> = inverse.iter().zip(gamma).map(|(a, b)| a * b).collect();
        let shifts = beta.iter().zip(mean).zip(&scale);
        let shift = shifts
            .map(|((beta, mean), scale)| beta - mean * scale)
            .collect();
        let mut transposed = Vec::new();
        if let Some(linear) = &linear {
            transposed.resize(linear.weight.len(), 0.0);
            rows::transpose(
                &mut transposed,
                mean.len(),
                linear.weight,
                linear.bias.len(),
            );
        }
        Self {
            mean,
            inverse,
            scale,
            shift,
            linear,
            transposed,
        }
    }

    fn width(&self) -> usize {
        self.mean.len()
    }

    fn outputs(&self) -> usize {
        self.linear.map_or(self.width(), |linear| linear.bias.len())
    }

    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        parallel::map(self, [(x, self.width())], out);
    }

    /// Computes the gradients of gamma and beta, and of weight and bias; that of `x` fills
    /// `grad_x`. If the moments are those of `x`, the gradient passes through them too.
    pub fn backward(
        &self,
        x: &[f32],
        grad: &[f32],
        grad_x: &mut [f32],
        of_x: bool,
    ) -> Vec<Vec<f32>> {
        let (width, outputs) = (self.width(), self.outputs());
        let inputs = [(x, width), (grad, outputs)];
        let lens = match self.linear {
            Some(linear) => vec![width, width, linear.weight.len(), outputs],
            None => vec![width, width],
        };
        let sums = parallel::map_summing(self, inputs, grad_x, &lens);
        let n = (x.len() / width) as f32;
        let mean = |sum: &[f32], i: usize| {
            if of_x {
                -sum[i] / n * self.scale[i]
            } else {
                0.0
            }
        };
        let through = Through {
            norm: self,
            plain: (0..width).map(|i| mean(&sums[1], i)).collect(),
            with_x: (0..width)
                .map(|i| mean(&sums[0], i) * self.inverse[i])
                .collect(),
        };
        parallel::map(&through, [(x, width)], grad_x);
        sums
    }

    /// `z = relu(norm(x))`
    #[inline(always)]
    fn activate<S: Simd>(&self, simd: S, x: &[f32], z: &mut [f32]) {
        let (width, zero) = (self.width(), simd.splat_f32s(0.0));
        let (scale, shift) = (&self.scale, &self.shift);
        for (x, z) in x.chunks_exact(width).zip(z.chunks_exact_mut(width)) {
            update!(simd, z, _old, [x in x, scale in scale, shift in shift] => {
                simd.max_f32s(simd.mul_add_e_f32s(x, scale, shift), zero)
            });
        }
    }
}

impl PerRun<1> for NormRelu<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [x]: [&[f32]; 1], out: &mut [f32], _sums: &mut [Vec<f32>]) {
        let Some(linear) = &self.linear else {
            return self.activate(simd, x, out);
        };
        let (width, outputs) = (self.width(), self.outputs());
        let mut z = vec![0.0; ROWS * width];
        let chunks = x.chunks(ROWS * width);
        for (x, out) in chunks.zip(out.chunks_mut(ROWS * outputs)) {
            let z = &mut z[..x.len()];
            self.activate(simd, x, z);
            linear.forward(simd, z, width, out);
        }
    }
}

/// Gradient of the norm's output, and the sums over all rows.
impl PerRun<2> for NormRelu<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, grad]: [&[f32]; 2],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let (width, outputs) = (self.width(), self.outputs());
        let mut z = vec![0.0; ROWS * width];
        let zero = simd.splat_f32s(0.0);
        let [gamma, beta, of_linear @ ..] = sums else {
            return;
        };
        let chunks = x.chunks(ROWS * width).zip(grad.chunks(ROWS * outputs));
        for ((x, grad), out) in chunks.zip(out.chunks_mut(ROWS * width)) {
            let z = &mut z[..x.len()];
            self.activate(simd, x, z);
            match of_linear {
                [weight, bias] => {
                    add_weights(simd, z, width, grad, weight, bias);
                    to_inputs(simd, grad, &self.transposed, Start::Zero, out, width);
                }
                _ => out.copy_from_slice(grad),
            }
            update!(simd, out, old, [z in z] => {
                simd.select_f32s(simd.greater_than_f32s(z, zero), old, zero)
            });
            rows::add_rows(simd, beta, out);
            let (mean, inverse) = (self.mean, &self.inverse);
            for (x, out) in x.chunks_exact(width).zip(out.chunks_exact(width)) {
                update!(simd, gamma, old, [x in x, grad in out, mean in mean, inverse in inverse] => {
                    let unit = simd.mul_f32s(simd.sub_f32s(x, mean), inverse);
                    simd.mul_add_e_f32s(grad, unit, old)
                });
            }
        }
    }
}

/// From the gradient of the norm's output to that of its input, in place:
/// `scale grad + plain + with_x (x - mean)`.
struct Through<'a> {
    norm: &'a NormRelu<'a>,
    plain: Vec<f32>,
    with_x: Vec<f32>,
}

impl PerRun<1> for Through<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [x]: [&[f32]; 1], out: &mut [f32], _sums: &mut [Vec<f32>]) {
        let (mean, scale, width) = (self.norm.mean, &self.norm.scale, self.plain.len());
        let (plain, with_x) = (&self.plain, &self.with_x);
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            update!(simd, out, old, [
                x in x, mean in mean, scale in scale, plain in plain, with_x in with_x
            ] => {
                let through = simd.mul_add_e_f32s(with_x, simd.sub_f32s(x, mean), plain);
                simd.mul_add_e_f32s(scale, old, through)
            });
        }
    }
}
