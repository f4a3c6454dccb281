//! Pre-norm block: attention, then a feed-forward layer, each with a residual connection.

use brainmae_ops::Mixing;
use burn::module::Module;
use burn::tensor::Tensor;
use rand::Rng;

use crate::BrainMaeConfig;
use crate::attention::{Attention, GraphAttention, SelfAttention};
use crate::feed_forward::FeedForward;
use crate::fused;
use crate::init::Init;
use crate::layer_norm::LayerNorm;

/// `x <- x + attention(norm(x))`, then `x <- x + feed_forward(norm(x))`.
///
/// # Source
/// The paper does not state where it normalises: pre-norm is this implementation's choice.
#[derive(Module, Debug)]
pub struct Block {
    norm1: LayerNorm,
    attention: Attention,
    norm2: LayerNorm,
    feed_forward: FeedForward,
    #[module(skip)]
    eps: f64,
}

impl Block {
    pub(crate) fn graph<R: Rng>(config: &BrainMaeConfig, init: &mut Init<R>) -> Self {
        let c = config;
        let attention = GraphAttention::new(c.d_model, c.n_heads, c.self_loops, init);
        Self::new(c, Attention::Graph(attention), init)
    }

    pub(crate) fn self_attention<R: Rng>(config: &BrainMaeConfig, init: &mut Init<R>) -> Self {
        let attention = SelfAttention::new(config.d_model, config.n_heads, init);
        Self::new(config, Attention::SelfAttention(attention), init)
    }

    fn new<R: Rng>(config: &BrainMaeConfig, attention: Attention, init: &mut Init<R>) -> Self {
        Self {
            norm1: init.layer_norm(config.d_model, config.norm_eps),
            attention,
            norm2: init.layer_norm(config.d_model, config.norm_eps),
            feed_forward: FeedForward::new(config.d_model, config.feed_forward_mult, init),
            eps: config.norm_eps,
        }
    }

    /// Attention weights of a graph block, `[heads, rois, rois]`; `None` for a self-attention
    /// block.
    pub fn alpha(&self, roi_vectors: Tensor<2>) -> Option<Tensor<3>> {
        match &self.attention {
            Attention::Graph(graph) => Some(graph.alpha(roi_vectors)),
            Attention::SelfAttention(_) => None,
        }
    }

    /// Forward pass among the ROI tokens of each segment: `x` is `[m, rois, d_model]`.
    pub(crate) fn forward_rois(&self, x: Tensor<3>, roi_vectors: &Tensor<2>) -> Tensor<3> {
        self.whole(self.alpha(roi_vectors.clone()), None).forward(x)
    }

    /// Forward pass among the segment tokens of each sample: `x` is `[batch, tokens, d_model]`;
    /// `padded` is `[batch, tokens]`, 1 where a token is padding, which nothing attends to.
    pub(crate) fn forward_segments(&self, x: Tensor<3>, padded: Option<&Tensor<2>>) -> Tensor<3> {
        self.whole(None, padded.cloned()).forward(x)
    }

    /// The block as one fused operator.
    fn whole(&self, alpha: Option<Tensor<3>>, padded: Option<Tensor<2>>) -> brainmae_ops::Block {
        let (mixing, [v, o], heads) = match (&self.attention, alpha) {
            (Attention::Graph(graph), Some(alpha)) => {
                (Mixing::Graph(alpha), graph.values(), graph.n_heads())
            }
            (Attention::SelfAttention(attention), None) => {
                let [q, k, v, o] = attention.maps();
                let (q, k) = (fused::linear(q), fused::linear(k));
                (Mixing::Tokens { q, k, padded }, [v, o], attention.n_heads())
            }
            _ => unreachable!("graph blocks, and they alone, have weights for all sequences"),
        };
        let [fc1, fc2] = self.feed_forward.maps();
        brainmae_ops::Block {
            norm1: self.norm1.weights(),
            mixing,
            v: fused::linear(v),
            o: fused::linear(o),
            norm2: self.norm2.weights(),
            fc1: fused::linear(fc1),
            fc2: fused::linear(fc2),
            heads,
            eps: self.eps,
        }
    }
}
