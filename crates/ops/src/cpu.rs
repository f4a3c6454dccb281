//! Fused operators on the CPU, in `f32`, with the widest vector registers that it has.

mod activation;
mod adam;
mod attention;
mod backward;
mod block;
mod cross;
mod dropout;
mod feed_forward;
mod gemm;
mod graph;
#[cfg(test)]
mod instructions;
mod lanes;
mod linear;
mod norm_relu;
mod operate;
mod orthogonality;
mod parallel;
mod recurrent;
mod rows;
mod segments;
mod tokens;
mod weighted_mean;

pub use adam::{Adam, sum_of_squares};
pub use dropout::Dropout;
pub use operate::{backward, forward, grad_x_len, out_shape};
