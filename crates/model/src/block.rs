//! One pre-norm block.

use brainmae_ops::Mixing;
use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Bool, Tensor};
use rand::Rng;

use crate::BrainMaeConfig;
use crate::attention::{Attention, GraphAttention, SelfAttention};
use crate::feed_forward::FeedForward;
use crate::init::Init;

/// `x <- x + attention(norm(x))`, then `x <- x + feed_forward(norm(x))`.
///
/// # Source
/// The paper does not say where it normalises: pre-norm is this implementation's choice.
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
    /// A block with region-aware graph attention.
    pub(crate) fn graph<R: Rng>(config: &BrainMaeConfig, init: &mut Init<R>) -> Self {
        let c = config;
        let attention = GraphAttention::new(c.d_model, c.n_heads, c.self_loops, init);
        Self::new(c, Attention::Graph(attention), init)
    }

    /// A block with self-attention.
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

    /// The attention weights of a graph block, `[heads, rois, rois]`; nothing for a self-attention block.
    pub fn alpha(&self, roi_vectors: Tensor<2>) -> Option<Tensor<3>> {
        match &self.attention {
            Attention::Graph(graph) => Some(graph.alpha(roi_vectors)),
            Attention::SelfAttention(_) => None,
        }
    }

    /// Among the ROI tokens of each segment: `x` is `[m, rois, d_model]`. The whole block is one operator.
    pub(crate) fn forward_rois(&self, x: Tensor<3>, roi_vectors: &Tensor<2>) -> Tensor<3> {
        let (mixing, [v, o], heads) = match &self.attention {
            Attention::Graph(graph) => (
                Mixing::Graph(graph.alpha(roi_vectors.clone())),
                graph.values(),
                graph.n_heads(),
            ),
            Attention::SelfAttention(attention) => {
                let [q, k, v, o] = attention.maps();
                let (q, k) = (linear(q), linear(k));
                (Mixing::Tokens { q, k }, [v, o], attention.n_heads())
            }
        };
        let [fc1, fc2] = self.feed_forward.maps();
        let block = brainmae_ops::Block {
            norm1: norm(&self.norm1),
            mixing,
            v: linear(v),
            o: linear(o),
            norm2: norm(&self.norm2),
            fc1: linear(fc1),
            fc2: linear(fc2),
            heads,
            eps: self.eps,
        };
        block.forward(x)
    }

    /// Among the segment tokens of each sample: `x` is `[batch, tokens, d_model]`, `padded` as in [`SelfAttention::forward`].
    pub(crate) fn forward_segments(
        &self,
        x: Tensor<3>,
        padded: Option<&Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let Attention::SelfAttention(attention) = &self.attention else {
            unreachable!("the time encoder and the decoder are built of self-attention blocks")
        };
        let y = attention.forward(self.norm1.forward(x.clone()), padded);
        self.feed(x + y)
    }

    fn feed(&self, x: Tensor<3>) -> Tensor<3> {
        let y = self.feed_forward.forward(self.norm2.forward(x.clone()));
        x + y
    }
}

fn linear(linear: &Linear) -> brainmae_ops::Linear {
    let Some(bias) = &linear.bias else {
        unreachable!("the maps of a block have a bias")
    };
    brainmae_ops::Linear {
        weight: linear.weight.val(),
        bias: bias.val(),
    }
}

fn norm(norm: &LayerNorm) -> brainmae_ops::Norm {
    let Some(beta) = &norm.beta else {
        unreachable!("the norms of a block have a beta")
    };
    brainmae_ops::Norm {
        gamma: norm.gamma.val(),
        beta: beta.val(),
    }
}
