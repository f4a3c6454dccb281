//! Fused operators on the CPU, in `f32`, with the widest vector registers that it has.

mod backward;
mod block;
mod gemm;
#[cfg(test)]
mod instructions;
mod lanes;
mod operate;
mod parallel;
mod rows;
mod segments;
mod tokens;

pub use operate::{backward, forward, grad_x_len, out_shape};
