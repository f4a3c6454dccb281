//! Gated recurrent unit.

use brainmae_model::init::Init;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, tanh};
use rand_chacha::ChaCha8Rng;

/// ```text
/// r = sigmoid(W_r x + b_r + U_r h + c_r)
/// z = sigmoid(W_z x + b_z + U_z h + c_z)
/// n = tanh(W_n x + b_n + r (U_n h + c_n))
/// h <- (1 - z) n + z h
/// ```
///
/// `input` holds W and b of r, z and n in this order, `hidden` holds U and c, as in PyTorch. The
/// GRU of burn computes six small products per step; this one computes one product per step, and
/// one more for the inputs of the whole sequence.
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

    /// State after each step, `[batch, time, n_in]` to `[batch, time, n_hidden]`. If `backwards`,
    /// the sequence is processed from its end; each state stays at the index of its input.
    pub(super) fn forward(&self, x: Tensor<3>, backwards: bool) -> Tensor<3> {
        let [batch, time, _] = x.dims();
        let inputs = self.input.forward(x);
        let [_, _, three] = inputs.dims();
        let n = three / 3;
        let mut h = Tensor::<2>::zeros([batch, n], &inputs.device());
        let mut states = Vec::with_capacity(time);
        for step in 0..time {
            let t = if backwards { time - 1 - step } else { step };
            let i = inputs.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
            let g = self.hidden.forward(h.clone());
            let rz = sigmoid(i.clone().narrow(1, 0, 2 * n) + g.clone().narrow(1, 0, 2 * n));
            let r = rz.clone().narrow(1, 0, n);
            let z = rz.narrow(1, n, n);
            let new = tanh(i.narrow(1, 2 * n, n) + r * g.narrow(1, 2 * n, n));
            h = new.clone() + z * (h - new);
            states.push(h.clone());
        }
        if backwards {
            states.reverse();
        }
        Tensor::stack(states, 1)
    }
}
