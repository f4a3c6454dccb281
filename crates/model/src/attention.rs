//! The two kinds of attention that a block can have.

mod graph;
mod self_attention;

pub use graph::GraphAttention;
pub use self_attention::SelfAttention;

use burn::module::Module;

/// The attention of a block.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Attention {
    /// From the ROI vectors alone.
    Graph(GraphAttention),
    /// From the tokens themselves.
    SelfAttention(SelfAttention),
}
