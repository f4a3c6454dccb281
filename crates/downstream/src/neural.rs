//! Neural baselines: networks that are trained from nothing on the examples of a fold.
//!
//! An [`Architecture`] is a network and the settings of its paper; [`Neural`] trains any of them,
//! as it does every other: same targets, same weights of classes, same early stopping. Files are
//! named as the papers name their networks.
//!
//! Read in this order: [`recipe`], [`batch`], [`noise`], [`trainer`], then the networks;
//! [`registry`](crate::registry) lists them.

mod attention;
pub mod batch;
pub mod bnt;
pub mod bolt;
pub mod brainnetcnn;
mod encoder_layer;
pub mod fbnetgen;
mod fitted;
mod gru;
pub mod mean_mlp;
pub mod noise;
pub mod recipe;
pub mod stagin;
pub mod trainer;
pub mod transformer;

pub use batch::{Batch, Needs};
pub use noise::Noise;
pub use recipe::{Budget, Recipe};
pub use trainer::Neural;

use brainmae_model::init::Init;
use burn::module::Module;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

/// Sizes that the data and the target give a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// ROIs of the atlas.
    pub n_rois: usize,
    /// Volumes that the network sees at once.
    pub n_volumes: usize,
    /// Seconds from one volume to the next.
    pub dt_secs: f64,
    /// Numbers predicted for an example.
    pub n_outputs: usize,
}

/// A network, and how its paper trains it.
pub trait Architecture: Clone + Sync + 'static {
    /// Its weights.
    type Network: Module;

    /// Its name in an experiment file and in tables.
    fn name(&self) -> &'static str;

    /// Where it was published.
    fn source(&self) -> &'static str;

    /// Settings of its paper.
    fn recipe(&self) -> Recipe;

    /// What it looks at.
    fn needs(&self) -> Needs;

    /// Starting weights.
    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> Self::Network;

    /// What the network says of a batch.
    fn forward(&self, network: &Self::Network, batch: &Batch, noise: &mut Noise) -> Said;
}

/// What a network says of a batch.
#[derive(Clone, Debug)]
pub struct Said {
    /// `[batch, n_outputs]`: logits of classes, or a number in standard deviations from the
    /// training mean.
    pub logits: Tensor<2>,
    /// What the paper adds to the loss of a batch, with its weight.
    pub penalty: Option<Tensor<1>>,
}

impl From<Tensor<2>> for Said {
    fn from(logits: Tensor<2>) -> Self {
        Self {
            logits,
            penalty: None,
        }
    }
}

#[cfg(test)]
mod tests;
