//! Attention pooling with a linear head.

use brainmae_model::init::Init;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Tensor};
use rand::Rng;

use super::tokens::TokenSets;

/// Maximum number of heads; fewer if they do not divide the width.
const MOST_HEADS: usize = 8;

/// Attention pooling with one learned query for each head.
#[derive(Module, Debug)]
pub(super) struct Pooling {
    /// `[heads, width / heads]`
    query: Param<Tensor<2>>,
    key: Linear,
    value: Linear,
    head: Linear,
}

impl Pooling {
    /// Random weights from `rng`.
    pub fn new<R: Rng>(width: usize, n_outputs: usize, rng: &mut R, device: &Device) -> Self {
        let heads = (1..=MOST_HEADS)
            .rev()
            .find(|heads| width.is_multiple_of(*heads));
        let heads = heads.unwrap_or(1);
        let init = &mut Init { rng, device };
        Self {
            query: init.normal([heads, width / heads], 0.02),
            key: init.linear(width, width),
            value: init.linear(width, width),
            head: init.linear(width, n_outputs),
        }
    }

    /// Network output for one batch.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, tokens, width]`; `padded`: `[batch, tokens]`, true for padding
    /// - returns `[batch, n_outputs]`
    pub fn forward(&self, tokens: Tensor<3>, padded: Option<Tensor<2, Bool>>) -> Tensor<2> {
        let [batch, n, width] = tokens.dims();
        let [heads, of_head] = self.query.dims();
        let split = |x: Tensor<3>| x.reshape([batch, n, heads, of_head]).swap_dims(1, 2);
        let keys = split(self.key.forward(tokens.clone()));
        let values = split(self.value.forward(tokens));
        let query = self.query.val().reshape([1, heads, of_head, 1]);
        // [batch, heads, tokens, 1]
        let mut scores = keys.matmul(query.repeat_dim(0, batch)) / (of_head as f64).sqrt();
        if let Some(padded) = padded {
            let padded = padded.reshape([batch, 1, n, 1]).repeat_dim(1, heads);
            scores = scores.mask_fill(padded, f32::NEG_INFINITY);
        }
        let pooled = softmax(scores, 2).swap_dims(2, 3).matmul(values);
        self.head.forward(pooled.reshape([batch, width]))
    }

    /// Network output for all examples, `[examples, n_outputs]`; computed in batches of `batch`.
    pub fn outputs(&self, tokens: &TokenSets, batch: usize, device: &Device) -> Tensor<2> {
        let all: Vec<usize> = (0..tokens.len()).collect();
        let batches = all.chunks(batch).map(|batch| {
            let (x, padded) = tokens.batch(batch, device);
            self.forward(x, padded)
        });
        Tensor::cat(batches.collect(), 0)
    }
}

#[cfg(test)]
mod tests {
    use brainmae_run::Seeds;

    use super::*;
    use crate::encoders::embedding::numbers;

    fn pooling(width: usize) -> Pooling {
        let rng = &mut Seeds::new(1).stream("pooling");
        Pooling::new(width, 2, rng, &Device::flex())
    }

    /// Two examples: one with three tokens and one with one token.
    fn tokens() -> TokenSets {
        TokenSets {
            width: 4,
            sets: vec![
                (0..12).map(|i| i as f32 / 7.0).collect(),
                vec![1.0, -1.0, 2.0, 0.5],
            ],
        }
    }

    #[test]
    fn what_fills_up_a_short_example_is_not_attended_to() {
        let (pooling, tokens) = (pooling(4), tokens());
        let device = Device::flex();
        let together = numbers(pooling.outputs(&tokens, 2, &device));
        for (example, outputs) in together.chunks_exact(2).enumerate() {
            let (x, padded) = tokens.batch(&[example], &device);
            assert!(padded.is_none());
            for (a, b) in numbers(pooling.forward(x, None)).iter().zip(outputs) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }

    #[test]
    fn the_order_of_tokens_does_not_matter_and_their_values_do() {
        let pooling = pooling(4);
        let said = |set: Vec<f32>| {
            let tokens = TokenSets {
                width: 4,
                sets: vec![set],
            };
            numbers(pooling.outputs(&tokens, 2, &Device::flex()))
        };
        let set: Vec<f32> = tokens().sets.remove(0);
        let turned = [&set[8..], &set[..8]].concat();
        let other: Vec<f32> = set.iter().map(|x| x + 1.0).collect();
        for ((a, b), c) in said(set).iter().zip(said(turned)).zip(said(other)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
            assert!((a - c).abs() > 1e-3, "{a} {c}");
        }
    }
}
