//! The sets of instructions that tests go through, whatever the processor would choose.

use pulp::{Arch, Simd, WithSimd};

/// Sets of instructions: the widest, AVX2, and none.
pub const SETS: [&str; 3] = ["widest", "avx2", "scalar"];

/// Runs `op` with a set; nothing where the processor lacks it.
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
