//! Parallel loops: items in a fixed number of runs, and the runs on all cores.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Number of equal runs that are computed in parallel. Their sums are added in order, and their
/// number does not depend on the machine, so the result does not either.
pub const RUNS: usize = 8;

/// Work on a run of items with `N` inputs.
pub trait PerRun<const N: usize>: Sync {
    /// Fills `out`, which starts at 0, and adds to `sums`.
    fn run<S: Simd>(&self, simd: S, inputs: [&[f32]; N], out: &mut [f32], sums: &mut [Vec<f32>]);
}

/// Inputs, each with its count of numbers per item; the count of the first is above 0.
pub type Items<'a, const N: usize> = [(&'a [f32], usize); N];

/// Fills `out`, which holds zeros, with the same count of numbers for each item; `out` may be
/// empty.
pub fn map<const N: usize>(work: &impl PerRun<N>, inputs: Items<'_, N>, out: &mut [f32]) {
    map_summing(work, inputs, out, &[]);
}

/// As [`map`]; returns the sums over all items.
pub fn map_summing<const N: usize>(
    work: &impl PerRun<N>,
    inputs: Items<'_, N>,
    out: &mut [f32],
    sum_lens: &[usize],
) -> Vec<Vec<f32>> {
    let items = inputs[0].0.len() / inputs[0].1;
    let run = items.div_ceil(RUNS).max(1);
    let out_item = out.len() / items.max(1);
    let zeros = || -> Vec<Vec<f32>> { sum_lens.iter().map(|len| vec![0.0; *len]).collect() };
    let mut outs: Vec<&mut [f32]> = match out_item {
        0 => (0..items.div_ceil(run)).map(|_| &mut [][..]).collect(),
        _ => out.chunks_mut(run * out_item).collect(),
    };
    let sums: Vec<Vec<Vec<f32>>> = (outs.par_iter_mut().enumerate())
        .map(|(number, out)| {
            let mut sums = zeros();
            let of_run = inputs.map(|(values, item)| {
                let end = ((number + 1) * run).min(items);
                &values[number * run * item..end * item]
            });
            Arch::new().dispatch(Run {
                work,
                inputs: of_run,
                out,
                sums: &mut sums,
            });
            sums
        })
        .collect();
    let mut total = zeros();
    for sums in sums {
        for (total, sum) in total.iter_mut().zip(sums) {
            for (total, sum) in total.iter_mut().zip(sum) {
                *total += sum;
            }
        }
    }
    total
}

/// Work on a run, for any instruction set.
pub struct Run<'a, W, const N: usize> {
    pub work: &'a W,
    pub inputs: [&'a [f32]; N],
    pub out: &'a mut [f32],
    pub sums: &'a mut [Vec<f32>],
}

impl<W: PerRun<N>, const N: usize> WithSimd for Run<'_, W, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.work.run(simd, self.inputs, self.out, self.sums);
    }
}
