//! Multi-head attention of the neural baselines.

use brainmae_model::init::Init;
use brainmae_ops::{Bias, attention};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::Noise;
use super::linear::linear;

/// Sizes of an [`Attention`].
#[derive(Clone, Copy, Debug)]
pub(super) struct AttentionSizes {
    /// Width of a token.
    pub d_model: usize,
    /// Number of heads.
    pub n_heads: usize,
    /// Width of a head; `n_heads * d_head` may differ from `d_model`.
    pub d_head: usize,
    /// Dropout rate of the attention weights.
    pub dropout: f64,
}

/// `W_o concat_h( softmax( (W_q x)(W_k y)' / sqrt(d_head) + bias ) W_v y )`; all four maps have a
/// bias.
#[derive(Module, Debug)]
pub struct Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    #[module(skip)]
    n_heads: usize,
    #[module(skip)]
    dropout: f64,
}

impl Attention {
    pub(super) fn new(sizes: AttentionSizes, init: &mut Init<ChaCha8Rng>) -> Self {
        let inner = sizes.n_heads * sizes.d_head;
        Self {
            q: init.linear(sizes.d_model, inner),
            k: init.linear(sizes.d_model, inner),
            v: init.linear(sizes.d_model, inner),
            o: init.linear(inner, sizes.d_model),
            n_heads: sizes.n_heads,
            dropout: sizes.dropout,
        }
    }

    /// Self-attention within each sequence, `[batch, tokens, d_model]` to the same.
    pub(super) fn among(&self, x: Tensor<3>, noise: &mut Noise) -> Tensor<3> {
        let (k, v) = self.project(x.clone());
        self.attend(x, k, v, None, noise)
    }

    /// Keys and values of tokens, `[batch, tokens, heads * d_head]` each.
    pub(super) fn project(&self, y: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        (linear(&self.k, y.clone()), linear(&self.v, y))
    }

    /// # Shapes
    /// - `x`: `[batch, n, d_model]`, the queries
    /// - `k`, `v`: `[batch, m, heads * d_head]`
    /// - returns `[batch, n, d_model]`
    pub(super) fn attend(
        &self,
        x: Tensor<3>,
        k: Tensor<3>,
        v: Tensor<3>,
        bias: Option<Bias>,
        noise: &mut Noise,
    ) -> Tensor<3> {
        let dropout = noise.of_operator(self.dropout);
        let y = attention([linear(&self.q, x), k, v], self.n_heads, bias, dropout);
        linear(&self.o, y)
    }
}
