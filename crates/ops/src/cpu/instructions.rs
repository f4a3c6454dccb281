//! Instruction sets for tests, independent of the CPU's own choice.

use pulp::{Arch, Simd, WithSimd};

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
