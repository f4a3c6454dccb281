//! A block over all segments of a batch, on all cores.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::backward::{BlockGrad, Scratch, Transposed};
use super::block::{Block, Pass};

/// Equal runs of segments that are computed in parallel. Their sums are added in order, and their
/// number does not depend on the machine: neither does the result.
const RUNS: usize = 8;

/// `x` through the block; `[segments, rois, width]`.
pub fn forward(block: &Block<'_>, x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let run = run_len(block, x);
    out.par_chunks_mut(run)
        .zip(x.par_chunks(run))
        .for_each(|(out, x)| Arch::new().dispatch(Forward { block, x, out }));
    out
}

/// The gradients of `x` and of the weights, from that of the output.
pub fn backward(block: &Block<'_>, x: &[f32], grad_out: &[f32]) -> (Vec<f32>, BlockGrad) {
    let mut grad_x = vec![0.0; x.len()];
    let run = run_len(block, x);
    let transposed = &Transposed::new(block);
    let sums: Vec<BlockGrad> = (grad_x.par_chunks_mut(run))
        .zip(x.par_chunks(run))
        .zip(grad_out.par_chunks(run))
        .map(|((grad_x, x), grad_out)| {
            Arch::new().dispatch(Backward {
                block,
                transposed,
                x,
                grad_out,
                grad_x,
            })
        })
        .collect();
    let mut sums = sums.into_iter();
    let mut sum = sums.next().unwrap_or_else(|| BlockGrad::zeros(block));
    sums.for_each(|other| sum.add(other));
    (grad_x, sum)
}

/// Numbers in a run of segments.
fn run_len(block: &Block<'_>, x: &[f32]) -> usize {
    let segment = block.rois * block.width();
    (x.len() / segment).div_ceil(RUNS).max(1) * segment
}

struct Forward<'a> {
    block: &'a Block<'a>,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let segment = self.block.rois * self.block.width();
        let pass = &mut Pass::new(self.block);
        let segments = self.x.chunks_exact(segment);
        for (x, out) in segments.zip(self.out.chunks_exact_mut(segment)) {
            self.block.forward(simd, x, pass, out);
        }
    }
}

struct Backward<'a> {
    block: &'a Block<'a>,
    transposed: &'a Transposed,
    x: &'a [f32],
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
        for ((x, grad_out), grad_x) in segments.zip(self.grad_x.chunks_exact_mut(segment)) {
            block.backward(
                simd, x, grad_out, transposed, pass, scratch, grad_x, &mut sums,
            );
        }
        sums
    }
}
