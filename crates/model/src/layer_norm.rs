//! Layer norm over the last axis.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

/// `(x - mean) / sqrt(variance + eps) * gamma + beta` for each row.
///
/// burn's own layer norm does not expose `eps`, and autodiff splits it into several operators.
#[derive(Module, Debug)]
pub struct LayerNorm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    #[module(skip)]
    eps: f64,
}

impl LayerNorm {
    /// Scale 1, offset 0.
    pub(crate) fn new(d_model: usize, eps: f64, device: &Device) -> Self {
        let filled = |value: f32| Param::from_data([value].repeat(d_model).as_slice(), device);
        Self {
            gamma: filled(1.0),
            beta: filled(0.0),
            eps,
        }
    }

    /// Input and output are `[.., d_model]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        brainmae_ops::layer_norm(x, self.weights(), self.eps)
    }

    /// The weights in the form of the fused operators.
    pub(crate) fn weights(&self) -> brainmae_ops::Norm {
        brainmae_ops::Norm {
            gamma: self.gamma.val(),
            beta: self.beta.val(),
        }
    }
}
