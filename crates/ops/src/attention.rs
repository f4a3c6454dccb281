//! Attention between sequences of projected tokens, and dropout.

use burn::tensor::Tensor;

use crate::cpu::Dropout;
use crate::operator::{self, Operator};

/// What is added to the scores of an attention.
pub struct Bias {
    /// Learned, the same for all sequences: `[heads, queries, keys]`.
    pub learned: Tensor<3>,
    /// For each sequence, the same for all queries: very low for a hidden key, 0 otherwise. It has
    /// no gradient. `[sequences, keys]`
    pub hidden: Tensor<2>,
}

/// `dropout( softmax( q k' / sqrt(d) + bias ) ) v` for each head; the results of heads lie side by
/// side. Scores are never stored.
///
/// `dropout` is a seed, and the share of the attention weights that become 0; others grow by
/// `1 / (1 - rate)`.
///
/// # Shapes
/// - `q`: `[sequences, queries, width]`; `k`, `v`: `[sequences, keys, width]`
/// - returns `[sequences, queries, width]`
///
/// # Panics
/// If the number of heads does not divide the width.
pub fn attention(
    [q, k, v]: [Tensor<3>; 3],
    heads: usize,
    bias: Option<Bias>,
    dropout: Option<(u64, f64)>,
) -> Tensor<3> {
    let [_, _, width] = q.dims();
    assert!(width.is_multiple_of(heads), "{heads} heads in {width}");
    let with_graph = q.is_autodiff();
    let mut inputs = [q, k, v].map(Tensor::into_dispatch).to_vec();
    if let Some(Bias { learned, hidden }) = bias {
        let hidden = operator::constant(hidden, with_graph);
        inputs.extend([learned.into_dispatch(), hidden.into_dispatch()]);
    }
    let (seed, rate) = dropout.unwrap_or((0, 0.0));
    let dropout = Dropout { seed, rate };
    operator::call(inputs, Operator::Attention { heads, dropout })
}

/// Sets a share `rate` of the values to 0, and scales the others by `1 / (1 - rate)`. The same seed
/// drops the same places; nothing is stored for the backward pass but `x`.
pub fn dropout<const D: usize>(x: Tensor<D>, seed: u64, rate: f64) -> Tensor<D> {
    let dropout = Dropout { seed, rate };
    operator::call(vec![x.into_dispatch()], Operator::Dropout(dropout))
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use burn::tensor::activation::softmax;

    use super::*;
    use crate::testing::{Place, T2, compare};

    const SEQUENCES: usize = 9;
    const QUERIES: usize = 50;
    const KEYS: usize = 19;
    const HEADS: usize = 2;
    const WIDTH: usize = 10;

    fn split(x: &T2) -> Tensor<3> {
        let [rows, width] = x.dims();
        x.clone().reshape([SEQUENCES, rows / SEQUENCES, width])
    }

    /// Hides the third key of even sequences.
    fn hidden(like: &T2) -> T2 {
        let value = |i: usize| if i % (2 * KEYS) == 2 { -1e9 } else { 0.0f32 };
        let values: Vec<f32> = (0..SEQUENCES * KEYS).map(value).collect();
        let values = TensorData::new(values, [SEQUENCES, KEYS]);
        T2::from_data(values, &like.device()).cast(like.dtype())
    }

    fn kept(dropout: Option<(u64, f64)>, like: &T2) -> Tensor<4> {
        let shape = [SEQUENCES, HEADS, QUERIES, KEYS];
        let mut values = vec![1.0; shape.iter().product()];
        if let Some((seed, rate)) = dropout {
            for (i, row) in values.chunks_exact_mut(KEYS).enumerate() {
                Dropout { seed, rate }.row(i as u64, row);
            }
        }
        let values = Tensor::<4>::from_data(TensorData::new(values, shape), &like.device());
        values.cast(like.dtype())
    }

    fn defined(t: &[T2], dropout: Option<(u64, f64)>) -> T2 {
        let heads = |x: &T2| {
            let [_, n, _] = split(x).dims();
            let x = split(x).reshape([SEQUENCES, n, HEADS, WIDTH / HEADS]);
            x.swap_dims(1, 2)
        };
        let score = heads(&t[0]).matmul(heads(&t[1]).swap_dims(2, 3));
        let mut score = score / ((WIDTH / HEADS) as f64).sqrt();
        if let Some(bias) = t.get(3) {
            let bias = bias.clone().reshape([1, HEADS, QUERIES, KEYS]);
            let hidden = hidden(&t[0]).reshape([SEQUENCES, 1, 1, KEYS]);
            score = score + bias + hidden;
        }
        let weights = softmax(score, 3) * kept(dropout, &t[0]);
        let y = weights.matmul(heads(&t[2])).swap_dims(1, 2);
        y.reshape([SEQUENCES * QUERIES, WIDTH])
    }

    fn fused(t: &[T2], _: &Place, dropout: Option<(u64, f64)>) -> T2 {
        let bias = t.get(3).map(|bias| Bias {
            learned: bias.clone().reshape([HEADS, QUERIES, KEYS]),
            hidden: hidden(&t[0]),
        });
        let inputs = [split(&t[0]), split(&t[1]), split(&t[2])];
        attention(inputs, HEADS, bias, dropout).reshape([SEQUENCES * QUERIES, WIDTH])
    }

    #[test]
    fn attention_and_its_gradients_are_those_of_the_definition() {
        let plain = [
            [SEQUENCES * QUERIES, WIDTH],
            [SEQUENCES * KEYS, WIDTH],
            [SEQUENCES * KEYS, WIDTH],
        ];
        let biased = [&plain[..], &[[HEADS * QUERIES, KEYS]]].concat();
        for dropout in [None, Some((7, 0.3))] {
            for shapes in [&plain[..], &biased] {
                let ways = [
                    &|t: &[T2], _: &Place| defined(t, dropout),
                    &|t: &[T2], place: &Place| fused(t, place, dropout) as T2,
                ] as [&dyn Fn(&[T2], &Place) -> T2; 2];
                compare(shapes, ways);
            }
        }
    }

    #[test]
    fn what_is_dropped_gets_no_gradient() {
        let device = burn::tensor::Device::flex().autodiff();
        let x = T2::ones([90, 70], &device).require_grad();
        let y = dropout(x.clone(), 3, 0.5);
        let values: Vec<f32> = y.clone().into_data().iter().collect();
        let grads = (y * 3.0).sum().backward();
        let grad = x.grad(&grads).expect("a gradient").into_data();
        let grad: Vec<f32> = grad.iter().collect();
        assert!(values.contains(&0.0) && values.contains(&2.0));
        assert!(values.iter().zip(&grad).all(|(y, grad)| 3.0 * y == *grad));
    }
}
