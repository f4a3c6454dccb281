//! Multi-head self-attention.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Bool, Tensor, activation::softmax};
use rand::Rng;

use crate::init::Init;

/// Scaled dot-product attention among the tokens of a sequence; all four maps have a bias.
#[derive(Module, Debug)]
pub struct SelfAttention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    #[module(skip)]
    n_heads: usize,
}

impl SelfAttention {
    pub(crate) fn new<R: Rng>(d_model: usize, n_heads: usize, init: &mut Init<R>) -> Self {
        Self {
            q: init.linear(d_model, d_model),
            k: init.linear(d_model, d_model),
            v: init.linear(d_model, d_model),
            o: init.linear(d_model, d_model),
            n_heads,
        }
    }

    /// Linear maps of queries, keys, values and output.
    pub(crate) fn maps(&self) -> [&Linear; 4] {
        [&self.q, &self.k, &self.v, &self.o]
    }

    pub(crate) fn n_heads(&self) -> usize {
        self.n_heads
    }

    /// # Shapes
    /// - `x`: `[m, tokens, d_model]`
    /// - `padded`: `[m, tokens]`, true where a token may not be attended to; a row that is padded
    ///   throughout attends to all tokens alike, so that it stays finite
    /// - returns `[m, tokens, d_model]`
    pub fn forward(&self, x: Tensor<3>, padded: &Tensor<2, Bool>) -> Tensor<3> {
        let [m, tokens, d_model] = x.dims();
        let d_head = d_model / self.n_heads;
        let heads = |x: Tensor<3>| x.reshape([m, tokens, self.n_heads, d_head]).swap_dims(1, 2);

        // Scaling the queries costs less than scaling the scores.
        let q = heads(self.q.forward(x.clone()) * (d_head as f64).sqrt().recip());
        let k = heads(self.k.forward(x.clone()));
        let v = heads(self.v.forward(x));
        let score = q.matmul(k.swap_dims(2, 3)); // [m, heads, tokens, tokens]
        let padded = padded.clone().reshape([m, 1, 1, tokens]);
        let shape = [m, self.n_heads, tokens, tokens];
        let score = score.mask_fill(padded.expand(shape), f32::MIN);
        let y = softmax(score, 3)
            .matmul(v)
            .swap_dims(1, 2)
            .reshape([m, tokens, d_model]);
        self.o.forward(y)
    }
}
