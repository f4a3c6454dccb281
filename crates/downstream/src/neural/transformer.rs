//! Transformer over volumes.

use brainmae_model::init::Init;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use super::attention::AttentionSizes;
use super::encoder_layer::EncoderLayer;
use super::recipe::Span;
use super::{Architecture, Batch, Needs, Noise, Paper, Recipe, Said, Sizes};

/// Sizes of the network.
///
/// ```text
/// x_t = W bold_t + p(t)          p: sines and cosines of the index of the volume
/// out = W_o dropout( mean_t encoder layers( x )_t )
/// ```
///
/// # Source
/// Vaswani et al. 2017, arXiv 1706.03762, sections 3.1 and 3.5; sizes, dropout and learning rate of
/// "meanTransformer", a baseline of Popov et al. 2024 (NeuroImage 303:120909), as released.
/// Departures: the feed-forward part has four times the width of a token, where theirs has
/// PyTorch's 2048 units for a width of 80; crops are 300 s long, where theirs uses whole scans,
/// because attention grows with the square of the number of volumes.
#[derive(Clone, Debug)]
pub struct Transformer {
    /// Number of encoder layers.
    pub layers: usize,
    /// Heads per layer.
    pub heads: usize,
    /// Width of a head; an even number.
    pub d_head: usize,
    /// Dropout rate in encoder layers.
    pub dropout: f64,
    /// Dropout rate before the last map.
    pub head_dropout: f64,
}

impl Default for Transformer {
    fn default() -> Self {
        Self {
            layers: 2,
            heads: 4,
            d_head: 20,
            dropout: 0.1,
            head_dropout: 0.3,
        }
    }
}

/// Weights of a [`Transformer`].
#[derive(Module, Debug)]
pub struct TransformerNetwork {
    input: Linear,
    layers: Vec<EncoderLayer>,
    out: Linear,
}

/// `p(t)[2i] = sin(t / 10000^(2i / d_model))`, and `p(t)[2i + 1]` is the cosine:
/// `[1, time, d_model]`.
fn positions(time: usize, d_model: usize, device: &Device) -> Tensor<3> {
    let value = |t: usize, i: usize| {
        let angle = t as f64 / 10_000f64.powf((i - i % 2) as f64 / d_model as f64);
        if i.is_multiple_of(2) {
            angle.sin()
        } else {
            angle.cos()
        }
    };
    let values: Vec<f32> = (0..time)
        .flat_map(|t| (0..d_model).map(move |i| value(t, i) as f32))
        .collect();
    Tensor::from_data(TensorData::new(values, [1, time, d_model]), device)
}

impl Architecture for Transformer {
    type Network = TransformerNetwork;

    fn paper(&self) -> Paper {
        let recipe = Recipe {
            crop: Some(Span::Secs(300.0)),
            ..Recipe::adam(2e-3, 64, 200)
        };
        Paper::new(
            "transformer",
            "Vaswani et al. 2017, arXiv 1706.03762; sizes of Popov et al. 2024",
            Needs::BOLD,
            recipe,
        )
    }

    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> TransformerNetwork {
        let d_model = self.heads * self.d_head;
        let attention = AttentionSizes {
            d_model,
            n_heads: self.heads,
            d_head: self.d_head,
            dropout: self.dropout,
        };
        TransformerNetwork {
            input: init.linear(sizes.n_rois, d_model),
            layers: (0..self.layers)
                .map(|_| EncoderLayer::new(attention, 4 * d_model, init))
                .collect(),
            out: init.linear(d_model, sizes.n_outputs),
        }
    }

    fn forward(&self, network: &TransformerNetwork, batch: &Batch, noise: &mut Noise) -> Said {
        let x = network.input.forward(batch.bold().swap_dims(1, 2)); // [batch, time, d_model]
        let [_, time, d_model] = x.dims();
        let position = positions(time, d_model, &x.device());
        let mut x = noise.dropout(x + position, self.dropout);
        for layer in &network.layers {
            x = layer.forward(x, noise);
        }
        let x = x.mean_dim(1).squeeze_dim::<2>(1);
        network
            .out
            .forward(noise.dropout(x, self.head_dropout))
            .into()
    }
}
