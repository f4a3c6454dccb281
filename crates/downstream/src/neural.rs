//! Neural baselines, trained from random weights on the examples of a fold.
//!
//! An [`Architecture`] is a network with the settings of its paper. [`Neural`] trains all of them
//! in the same way: same targets, same class weights, same early stopping. Files have the names of
//! the networks in their papers.
//!
//! Read in this order: [`recipe`], [`batch`], [`noise`], [`trainer`], then the networks;
//! [`registry`](crate::registry) lists them.

mod attention;
pub mod batch;
mod batch_norm;
pub mod bnt;
pub mod bolt;
pub mod brainnetcnn;
mod encoder_layer;
pub mod fbnetgen;
mod fitted;
mod gru;
mod linear;
pub mod mean_mlp;
pub mod noise;
pub mod recipe;
pub mod stagin;
pub mod steps;
pub mod trainer;
pub mod transformer;

pub use batch::{Batch, Needs};
pub use noise::Noise;
pub use recipe::{Budget, Recipe, Scaling};
pub use trainer::Neural;

use brainmae_model::init::Init;
use burn::module::Module;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use crate::training::PARTS;

/// Largest number of examples that are computed at once outside of training.
const MOST_AT_ONCE: usize = 8;

/// Sizes of a network that depend on the data and the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// Number of ROIs of the atlas.
    pub n_rois: usize,
    /// Number of volumes in one input of the network.
    pub n_volumes: usize,
    /// dt in seconds.
    pub dt_secs: f64,
    /// Number of outputs for an example.
    pub n_outputs: usize,
}

/// A network and the training settings of its paper.
pub trait Architecture: Clone + Send + Sync + 'static {
    /// Weights of the network.
    type Network: Module;

    /// Publication of the network, with its settings.
    fn paper(&self) -> Paper;

    /// Number of parts of a batch that are computed apart: 1 for a network whose normalisation
    /// looks at the whole batch, many for a network that needs much memory.
    fn parts(&self) -> usize {
        PARTS
    }

    /// Number of examples that are computed at once outside of training: few, so that threads share
    /// a small set too.
    fn n_at_once(&self) -> usize {
        let part = self.paper().recipe.batch_size.div_ceil(self.parts());
        part.min(MOST_AT_ONCE)
    }

    /// Random weights.
    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> Self::Network;

    /// Network output for one batch.
    fn forward(&self, network: &Self::Network, batch: &Batch, noise: &mut Noise) -> Said;
}

/// Publication of a network, with the settings in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paper {
    /// Name of the network in experiment files and tables.
    pub name: &'static str,
    /// Publication.
    pub source: &'static str,
    /// Inputs that the network needs.
    pub needs: Needs,
    /// Training settings.
    pub recipe: Recipe,
}

impl Paper {
    /// A network by its name, publication, inputs and training settings.
    pub fn new(name: &'static str, source: &'static str, needs: Needs, recipe: Recipe) -> Self {
        Self {
            name,
            source,
            needs,
            recipe,
        }
    }
}

/// Network output for one batch.
#[derive(Clone, Debug)]
pub struct Said {
    /// `[batch, n_outputs]`: logits of classes, or a number in standard deviations from the
    /// training mean.
    pub logits: Tensor<2>,
    /// Term that the paper adds to the loss of a batch, multiplied by its weight.
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
