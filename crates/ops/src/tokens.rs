//! Operators between signals, tokens and states.

use burn::tensor::Tensor;

use crate::block::{Linear, Norm};
use crate::operator::{self, Operator};

/// Layer norm: every row with mean 0 and variance 1, times gamma, plus beta.
///
/// # Shapes
/// - `x`: `[.., width]`
/// - returns the same shape, 32-bit
pub fn layer_norm<const D: usize>(x: Tensor<D>, norm: Norm, eps: f64) -> Tensor<D> {
    let inputs = vec![
        x.into_dispatch(),
        norm.gamma.into_dispatch(),
        norm.beta.into_dispatch(),
    ];
    operator::call(inputs, Operator::LayerNorm { eps })
}

/// Mask of hidden signals, and their token.
pub struct Hidden {
    /// 1 where a signal is hidden, 0 elsewhere, `[segments, rois]`.
    pub hidden: Tensor<2>,
    /// Mask token: the token of every hidden signal, `[width]`.
    pub token: Tensor<1>,
}

/// Embeds the signal of each ROI as a token: `linear(bold)`, or the mask token if it is hidden. A
/// hidden signal has no influence on the result.
///
/// # Shapes
/// - `bold`: `[segments, rois, time]`
/// - returns `[segments, rois, width]`
pub fn embed(bold: Tensor<3>, linear: Linear, hidden: Option<Hidden>) -> Tensor<3> {
    let mut inputs = vec![
        bold.into_dispatch(),
        linear.weight.into_dispatch(),
        linear.bias.into_dispatch(),
    ];
    if let Some(Hidden { hidden, token }) = hidden {
        inputs.extend([hidden.into_dispatch(), token.into_dispatch()]);
    }
    operator::call(inputs, Operator::Embed)
}

/// Reconstructs the signal of every ROI from a state: `linear(gelu(state + roi))`. The sums are
/// never stored.
///
/// # Shapes
/// - `states`: `[segments, width]`; `rois`: `[rois, width]`
/// - returns `[segments, rois, time]`, 32-bit
pub fn draw(states: Tensor<2>, rois: Tensor<2>, linear: Linear) -> Tensor<3> {
    let inputs = vec![
        states.into_dispatch(),
        rois.into_dispatch(),
        linear.weight.into_dispatch(),
        linear.bias.into_dispatch(),
    ];
    operator::call(inputs, Operator::Draw)
}
#[cfg(test)]
mod tests;
