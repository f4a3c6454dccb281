//! Time encoder: the states of a sample in the context of one another, and one vector for the whole
//! scan.

use brainmae_ops::Precision;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use rand::Rng;

use crate::BrainMaeConfig;
use crate::block::Block;
use crate::init::Init;
use crate::layer_norm::LayerNorm;

/// Self-attention over `[CLS, s_1 + p(t_1), …, s_S + p(t_S)]`; CLS is learned and has no time
/// encoding.
///
/// # Source
/// arXiv 2406.17086, segment-wise ViT.
#[derive(Module, Debug)]
pub struct TimeEncoder {
    cls: Param<Tensor<1>>,
    blocks: Vec<Block>,
    norm: LayerNorm,
}

impl TimeEncoder {
    pub(crate) fn new<R: Rng>(config: &BrainMaeConfig, init: &mut Init<R>) -> Self {
        Self {
            cls: init.normal([config.d_model], 0.02),
            blocks: (0..config.encoder_depth)
                .map(|_| Block::self_attention(config, init))
                .collect(),
            norm: init.layer_norm(config.d_model, config.norm_eps),
        }
    }

    /// # Shapes
    /// - `states`: `[batch, segments, d_model]`
    /// - `time`: `p(t)`, as `states`
    /// - `padded`: `[batch, segments]`, 1 where a segment is padding
    /// - returns CLS, `[batch, d_model]`, and the segment tokens, as `states`
    pub fn forward(
        &self,
        states: Tensor<3>,
        time: Tensor<3>,
        padded: Option<&Tensor<2>>,
        precision: Precision,
    ) -> (Tensor<2>, Tensor<3>) {
        let [batch, segments, d_model] = states.dims();
        let cls = self
            .cls
            .val()
            .reshape([1, 1, d_model])
            .expand([batch, 1, d_model]);
        let mut x = precision.activation(Tensor::cat(vec![cls, states + time], 1));
        let padded = padded.map(|padded| {
            let cls = Tensor::zeros([batch, 1], &padded.device());
            Tensor::cat(vec![cls, padded.clone()], 1)
        });
        for block in &self.blocks {
            x = block.forward_segments(x, padded.as_ref());
        }
        let x = self.norm.forward(x);
        let cls = x
            .clone()
            .slice([0..batch, 0..1, 0..d_model])
            .reshape([batch, d_model]);
        (cls, x.slice([0..batch, 1..segments + 1, 0..d_model]))
    }
}
