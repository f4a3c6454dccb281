//! Leaky ReLU.

use burn::tensor::Tensor;

use crate::operator::{self, Operator};

/// `x` above 0, `slope x` below; burn composes it of four operators.
pub fn leaky_relu<const D: usize>(x: Tensor<D>, slope: f64) -> Tensor<D> {
    operator::call(vec![x.into_dispatch()], Operator::LeakyRelu { slope })
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation;

    use super::*;
    use crate::testing::compare;

    #[test]
    fn leaky_relu_and_its_gradient_are_those_of_burn() {
        compare(
            &[[70, 21]],
            [
                &|t, _| activation::leaky_relu(t[0].clone(), 0.3),
                &|t, _| leaky_relu(t[0].clone(), 0.3),
            ],
        );
    }
}
