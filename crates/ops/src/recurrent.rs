//! Gated recurrent unit over whole sequences.

use burn::tensor::Tensor;

use crate::block::Linear;
use crate::operator::{self, Operator};

/// State after each step of a gated recurrent unit, which starts from zeros:
///
/// ```text
/// [u_r, u_z, u_n] = h weight + bias
/// r = sigmoid(x_r + u_r)
/// z = sigmoid(x_z + u_z)
/// n = tanh(x_n + r u_n)
/// h <- (1 - z) n + z h
/// ```
///
/// If `backwards`, sequences are read from their end; each state stays at the index of its input.
///
/// # Shapes
/// - `inputs`: `[sequences, time, 3 n]`, mapped to the gates r, z and n already
/// - `states`: weight `[n, 3 n]`, bias `[3 n]`
/// - returns `[sequences, time, n]`
///
/// # Source
/// Cho et al. 2014, arXiv 1406.1078, with the reset gate after the product, as in PyTorch.
pub fn recurrent(inputs: Tensor<3>, states: Linear, backwards: bool) -> Tensor<3> {
    let inputs = vec![
        inputs.into_dispatch(),
        states.weight.into_dispatch(),
        states.bias.into_dispatch(),
    ];
    operator::call(inputs, Operator::Recurrent { backwards })
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::{sigmoid, tanh};

    use super::*;
    use crate::testing::{T2, compare};

    /// States of four steps, `[sequences, 4 n]`.
    fn defined(t: &[T2], backwards: bool) -> T2 {
        let [sequences, _] = t[0].dims();
        let n = t[1].dims()[0];
        let mut h = Tensor::<2>::zeros([sequences, n], &t[0].device()).cast(t[0].dtype());
        let mut states = Vec::new();
        for step in 0..4 {
            let at = if backwards { 3 - step } else { step };
            let x = t[0].clone().narrow(1, at * 3 * n, 3 * n);
            let u = h.clone().matmul(t[1].clone()) + t[2].clone();
            let part = |y: &T2, i: usize| y.clone().narrow(1, i * n, n);
            let r = sigmoid(part(&x, 0) + part(&u, 0));
            let z = sigmoid(part(&x, 1) + part(&u, 1));
            let new = tanh(part(&x, 2) + r * part(&u, 2));
            h = (z.clone() * -1.0 + 1.0) * new + z * h;
            states.push(h.clone());
        }
        if backwards {
            states.reverse();
        }
        Tensor::cat(states, 1)
    }

    #[test]
    fn states_are_those_of_the_definition_in_both_directions() {
        for (sequences, n) in [(1, 5), (37, 18)] {
            for backwards in [false, true] {
                compare(
                    &[[sequences, 12 * n], [n, 3 * n], [1, 3 * n]],
                    [&|t, _| defined(t, backwards), &|t, _| {
                        let states = Linear {
                            weight: t[1].clone(),
                            bias: t[2].clone().reshape([3 * n]),
                        };
                        let inputs = t[0].clone().reshape([sequences, 4, 3 * n]);
                        recurrent(inputs, states, backwards).reshape([sequences, 4 * n])
                    }],
                );
            }
        }
    }
}
