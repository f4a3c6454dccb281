//! Linear maps of tokens.

use brainmae_ops as ops;
use burn::nn::Linear;
use burn::tensor::Tensor;

/// Weights of a linear map for the fused operators; it has a bias.
pub(super) fn weights(linear: &Linear) -> ops::Linear {
    let bias = linear.bias.as_ref().map(|bias| bias.val());
    ops::Linear {
        weight: linear.weight.val(),
        bias: bias.expect("maps of fused operators have a bias"),
    }
}

/// The linear map of every token.
///
/// # Shapes
/// - `x`: `[.., n_in]`
/// - returns `[.., n_out]`
pub(super) fn linear<const D: usize>(linear: &Linear, x: Tensor<D>) -> Tensor<D> {
    ops::linear(x, weights(linear), 1.0)
}

/// The linear map of every token, and a leaky ReLU.
pub(super) fn linear_relu<const D: usize>(linear: &Linear, x: Tensor<D>, slope: f64) -> Tensor<D> {
    ops::linear(x, weights(linear), slope)
}
