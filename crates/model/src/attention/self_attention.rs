//! Multi-head self-attention.

use burn::module::Module;
use burn::nn::Linear;
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
}
