//! Blocks over all segments of a batch, on all cores.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::backward::{BlockGrad, Scratch, Transposed};
use super::block::{Block, Pass};
use super::parallel::{self, PerRun, RUNS};

/// Forward pass; `x` and `out` are `[segments, rois, width]`. `padded` is `[segments, rois]`, 1
/// where a token is padding; `None` if no token is.
pub fn forward(block: &Block<'_>, x: &[f32], padded: Option<&[f32]>, out: &mut [f32]) {
    let rois = match padded {
        Some(_) => block.rois,
        None => 0,
    };
    let x = (x, block.rois * block.width());
    parallel::map(block, [x, (padded.unwrap_or_default(), rois)], out);
}

impl PerRun<2> for Block<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, padded]: [&[f32]; 2],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let segment = self.rois * self.width();
        let pass = &mut Pass::new(self);
        let segments = x.chunks_exact(segment).zip(out.chunks_exact_mut(segment));
        for (i, (x, out)) in segments.enumerate() {
            self.forward(simd, x, self.padding(padded, i), pass, out);
        }
    }
}

/// Computes the gradients of the weights from the gradient of the output; the gradient of `x` fills
/// `grad_x`.
pub fn backward(
    block: &Block<'_>,
    x: &[f32],
    padded: Option<&[f32]>,
    grad_out: &[f32],
    grad_x: &mut [f32],
) -> BlockGrad {
    let segment = block.rois * block.width();
    let segments = (x.len() / segment).div_ceil(RUNS).max(1);
    let run = segments * segment;
    let transposed = &Transposed::new(block);
    let sums: Vec<BlockGrad> = (grad_x.par_chunks_mut(run).enumerate())
        .zip(x.par_chunks(run))
        .zip(grad_out.par_chunks(run))
        .map(|(((number, grad_x), x), grad_out)| {
            let padded = padded.map(|all| &all[number * segments * block.rois..]);
            Arch::new().dispatch(Backward {
                block,
                transposed,
                x,
                padded: padded.unwrap_or_default(),
                grad_out,
                grad_x,
            })
        })
        .collect();
    let mut sums = sums.into_iter();
    let mut sum = sums.next().unwrap_or_else(|| BlockGrad::zeros(block));
    sums.for_each(|other| sum.add(other));
    sum
}

struct Backward<'a> {
    block: &'a Block<'a>,
    transposed: &'a Transposed,
    x: &'a [f32],
    /// Flags of padded tokens from the first segment of `x` on; empty without padding.
    padded: &'a [f32],
    grad_out: &'a [f32],
    grad_x: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = BlockGrad;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> BlockGrad {
        let Self {
            block, transposed, ..
        } = self;
        let segment = block.rois * block.width();
        let (pass, scratch) = (&mut Pass::new(block), &mut Scratch::new(block));
        let mut sums = BlockGrad::zeros(block);
        let segments = self.x.chunks_exact(segment);
        let segments = segments.zip(self.grad_out.chunks_exact(segment));
        let segments = segments.zip(self.grad_x.chunks_exact_mut(segment));
        for (i, ((x, grad_out), grad_x)) in segments.enumerate() {
            let padded = block.padding(self.padded, i);
            block.backward(
                simd, x, padded, grad_out, transposed, pass, scratch, grad_x, &mut sums,
            );
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::{Linear, Mixing};
    use super::super::instructions::{SETS, run_with};
    use super::super::rows::Norm;
    use super::*;
    use rand::{RngExt, SeedableRng};

    const ROIS: usize = 9;
    const WIDTH: usize = 20;

    /// Backward pass of a segment, which includes the forward pass, with each instruction set.
    #[test]
    fn every_set_of_instructions_gives_the_same() {
        let rng = &mut rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut draw =
            |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-0.5..0.5)).collect() };
        let weights: Vec<Vec<f32>> = (0..6).map(|_| draw(WIDTH * WIDTH)).collect();
        let vector = draw(WIDTH);
        let [x, grad_out] = [draw(ROIS * WIDTH), draw(ROIS * WIDTH)];
        let linear = |i: usize| Linear {
            weight: &weights[i],
            bias: &vector,
        };
        let norm = Norm {
            gamma: &vector,
            beta: &vector,
            eps: 1e-5,
        };
        let block = Block {
            rois: ROIS,
            heads: 2,
            norm1: norm,
            mixing: Mixing::Tokens {
                q: linear(0),
                k: linear(1),
            },
            v: linear(2),
            o: linear(3),
            norm2: norm,
            fc1: linear(4),
            fc2: linear(5),
        };
        let transposed = &Transposed::new(&block);
        let results = SETS.map(|set| {
            let mut grad_x = vec![0.0; x.len()];
            let sums = run_with(
                set,
                Backward {
                    block: &block,
                    transposed,
                    x: &x,
                    padded: &[],
                    grad_out: &grad_out,
                    grad_x: &mut grad_x,
                },
            );
            sums.map(|sums| {
                [
                    grad_x,
                    sums.fc1.weight,
                    sums.qk[0].weight.clone(),
                    sums.norm1.concat(),
                ]
            })
        });
        let [Some(widest), others @ ..] = &results else {
            panic!("the widest set is always there")
        };
        for other in others.iter().flatten() {
            for (other, widest) in other.iter().zip(widest) {
                for (other, widest) in other.iter().zip(widest) {
                    assert!((other - widest).abs() < 1e-5, "{other}, expected {widest}");
                }
            }
        }
    }
}
