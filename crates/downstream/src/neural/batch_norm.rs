//! Batch norm and ReLU in one operator.

use burn::nn::{BatchNorm, Linear};
use burn::tensor::Tensor;

use brainmae_ops::{self as ops, Norm};

use super::linear::weights;

/// `relu(norm(x))`, and the linear map of that, if there is one. In training, moments are those of
/// the batch, and the running ones follow them, as in burn's own batch norm.
///
/// # Shapes
/// - `x`: `[rows, width]`
pub(super) fn norm_relu(norm: &BatchNorm, x: Tensor<2>, map: Option<&Linear>) -> Tensor<2> {
    let trains = x.is_autodiff();
    let moments = match trains {
        true => {
            let moments = ops::moments(x.clone());
            follow(norm, &moments);
            moments
        }
        false => Tensor::stack(vec![norm.running_mean.value(), norm.running_var.value()], 0),
    };
    let gains = Norm {
        gamma: norm.gamma.val(),
        beta: norm.beta.val(),
    };
    ops::norm_relu(x, moments, trains, gains, norm.epsilon, map.map(weights))
}

/// Moves the running moments towards those of the batch, `[2, width]`.
fn follow(norm: &BatchNorm, moments: &Tensor<2>) {
    let all = [&norm.running_mean, &norm.running_var];
    for (i, running) in all.into_iter().enumerate() {
        let old = running.value_sync();
        let new = moments.clone().narrow(0, i, 1).squeeze_dim::<1>(0);
        let tracked = old.is_autodiff();
        let old = match tracked {
            true => old.without_autodiff(),
            false => old,
        };
        let moved = old * (1.0 - norm.momentum) + new * norm.momentum;
        running.update(match tracked {
            true => moved.autodiff(),
            false => moved,
        });
    }
}
