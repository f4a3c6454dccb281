//! Fused operators on the processor, in `f32`, with the widest registers that it has.

mod backward;
mod block;
mod gemm;
mod lanes;
mod rows;
mod segments;

pub use backward::{BlockGrad, LinearGrad};
pub use block::{Block, Linear, Mixing};
pub use rows::Norm;
pub use segments::{backward, forward};
