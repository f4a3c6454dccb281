//! Transient state encoder (TSE): 15 s of every ROI's signal become one state.

use brainmae_ops::{Hidden, Precision};
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Bool, Tensor};
use rand::Rng;

use crate::block::Block;
use crate::fused;
use crate::init::Init;
use crate::layer_norm::LayerNorm;
use crate::readout::Readout;
use crate::{BrainMaeConfig, DataShape};

/// Embeds each ROI's signal, lets the ROIs exchange information through attention, and reads one
/// state out.
///
/// ```text
/// x_i = W_s bold_i + b_s        a hidden ROI's x_i is the mask token instead
/// x   = blocks(x, roi_vectors)  SG: all graph blocks; AG: one graph block, then self-attention
/// z   = readout(norm(x))
/// ```
/// # Source
/// arXiv 2406.17086, transient state encoder.
#[derive(Module, Debug)]
pub struct StateEncoder {
    signal: Linear,
    mask_token: Param<Tensor<1>>,
    blocks: Vec<Block>,
    norm: LayerNorm,
    readout: Readout,
}

impl StateEncoder {
    pub(crate) fn new<R: Rng>(
        config: &BrainMaeConfig,
        data: DataShape,
        init: &mut Init<R>,
    ) -> Self {
        Self {
            signal: init.linear(data.segment_len_trs, config.d_model),
            mask_token: init.normal([config.d_model], 0.02),
            blocks: (0..config.tse_blocks)
                .map(|i| {
                    if i < config.graph_blocks() {
                        Block::graph(config, init)
                    } else {
                        Block::self_attention(config, init)
                    }
                })
                .collect(),
            norm: init.layer_norm(config.d_model, config.norm_eps),
            readout: Readout::new(config, data.n_rois, init),
        }
    }

    /// Blocks from first to last.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// # Shapes
    /// - `bold`: `[batch, segments, rois, time]`
    /// - `hidden`: `[batch, segments, rois]`, true where the ROI is hidden; its signal is not used
    ///   at all
    /// - `roi_vectors`: `[rois, d_model]`
    /// - returns the states, `[batch, segments, d_model]`
    pub fn forward(
        &self,
        bold: Tensor<4>,
        hidden: Option<&Tensor<3, Bool>>,
        roi_vectors: &Tensor<2>,
        precision: Precision,
    ) -> Tensor<3> {
        let [batch, segments, ..] = bold.dims();
        let tokens = self.roi_tokens(bold, hidden, roi_vectors, precision);
        let [.., d_model] = tokens.dims();
        self.readout
            .forward(tokens)
            .reshape([batch, segments, d_model])
    }

    /// ROI tokens after the blocks, before the readout.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward)
    /// - returns `[batch * segments, rois, d_model]`
    pub fn roi_tokens(
        &self,
        bold: Tensor<4>,
        hidden: Option<&Tensor<3, Bool>>,
        roi_vectors: &Tensor<2>,
        precision: Precision,
    ) -> Tensor<3> {
        let [batch, segments, rois, time] = bold.dims();
        let m = batch * segments;
        let hidden = hidden.map(|hidden| Hidden {
            hidden: hidden.clone().float().reshape([m, rois]),
            token: self.mask_token.val(),
        });
        let bold = precision.activation(bold.reshape([m, rois, time]));
        let mut x = brainmae_ops::embed(bold, fused::linear(&self.signal), hidden);
        for block in &self.blocks {
            x = block.forward_rois(x, roi_vectors);
        }
        self.norm.forward(x)
    }
}
