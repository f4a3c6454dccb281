//! A layer of the original transformer encoder.

use brainmae_model::LayerNorm;
use brainmae_model::init::Init;
use brainmae_ops::feed_forward;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::Noise;
use super::attention::{Attention, AttentionSizes};
use super::linear::weights;

/// Epsilon of layer norms, the default of PyTorch.
pub(super) const NORM_EPS: f64 = 1e-5;

/// `x <- norm(x + attention(x))`, then `x <- norm(x + W_2 relu(W_1 x))`, with dropout before each
/// sum and between the maps.
///
/// # Source
/// Vaswani et al. 2017, arXiv 1706.03762, section 3.1.
#[derive(Module, Debug)]
pub struct EncoderLayer {
    attention: Attention,
    norm1: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    norm2: LayerNorm,
    #[module(skip)]
    dropout: f64,
}

impl EncoderLayer {
    pub(super) fn new(
        sizes: AttentionSizes,
        feed_forward: usize,
        init: &mut Init<ChaCha8Rng>,
    ) -> Self {
        let d = sizes.d_model;
        Self {
            attention: Attention::new(sizes, init),
            norm1: init.layer_norm(d, NORM_EPS),
            fc1: init.linear(d, feed_forward),
            fc2: init.linear(feed_forward, d),
            norm2: init.layer_norm(d, NORM_EPS),
            dropout: sizes.dropout,
        }
    }

    /// `[batch, tokens, d_model]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, noise: &mut Noise) -> Tensor<3> {
        let y = self.attention.among(x.clone(), noise);
        let x = self.norm1.forward(x + noise.dropout(y, self.dropout));
        let dropout = noise.of_operator(self.dropout);
        let y = feed_forward(x.clone(), weights(&self.fc1), weights(&self.fc2), dropout);
        self.norm2.forward(x + noise.dropout(y, self.dropout))
    }
}
