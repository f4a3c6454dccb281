//! Linear map of every row, followed by a leaky ReLU or by nothing.

use pulp::Simd;

use super::backward::{add_weights, to_inputs};
use super::block::Linear;
use super::gemm::Start;
use super::parallel::{self, PerRun};
use super::rows::{self, update};

/// Number of rows that are computed together.
const ROWS: usize = 64;

/// `leaky_relu(x weight + bias)`.
pub struct Map<'a> {
    pub linear: Linear<'a>,
    /// Factor of values below 0; 1 without a ReLU.
    pub slope: f32,
}

/// Gradients of a [`Map`].
struct Back<'a> {
    map: &'a Map<'a>,
    /// Weight, transposed; empty if the input takes no gradient.
    transposed: Vec<f32>,
}

impl Map<'_> {
    fn outputs(&self) -> usize {
        self.linear.bias.len()
    }

    fn width(&self) -> usize {
        self.linear.weight.len() / self.outputs()
    }

    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        parallel::map(self, [(x, self.width())], out);
    }

    /// Computes the gradients of weight and bias from `out`, the result of the forward pass, and
    /// its gradient; that of `x` fills `grad_x`, unless it is empty.
    pub fn backward(
        &self,
        x: &[f32],
        out: &[f32],
        grad: &[f32],
        grad_x: &mut [f32],
    ) -> Vec<Vec<f32>> {
        let (width, outputs) = (self.width(), self.outputs());
        let mut transposed = Vec::new();
        if !grad_x.is_empty() {
            transposed.resize(width * outputs, 0.0);
            rows::transpose(&mut transposed, width, self.linear.weight, outputs);
        }
        let back = Back {
            map: self,
            transposed,
        };
        let inputs = [(x, width), (out, outputs), (grad, outputs)];
        parallel::map_summing(&back, inputs, grad_x, &[width * outputs, outputs])
    }
}

impl PerRun<1> for Map<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [x]: [&[f32]; 1], out: &mut [f32], _sums: &mut [Vec<f32>]) {
        let (slope, zero) = (simd.splat_f32s(self.slope), simd.splat_f32s(0.0));
        let chunks = x.chunks(ROWS * self.width());
        for (x, out) in chunks.zip(out.chunks_mut(ROWS * self.outputs())) {
            self.linear.forward(simd, x, self.width(), out);
            if self.slope != 1.0 {
                update!(simd, out, y, [] => {
                    simd.select_f32s(simd.greater_than_f32s(y, zero), y, simd.mul_f32s(y, slope))
                });
            }
        }
    }
}

impl PerRun<3> for Back<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, y, grad]: [&[f32]; 3],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let [weight, bias] = sums else { return };
        let (width, outputs) = (self.map.width(), self.map.outputs());
        let (slope, zero) = (simd.splat_f32s(self.map.slope), simd.splat_f32s(0.0));
        let mut before = vec![0.0; ROWS * outputs];
        let chunks = y.chunks(ROWS * outputs).zip(grad.chunks(ROWS * outputs));
        let chunks = x.chunks(ROWS * width).zip(chunks);
        for (number, (x, (y, grad))) in chunks.enumerate() {
            // Gradient before the ReLU. The result has the sign of what comes before it.
            let grad = match self.map.slope == 1.0 {
                true => grad,
                false => {
                    let before = &mut before[..grad.len()];
                    update!(simd, before, _old, [y in y, grad in grad] => {
                        let small = simd.mul_f32s(grad, slope);
                        simd.select_f32s(simd.greater_than_f32s(y, zero), grad, small)
                    });
                    &*before
                }
            };
            add_weights(simd, x, width, grad, weight, bias);
            if let Some(out) = out.chunks_mut(ROWS * width).nth(number) {
                to_inputs(simd, grad, &self.transposed, Start::Zero, out, width);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::instructions::{agree, draw};
    use super::*;

    #[test]
    fn every_set_of_instructions_gives_the_same() {
        let (n, width, outputs) = (70, 18, 21);
        let [x, weight, bias, grad] = [n * width, width * outputs, outputs, n * outputs].map(draw);
        let map = Map {
            linear: Linear {
                weight: &weight,
                bias: &bias,
            },
            slope: 0.2,
        };
        agree(&map, [&x], n * outputs, &[]);
        let mut transposed = vec![0.0; width * outputs];
        rows::transpose(&mut transposed, width, &weight, outputs);
        let back = Back {
            map: &map,
            transposed,
        };
        let y = draw(n * outputs);
        agree(
            &back,
            [&x, &y, &grad],
            n * width,
            &[width * outputs, outputs],
        );
    }
}
