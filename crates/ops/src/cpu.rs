//! Fused operators on the processor, in `f32`, with the widest registers that it has.

mod backward;
mod block;
mod gemm;
mod lanes;
mod parallel;
mod rows;
mod segments;
mod tokens;

pub use backward::{BlockGrad, LinearGrad};
pub use block::{Block, Linear, Mixing};
pub use rows::Norm;
pub use segments::{backward, forward};
pub use tokens::{Draw, Embed, LayerNorm};
