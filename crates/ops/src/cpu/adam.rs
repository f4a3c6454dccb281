//! Step of Adam on slices.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::rows;

/// Numbers of a parameter in one task.
const RUN: usize = 1 << 15;

/// Step of Adam; see [`crate::AdamStep`].
#[derive(Clone, Copy)]
pub struct Adam {
    pub lr: f32,
    pub betas: [f32; 2],
    /// Divisors of the moments.
    pub corrections: [f32; 2],
    pub eps: f32,
    /// Share of the weights that stays.
    pub kept: f32,
    /// Share of the weights that is added to the gradient.
    pub penalty: f32,
}

impl Adam {
    /// Changes weights, first and second moments by the gradient times `factor`.
    pub fn step(&self, changed: [&mut [f32]; 3], gradient: &[f32], factor: f32) {
        let [weights, first, second] = changed;
        (weights.par_chunks_mut(RUN))
            .zip(first.par_chunks_mut(RUN))
            .zip(second.par_chunks_mut(RUN))
            .zip(gradient.par_chunks(RUN))
            .for_each(|(((weights, first), second), gradient)| {
                Arch::new().dispatch(Run {
                    adam: *self,
                    factor,
                    weights,
                    moments: [first, second],
                    gradient,
                });
            });
    }
}

struct Run<'a> {
    adam: Adam,
    factor: f32,
    weights: &'a mut [f32],
    moments: [&'a mut [f32]; 2],
    gradient: &'a [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    // The loop needs no operator of `simd`: the compiler vectorises it for this processor.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Adam { lr, eps, kept, .. } = self.adam;
        let ([beta_1, beta_2], [of_first, of_second]) = (self.adam.betas, self.adam.corrections);
        let (factor, penalty) = (self.factor, self.adam.penalty);
        let [first, second] = self.moments;
        let moments = first.iter_mut().zip(second);
        for ((weight, gradient), (first, second)) in
            self.weights.iter_mut().zip(self.gradient).zip(moments)
        {
            let mut gradient = *gradient * factor;
            if penalty != 0.0 {
                gradient += *weight * penalty;
            }
            *first = *first * beta_1 + gradient * (1.0 - beta_1);
            *second = *second * beta_2 + gradient * gradient * (1.0 - beta_2);
            let change = *first / of_first / ((*second / of_second).sqrt() + eps);
            *weight = *weight * kept - change * lr;
        }
    }
}

/// Sum of the squares of `x`: of runs in 32 bits, of all in 64.
pub fn sum_of_squares(x: &[f32]) -> f32 {
    let sums: Vec<f64> = (x.par_chunks(RUN))
        .map(|x| f64::from(Arch::new().dispatch(Squares(x))))
        .collect();
    sums.iter().sum::<f64>() as f32
}

struct Squares<'a>(&'a [f32]);

impl WithSimd for Squares<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        rows::dot(simd, self.0, self.0)
    }
}
