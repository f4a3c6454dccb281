//! Attention of a block: graph attention or self-attention.

mod graph;
mod self_attention;

pub use graph::GraphAttention;
pub use self_attention::SelfAttention;

use burn::module::Module;

/// Attention of a block, with the source of its weights.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Attention {
    /// Attention weights computed from the ROI vectors alone.
    Graph(GraphAttention),
    /// Attention weights computed from the tokens.
    SelfAttention(SelfAttention),
}
