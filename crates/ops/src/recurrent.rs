//! Gated recurrent unit over whole sequences, in one direction or in both.

use burn::tensor::Tensor;

use crate::block::Linear;
use crate::operator::{self, Operator};

/// Number of inputs of an operator for each [`Unit`].
pub(crate) const UNIT_INPUTS: usize = 4;

/// Weights of a direction, for the gates r, z and n in this order.
pub struct Unit {
    /// Map of the inputs, `[n_in, 3 n]`.
    pub input: Linear,
    /// Map of the states, `[n, 3 n]`.
    pub states: Linear,
}

/// State after each step of a gated recurrent unit, which starts from zeros:
///
/// ```text
/// [x_r, x_z, x_n] = input(x)
/// [u_r, u_z, u_n] = states(h)
/// r = sigmoid(x_r + u_r)
/// z = sigmoid(x_z + u_z)
/// n = tanh(x_n + r u_n)
/// h <- (1 - z) n + z h
/// ```
///
/// A second unit reads the sequences from their end; each state stays at the index of its input.
///
/// # Shapes
/// - `x`: `[sequences, time, n_in]`
/// - `units`: one for each direction, of the same size
/// - returns `[sequences, time, n]` of the first direction, followed by those of the second
///
/// # Panics
/// If there is no unit, or there are more than two.
///
/// # Source
/// Cho et al. 2014, arXiv 1406.1078, with the reset gate after the product, as in PyTorch.
pub fn recurrent(x: Tensor<3>, units: Vec<Unit>) -> Tensor<3> {
    assert!(matches!(units.len(), 1 | 2), "one or two directions");
    let mut inputs = vec![x.into_dispatch()];
    for Unit { input, states } in units {
        let maps = [input, states].into_iter();
        inputs.extend(maps.flat_map(|map| [map.weight.into_dispatch(), map.bias.into_dispatch()]));
    }
    operator::call(inputs, Operator::Recurrent)
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::{sigmoid, tanh};

    use super::*;
    use crate::testing::{T2, compare};

    /// Numbers of an input.
    const IN: usize = 6;

    /// States of four steps, each `[sequences, n]`.
    fn defined(t: &[T2], at: usize, backwards: bool) -> Vec<T2> {
        let [sequences, _] = t[0].dims();
        let n = t[at + 2].dims()[0];
        let mut h = Tensor::<2>::zeros([sequences, n], &t[0].device()).cast(t[0].dtype());
        let mut states = Vec::new();
        for step in 0..4 {
            let place = if backwards { 3 - step } else { step };
            let x = t[0].clone().narrow(1, place * IN, IN);
            let x = x.matmul(t[at].clone()) + t[at + 1].clone();
            let u = h.clone().matmul(t[at + 2].clone()) + t[at + 3].clone();
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
        states
    }

    fn unit(t: &[T2], at: usize) -> Unit {
        let linear = |at: usize| Linear {
            weight: t[at].clone(),
            bias: t[at + 1].clone().reshape([-1]),
        };
        Unit {
            input: linear(at),
            states: linear(at + 2),
        }
    }

    #[test]
    fn states_are_those_of_the_definition_in_one_and_in_both_directions() {
        for (sequences, n) in [(1, 5), (37, 18)] {
            let maps = [[IN, 3 * n], [1, 3 * n], [n, 3 * n], [1, 3 * n]];
            for directions in [1, 2] {
                let shapes = [&[[sequences, 4 * IN]][..], &maps.repeat(directions)].concat();
                let starts: Vec<usize> = (0..directions).map(|i| 1 + UNIT_INPUTS * i).collect();
                compare(
                    &shapes,
                    [
                        &|t, _| {
                            let all = starts.iter().map(|&at| defined(t, at, at > 1));
                            let all: Vec<Vec<T2>> = all.collect();
                            let steps = (0..4).flat_map(|step| all.iter().map(move |of| &of[step]));
                            Tensor::cat(steps.cloned().collect(), 1)
                        },
                        &|t, _| {
                            let units = starts.iter().map(|&at| unit(t, at)).collect();
                            let x = t[0].clone().reshape([sequences, 4, IN]);
                            recurrent(x, units).reshape([sequences, 4 * n * directions])
                        },
                    ],
                );
            }
        }
    }
}
