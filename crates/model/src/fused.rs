//! Conversion of burn's layers to the inputs of the fused operators.

use brainmae_ops::Linear;
use burn::nn;

/// Converts a linear map, which must have a bias.
pub(crate) fn linear(linear: &nn::Linear) -> Linear {
    let Some(bias) = &linear.bias else {
        unreachable!("every map that is part of a fused operator has a bias")
    };
    Linear {
        weight: linear.weight.val(),
        bias: bias.val(),
    }
}
