//! meanMLP: one small network for all volumes, and the mean of its outputs.

use brainmae_model::LayerNorm;
use brainmae_model::init::Init;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::relu;
use rand_chacha::ChaCha8Rng;

use super::encoder_layer::NORM_EPS;
use super::{Architecture, Batch, Needs, Noise, Paper, Recipe, Said, Sizes};

/// Sizes of the network; those of the paper by default.
///
/// ```text
/// out = mean_t( W_2 dropout(relu(norm(W_1 bold_t))) )
/// ```
///
/// # Source
/// Popov et al. 2024, NeuroImage 303:120909, "A simple but tough-to-beat baseline for fMRI
/// time-series classification"; sizes, dropout, learning rate and early stopping as the authors
/// released them.
#[derive(Clone, Debug)]
pub struct MeanMlp {
    /// Units of the hidden layer.
    pub hidden: usize,
    /// Dropout rate of the hidden units.
    pub dropout: f64,
}

impl Default for MeanMlp {
    fn default() -> Self {
        Self {
            hidden: 160,
            dropout: 0.49,
        }
    }
}

/// Weights of a [`MeanMlp`].
#[derive(Module, Debug)]
pub struct MeanMlpNetwork {
    fc1: Linear,
    norm: LayerNorm,
    fc2: Linear,
}

impl Architecture for MeanMlp {
    type Network = MeanMlpNetwork;

    fn paper(&self) -> Paper {
        let recipe = Recipe::adam(5e-3, 64, 200);
        Paper::new(
            "mean-mlp",
            "Popov et al. 2024, doi:10.1016/j.neuroimage.2024.120909",
            Needs::BOLD,
            recipe,
        )
    }

    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> MeanMlpNetwork {
        MeanMlpNetwork {
            fc1: init.linear(sizes.n_rois, self.hidden),
            norm: init.layer_norm(self.hidden, NORM_EPS),
            fc2: init.linear(self.hidden, sizes.n_outputs),
        }
    }

    fn forward(&self, network: &MeanMlpNetwork, batch: &Batch, noise: &mut Noise) -> Said {
        let volumes = batch.bold().swap_dims(1, 2); // [batch, time, rois]
        let x = relu(network.norm.forward(network.fc1.forward(volumes)));
        // The last map is linear, so the mean over time may come first.
        let x = noise
            .dropout(x, self.dropout)
            .mean_dim(1)
            .squeeze_dim::<2>(1);
        network.fc2.forward(x).into()
    }
}
