//! Decoder of pretraining: states to the signal of every ROI.

use brainmae_ops::Precision;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use rand::Rng;

use crate::block::Block;
use crate::fused;
use crate::init::Init;
use crate::layer_norm::LayerNorm;
use crate::{BrainMaeConfig, DataShape};

/// ```text
/// y_k   = norm( blocks( W_d token_k + p(t_k) ) )
/// x^_ki = W_out GELU( W_a y_k + W_b e_i )       the ROI vector e_i says which ROI to draw
/// ```
/// # Source
/// arXiv 2406.17086, decoder; the head's form is this implementation's choice.
#[derive(Module, Debug)]
pub struct Decoder {
    input: Linear,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head_state: Linear,
    head_roi: Linear,
    head_out: Linear,
}

impl Decoder {
    pub(crate) fn new<R: Rng>(
        config: &BrainMaeConfig,
        data: DataShape,
        init: &mut Init<R>,
    ) -> Self {
        let d = config.d_model;
        Self {
            input: init.linear(d, d),
            blocks: (0..config.decoder_depth)
                .map(|_| Block::self_attention(config, init))
                .collect(),
            norm: init.layer_norm(d, config.norm_eps),
            head_state: init.linear(d, d),
            head_roi: init.linear_without_bias(d, d),
            head_out: init.linear(d, data.segment_len_trs),
        }
    }

    /// # Shapes
    /// - `tokens`, `time`: `[batch, segments, d_model]`
    /// - `padded`: `[batch, segments]`, 1 where a segment is padding
    /// - `roi_vectors`: `[rois, d_model]`
    /// - returns the reconstruction, `[batch, segments, rois, time]`
    pub fn forward(
        &self,
        tokens: Tensor<3>,
        time: Tensor<3>,
        padded: Option<&Tensor<2>>,
        roi_vectors: &Tensor<2>,
        precision: Precision,
    ) -> Tensor<4> {
        let mut y = precision.activation(self.input.forward(tokens) + time);
        for block in &self.blocks {
            y = block.forward_segments(y, padded);
        }
        let y = self.norm.forward(y);
        let [batch, segments, d_model] = y.dims();
        let state = self.head_state.forward(y).reshape([-1, d_model as i32]);
        let roi = self.head_roi.forward(roi_vectors.clone()); // once per step, [rois, d_model]
        let [rois, _] = roi.dims();
        let state = precision.activation(state);
        let drawn = brainmae_ops::draw(state, roi, fused::linear(&self.head_out));
        let [_, _, time] = drawn.dims();
        drawn.reshape([batch, segments, rois, time])
    }
}
