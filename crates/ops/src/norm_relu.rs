//! Batch norm over rows and ReLU, with a linear map after them or without.

use burn::tensor::Tensor;

use crate::block::{Linear, Norm};
use crate::operator::{self, Operator};

/// Mean and variance of every column, the variance divided by the number of rows. They take no
/// gradients.
///
/// # Shapes
/// - `x`: `[rows, width]`
/// - returns `[2, width]`
pub fn moments(x: Tensor<2>) -> Tensor<2> {
    let x = operator::constant(x, false).into_dispatch();
    operator::call(vec![x], Operator::Moments)
}

/// Norm of every column with given moments, and ReLU: `relu((x - mean) / sqrt(variance + eps) gamma
/// + beta)`; then the linear map, if there is one.
///
/// With `of_input`, the moments are those of `x`, as [`moments`] returns them, and the gradient of
/// `x` passes through them too.
///
/// # Shapes
/// - `x`: `[rows, width]`; `moments`: `[2, width]`
/// - returns `[rows, width]`, or `[rows, outputs]` of the linear map
pub fn norm_relu(
    x: Tensor<2>,
    moments: Tensor<2>,
    of_input: bool,
    norm: Norm,
    eps: f64,
    linear: Option<Linear>,
) -> Tensor<2> {
    let moments = operator::constant(moments, x.is_autodiff());
    let mut inputs = vec![
        x.into_dispatch(),
        moments.into_dispatch(),
        norm.gamma.into_dispatch(),
        norm.beta.into_dispatch(),
    ];
    if let Some(Linear { weight, bias }) = linear {
        inputs.extend([weight.into_dispatch(), bias.into_dispatch()]);
    }
    operator::call(inputs, Operator::NormRelu { eps, of_input })
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::relu;

    use super::*;
    use crate::testing::{Place, T2, compare};

    fn defined(t: &[T2], mean: T2, variance: T2) -> T2 {
        let unit = (t[0].clone() - mean) / (variance + 1e-3).sqrt();
        relu(unit * t[1].clone() + t[2].clone())
    }

    fn norm(t: &[T2]) -> Norm {
        Norm {
            gamma: t[1].clone().reshape([-1]),
            beta: t[2].clone().reshape([-1]),
        }
    }

    fn of_rows(x: &T2) -> [T2; 2] {
        let mean = x.clone().mean_dim(0);
        let variance = (x.clone() - mean.clone()).square().mean_dim(0);
        [mean, variance]
    }

    #[test]
    fn norms_and_maps_with_moments_of_the_batch_are_those_of_the_definition() {
        let shapes = [[150, 18], [1, 18], [1, 18], [18, 5], [1, 5]];
        let definition = |t: &[T2], _: &Place| {
            let [mean, variance] = of_rows(&t[0]);
            defined(t, mean, variance).matmul(t[3].clone()) + t[4].clone()
        };
        let fused = |t: &[T2], _: &Place| {
            let linear = Linear {
                weight: t[3].clone(),
                bias: t[4].clone().reshape([5]),
            };
            let moments = moments(t[0].clone());
            norm_relu(t[0].clone(), moments, true, norm(t), 1e-3, Some(linear))
        };
        compare(&shapes, [&definition, &fused]);
    }

    #[test]
    fn norms_with_other_moments_are_those_of_the_definition() {
        let shapes = [[150, 18], [1, 18], [1, 18]];
        let other = |t: &[T2]| of_rows(&(t[0].clone().detach() * 0.7 + 0.1));
        let definition = |t: &[T2], _: &Place| {
            let [mean, variance] = other(t);
            defined(t, mean, variance)
        };
        let fused = |t: &[T2], _: &Place| {
            let moments = Tensor::cat(other(t).to_vec(), 0);
            norm_relu(t[0].clone(), moments, false, norm(t), 1e-3, None)
        };
        compare(&shapes, [&definition, &fused]);
    }
}
