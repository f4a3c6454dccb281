//! Leaky ReLU.

use pulp::Simd;

use super::parallel::{self, PerRun};
use super::rows::update;

/// `x` above 0, `slope x` below.
pub struct LeakyRelu(pub f32);

impl LeakyRelu {
    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        parallel::map(self, [(x, 1)], out);
    }

    /// The gradient of `x` fills `grad_x`.
    pub fn backward(&self, x: &[f32], grad: &[f32], grad_x: &mut [f32]) {
        parallel::map(self, [(x, 1), (grad, 1)], grad_x);
    }
}

impl PerRun<1> for LeakyRelu {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [x]: [&[f32]; 1], out: &mut [f32], _sums: &mut [Vec<f32>]) {
        let (slope, zero) = (simd.splat_f32s(self.0), simd.splat_f32s(0.0));
        update!(simd, out, _old, [x in x] => {
            simd.select_f32s(simd.greater_than_f32s(x, zero), x, simd.mul_f32s(x, slope))
        });
    }
}

impl PerRun<2> for LeakyRelu {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, grad]: [&[f32]; 2],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let (slope, zero) = (simd.splat_f32s(self.0), simd.splat_f32s(0.0));
        update!(simd, out, _old, [x in x, grad in grad] => {
            simd.select_f32s(simd.greater_than_f32s(x, zero), grad, simd.mul_f32s(grad, slope))
        });
    }
}
