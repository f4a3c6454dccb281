//! Gated recurrent unit.

use brainmae_model::init::Init;
use brainmae_ops::{Unit, recurrent};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::linear::weights;

/// ```text
/// r = sigmoid(W_r x + b_r + U_r h + c_r)
/// z = sigmoid(W_z x + b_z + U_z h + c_z)
/// n = tanh(W_n x + b_n + r (U_n h + c_n))
/// h <- (1 - z) n + z h
/// ```
///
/// `input` holds W and b of r, z and n in this order, `hidden` holds U and c, as in PyTorch. The
/// GRU of burn computes six small products per step; here the whole sequence is one operator.
///
/// # Source
/// Cho et al. 2014, arXiv 1406.1078, with the reset gate after the product, as in PyTorch and
/// cuDNN.
#[derive(Module, Debug)]
pub struct Gru {
    input: Linear,
    hidden: Linear,
}

impl Gru {
    pub(super) fn new(n_in: usize, n_hidden: usize, init: &mut Init<ChaCha8Rng>) -> Self {
        // Both within 1 / sqrt(n_hidden), as in PyTorch.
        let bound = (n_hidden as f32).sqrt().recip();
        let mut map = |n_in| Linear {
            weight: init.uniform([n_in, 3 * n_hidden], bound),
            bias: Some(init.uniform([3 * n_hidden], bound)),
        };
        Self {
            input: map(n_in),
            hidden: map(n_hidden),
        }
    }

    /// State after each step, `[batch, time, n_in]` to `[batch, time, n_hidden]`.
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        recurrent(x, vec![self.unit()])
    }

    /// States of both directions, `[batch, time, 2 n_hidden]`: those of this unit, followed by
    /// those of `backwards`, which processes the sequence from its end. Each state stays at the
    /// index of its input.
    pub(super) fn with_backwards(&self, backwards: &Self, x: Tensor<3>) -> Tensor<3> {
        recurrent(x, vec![self.unit(), backwards.unit()])
    }

    fn unit(&self) -> Unit {
        Unit {
            input: weights(&self.input),
            states: weights(&self.hidden),
        }
    }
}
