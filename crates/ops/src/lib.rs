#![doc = include_str!("../README.md")]

mod activation;
mod adam;
mod attention;
mod block;
mod cpu;
mod cross;
mod feed_forward;
mod flex;
mod graph;
#[cfg(feature = "libtorch")]
#[allow(deprecated)] // docs: decisions
mod libtorch;
mod linear;
mod norm_relu;
pub mod operator;
mod precision;
mod recurrent;
#[cfg(test)]
mod testing;
mod tokens;

pub use activation::leaky_relu;
pub use adam::{AdamStep, adam, sum_of_squares};
pub use attention::{Bias, attention, dropout};
pub use block::{Block, Linear, Mixing, Norm};
pub use cross::cross;
pub use feed_forward::feed_forward;
pub use graph::{graph_linear, orthogonality, weighted_mean};
pub use linear::linear;
pub use norm_relu::{moments, norm_relu};
pub use precision::Precision;
pub use recurrent::{Unit, recurrent};
pub use tokens::{Hidden, draw, embed, layer_norm};

/// Spreads the operators on the CPU over `threads` from now on; only the first call has an effect.
/// The results do not depend on the number of threads.
pub fn set_threads(threads: usize) {
    // An existing thread pool stays.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global();
}
