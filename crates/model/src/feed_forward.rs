//! Feed-forward half of a block: the same two-layer map for every token.

use burn::module::Module;
use burn::nn::Linear;
use rand::Rng;

use crate::init::Init;

/// `W_2 GELU(W_1 x)`, with the exact (erf) GELU.
#[derive(Module, Debug)]
pub struct FeedForward {
    fc1: Linear,
    fc2: Linear,
}

impl FeedForward {
    pub(crate) fn new<R: Rng>(d_model: usize, mult: usize, init: &mut Init<R>) -> Self {
        Self {
            fc1: init.linear(d_model, mult * d_model),
            fc2: init.linear(mult * d_model, d_model),
        }
    }

    /// `W_1` and `W_2`.
    pub(crate) fn maps(&self) -> [&Linear; 2] {
        [&self.fc1, &self.fc2]
    }
}
