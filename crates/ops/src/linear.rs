//! Linear map, followed by a leaky ReLU or by nothing.

use burn::tensor::Tensor;

use crate::block::Linear;
use crate::operator::{self, Operator};

/// `leaky_relu(x weight + bias)`, with the factor `slope` for values below 0; a slope of 1 is the
/// linear map alone. It is made for many rows and for weights that fit into cache: burn's own
/// gradient of the weight has one matrix for each item of the first axis.
///
/// # Shapes
/// - `x`: `[.., width]`
/// - returns `[.., outputs]`
pub fn linear<const D: usize>(x: Tensor<D>, linear: Linear, slope: f64) -> Tensor<D> {
    let inputs = vec![
        x.into_dispatch(),
        linear.weight.into_dispatch(),
        linear.bias.into_dispatch(),
    ];
    operator::call(inputs, Operator::Linear { slope })
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::leaky_relu;

    use super::*;
    use crate::testing::{T2, compare};

    fn map(t: &[T2]) -> Linear {
        Linear {
            weight: t[1].clone(),
            bias: t[2].clone().reshape([-1]),
        }
    }

    #[test]
    fn maps_with_and_without_relu_are_those_of_the_definition() {
        for slope in [0.0, 0.2, 1.0] {
            compare(
                &[[150, 18], [18, 5], [1, 5]],
                [
                    &|t, _| {
                        let y = t[0].clone().matmul(t[1].clone()) + t[2].clone();
                        if slope == 1.0 {
                            y
                        } else {
                            leaky_relu(y, slope)
                        }
                    },
                    &|t, _| {
                        let x = t[0].clone().reshape([3, 50, 18]);
                        linear(x, map(t), slope).reshape([150, 5])
                    },
                ],
            );
        }
    }

    #[test]
    fn gradients_without_that_of_the_input_are_those_of_the_definition() {
        compare(
            &[[40, 18], [18, 5], [1, 5]],
            [
                &|t, _| t[0].clone().detach().matmul(t[1].clone()) + t[2].clone(),
                &|t, _| linear(t[0].clone().detach(), map(t), 1.0),
            ],
        );
    }
}
