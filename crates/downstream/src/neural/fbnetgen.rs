//! FBNetGen: a graph learned from signals, and graph convolutions of FC along it.

mod penalty;

use brainmae_model::init::Init;
use brainmae_ops::leaky_relu;
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use rand_chacha::ChaCha8Rng;

use super::gru::Gru;
use super::recipe::Span;
use super::{Architecture, Batch, Needs, Noise, Paper, Recipe, Said, Sizes};
pub use penalty::Penalties;

/// Slope of the activation for negative inputs.
const SLOPE: f64 = 0.2;

/// Sizes of the network; those of the paper by default.
///
/// ```text
/// h_v  = MLP( bidirectional GRU over pieces of bold_v )
/// A    = softmax(h) softmax(h)'
/// X    = FC, then three times X <- norm( MLP( A X ) )
/// out  = MLP( flatten( X ) )
/// ```
/// and penalties on A, see [`Penalties`].
///
/// # Source
/// Kan et al. 2022, arXiv 2205.12465, "FBNETGEN: Task-aware GNN-based fMRI analysis via functional
/// brain network generation": section 3.2 (GRU encoder), 3.3 (graph), 3.4 (predictor), 3.5
/// (losses). Sizes, dropout, optimiser and weights as released: pieces of 8 volumes, 4 recurrent
/// layers of 8 units, vectors of 8, at most 500 epochs. Departures: the released product of A and X
/// sums over the wrong axis; here it is the matrix product of the paper. The last state of each
/// direction is read, where the release reads both at the last piece. Mixup is not used. Only the
/// GRU encoder is available, not the convolutional one. Crops are 400 s long, where the paper uses
/// whole scans (ABCD: 1024 volumes at 0.8 s), because a GRU processes pieces one after another.
#[derive(Clone, Debug)]
pub struct FbNetGen {
    /// Length of a piece in volumes.
    pub piece: usize,
    /// Number of recurrent layers, each bidirectional.
    pub layers: usize,
    /// Width of an ROI's vector.
    pub embedding: usize,
    /// Dropout rate after the GRU.
    pub dropout: f64,
    /// Weights of the penalties.
    pub penalties: Penalties,
}

impl Default for FbNetGen {
    fn default() -> Self {
        Self {
            piece: 8,
            layers: 4,
            embedding: 8,
            dropout: 0.5,
            penalties: Penalties::default(),
        }
    }
}

/// Both directions of a recurrent layer.
#[derive(Module, Debug)]
struct Directions {
    forwards: Gru,
    backwards: Gru,
}

/// One graph convolution.
#[derive(Module, Debug)]
struct Step {
    fc1: Linear,
    fc2: Option<Linear>,
    norm: BatchNorm,
}

/// Weights of an [`FbNetGen`].
#[derive(Module, Debug)]
pub struct FbNetGenNetwork {
    gru: Vec<Directions>,
    embed1: Linear,
    embed2: Linear,
    steps: Vec<Step>,
    hidden: Vec<Linear>,
    out: Linear,
    #[module(skip)]
    piece: usize,
}

impl FbNetGenNetwork {
    /// Class probabilities of each ROI: `[batch, rois, time]` to `[batch, rois, embedding]`.
    fn encode(&self, bold: Tensor<3>, dropout: f64, noise: &mut Noise) -> Tensor<3> {
        let [batch, rois, time] = bold.dims();
        let pieces = time / self.piece;
        let mut x =
            bold.narrow(2, 0, pieces * self.piece)
                .reshape([batch * rois, pieces, self.piece]);
        for layer in &self.gru {
            x = layer.forwards.with_backwards(&layer.backwards, x);
        }
        // The last state of each direction: at the last piece, and at the first.
        let [_, _, width] = x.dims();
        let (forwards, backwards) = (x.clone().narrow(1, pieces - 1, 1), x.narrow(1, 0, 1));
        let forwards = forwards.narrow(2, 0, width / 2);
        let backwards = backwards.narrow(2, width / 2, width / 2);
        let last = Tensor::cat(vec![forwards, backwards], 2).squeeze_dim::<2>(1);
        let h = self.embed1.forward(noise.dropout(last, dropout));
        let h = self.embed2.forward(leaky_relu(h, SLOPE));
        softmax(h, 1).reshape([batch as i64, rois as i64, -1])
    }
}

impl Step {
    fn forward(&self, graph: &Tensor<3>, x: Tensor<3>, last: bool) -> Tensor<3> {
        let x = self.fc1.forward(graph.clone().matmul(x));
        let x = leaky_relu(x, SLOPE);
        let x = match &self.fc2 {
            Some(fc2) => fc2.forward(x),
            None => x,
        };
        let x = if last { leaky_relu(x, SLOPE) } else { x };
        let [batch, rois, d] = x.dims();
        let x = self.norm.forward(x.reshape([batch * rois, d]));
        x.reshape([batch, rois, d])
    }
}

impl Architecture for FbNetGen {
    type Network = FbNetGenNetwork;

    fn paper(&self) -> Paper {
        let recipe = Recipe {
            weight_decay: 1e-4,
            crop: Some(Span::Secs(400.0)),
            ..Recipe::adam(1e-4, 16, 500)
        };
        Paper::new(
            "fbnetgen",
            "Kan et al. 2022, arXiv 2205.12465",
            Needs::BOLD_AND_FC,
            recipe,
        )
    }

    fn parts(&self) -> usize {
        1
    }

    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> FbNetGenNetwork {
        let rois = sizes.n_rois;
        let piece = self.piece.min(sizes.n_volumes);
        let units = self.piece;
        let step = |n_in, n_middle, n_out: Option<usize>, init: &mut Init<ChaCha8Rng>| Step {
            fc1: init.linear(n_in, n_middle),
            fc2: n_out.map(|n_out| init.linear(n_middle, n_out)),
            norm: BatchNormConfig::new(n_out.unwrap_or(n_middle)).init(init.device),
        };
        FbNetGenNetwork {
            gru: (0..self.layers)
                .map(|layer| {
                    let n_in = if layer == 0 { piece } else { 2 * units };
                    Directions {
                        forwards: Gru::new(n_in, units, init),
                        backwards: Gru::new(n_in, units, init),
                    }
                })
                .collect(),
            embed1: init.linear(2 * units, units),
            embed2: init.linear(units, self.embedding),
            steps: vec![
                step(rois, rois, Some(rois), init),
                step(rois, rois, None, init),
                step(rois, 64, Some(8), init),
            ],
            hidden: vec![init.linear(8 * rois, 256), init.linear(256, 32)],
            out: init.linear(32, sizes.n_outputs),
            piece,
        }
    }

    fn forward(&self, network: &FbNetGenNetwork, batch: &Batch, noise: &mut Noise) -> Said {
        let kinds = network.encode(batch.bold(), self.dropout, noise);
        let graph = kinds.clone().matmul(kinds.swap_dims(1, 2)); // [batch, rois, rois]
        let mut x = batch.fc();
        for (i, step) in network.steps.iter().enumerate() {
            x = step.forward(&graph, x, i + 1 == network.steps.len());
        }
        let mut x = x.flatten::<2>(1, 2);
        for layer in &network.hidden {
            x = leaky_relu(layer.forward(x), SLOPE);
        }
        Said {
            logits: network.out.forward(x),
            penalty: graph
                .is_autodiff()
                .then(|| self.penalties.of(graph, batch.classes.clone())),
        }
    }
}
