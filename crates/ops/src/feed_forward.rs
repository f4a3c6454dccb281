//! Two linear maps with ReLU and dropout between them.

use burn::tensor::Tensor;

use crate::block::Linear;
use crate::operator::{self, Dropout, Operator};

/// `dropout(relu(first(x)))`, mapped by `second`: the feed-forward part of a transformer. The units
/// between the maps are not stored. `dropout` is a seed and a rate, and drops the same units as
/// [`dropout`](crate::dropout) of them.
///
/// # Shapes
/// - `x`: `[.., width]`
/// - returns `[.., outputs]` of `second`
pub fn feed_forward<const D: usize>(
    x: Tensor<D>,
    first: Linear,
    second: Linear,
    dropout: Option<(u64, f64)>,
) -> Tensor<D> {
    let inputs = vec![
        x.into_dispatch(),
        first.weight.into_dispatch(),
        first.bias.into_dispatch(),
        second.weight.into_dispatch(),
        second.bias.into_dispatch(),
    ];
    let (seed, rate) = dropout.unwrap_or((0, 0.0));
    operator::call(inputs, Operator::FeedForward(Dropout { seed, rate }))
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::relu;

    use super::*;
    use crate::testing::compare;

    #[test]
    fn outputs_and_gradients_are_those_of_the_definition() {
        // 300 units are two blocks and a part of one; dropout counts in rows of 4,096 values.
        let shapes = [[150, 18], [18, 300], [1, 300], [300, 5], [1, 5]];
        for dropout in [None, Some((3, 0.3))] {
            compare(
                &shapes,
                [
                    &|t, _| {
                        let hidden = relu(t[0].clone().matmul(t[1].clone()) + t[2].clone());
                        let hidden = match dropout {
                            Some((seed, rate)) => crate::dropout(hidden, seed, rate),
                            None => hidden,
                        };
                        hidden.matmul(t[3].clone()) + t[4].clone()
                    },
                    &|t, _| {
                        let linear = |i: usize| Linear {
                            weight: t[i].clone(),
                            bias: t[i + 1].clone().reshape([-1]),
                        };
                        let x = t[0].clone().reshape([3, 50, 18]);
                        feed_forward(x, linear(1), linear(3), dropout).reshape([150, 5])
                    },
                ],
            );
        }
    }
}
