//! The operators that burn would take apart, each in one piece and with a backward of its own.
//!
//! Products are taken in the kind of number of an operator's first tensor, 32 bits or (LibTorch
//! alone) bfloat16; norms and what is drawn have 32 bits.
//!
//! Backends are named here and where devices are made, nowhere else. A further backend joins by
//! implementing [`operator::Kernels`].

mod block;
mod cpu;
mod flex;
#[cfg(feature = "libtorch")]
#[allow(deprecated)] // docs: decisions
mod libtorch;
pub mod operator;
mod precision;
#[cfg(test)]
mod testing;
mod tokens;

pub use block::{Block, Linear, Mixing, Norm};
pub use precision::Precision;
pub use tokens::{Hidden, draw, embed, layer_norm};

/// Spreads the operators on the processor over `threads` from now on; only the first call counts.
/// The results do not depend on it.
pub fn set_threads(threads: usize) {
    // A pool that is there already stays.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global();
}
