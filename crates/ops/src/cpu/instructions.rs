//! Instruction sets for tests, independent of the CPU's own choice.

use pulp::{Arch, Simd, WithSimd};
use rand::{RngExt, SeedableRng};

use super::parallel::{PerRun, Run};

/// Instruction sets: the widest, AVX2, and scalar.
pub const SETS: [&str; 3] = ["widest", "avx2", "scalar"];

/// Runs `op` with an instruction set; `None` if the CPU lacks it.
pub fn run_with<Op: WithSimd>(set: &str, op: Op) -> Option<Op::Output> {
    match set {
        "widest" => Some(Arch::new().dispatch(op)),
        "scalar" => Some(Simd::vectorize(pulp::Scalar, op)),
        _ => avx2(op),
    }
}

#[cfg(target_arch = "x86_64")]
fn avx2<Op: WithSimd>(op: Op) -> Option<Op::Output> {
    pulp::x86::V3::try_new().map(|simd| Simd::vectorize(simd, op))
}

#[cfg(not(target_arch = "x86_64"))]
fn avx2<Op: WithSimd>(_op: Op) -> Option<Op::Output> {
    None
}

/// Random numbers, always the same.
pub fn draw(n: usize) -> Vec<f32> {
    let rng = &mut rand_chacha::ChaCha8Rng::seed_from_u64(n as u64);
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Checks that work on a run gives the same with every instruction set.
pub fn agree<const N: usize>(
    work: &impl PerRun<N>,
    inputs: [&[f32]; N],
    out_len: usize,
    sum_lens: &[usize],
) {
    let results = SETS.map(|set| {
        let mut out = vec![0.0; out_len];
        let mut sums: Vec<Vec<f32>> = sum_lens.iter().map(|len| vec![0.0; *len]).collect();
        let run = Run {
            work,
            inputs,
            out: &mut out,
            sums: &mut sums,
        };
        run_with(set, run).map(|()| {
            sums.push(out);
            sums
        })
    });
    let [Some(widest), others @ ..] = &results else {
        panic!("the widest set is always there")
    };
    for other in others.iter().flatten() {
        for (other, widest) in other.iter().zip(widest) {
            let largest = widest.iter().fold(1.0, |m: f32, x| m.max(x.abs()));
            for (other, widest) in other.iter().zip(widest) {
                let close = (other - widest).abs() < 1e-5 * largest;
                assert!(close, "{other}, expected {widest}");
            }
        }
    }
}
