//! BrainNetCNN: convolutions over the edges of a graph.

use brainmae_model::init::Init;
use brainmae_ops::leaky_relu;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::{Architecture, Batch, Needs, Noise, Paper, Recipe, Said, Sizes};

/// Slope of the activation for negative inputs.
const SLOPE: f64 = 0.33;

/// Sizes of the network; those of the paper by default.
///
/// # Source
/// Kawahara et al. 2017, NeuroImage 146:1038, "BrainNetCNN: Convolutional neural networks for brain
/// networks", section 2.2 and figure 2 ("E2Enet": two edge-to-edge layers). Departures: Adam at
/// 1e-4 with decay 1e-4, 16 examples per step and at most 200 epochs, as in the comparison of arXiv
/// 2210.06681, where the paper uses momentum at 0.01; the number of outputs is that of the target.
#[derive(Clone, Debug)]
pub struct BrainNetCnn {
    /// Filters of each edge-to-edge layer.
    pub e2e: Vec<usize>,
    /// Filters of the edge-to-node layer.
    pub e2n: usize,
    /// Filters of the node-to-graph layer.
    pub n2g: usize,
    /// Units of the fully connected layers.
    pub dense: [usize; 2],
    /// Dropout rate after the node-to-graph layer and after the first fully connected layer.
    pub dropout: f64,
}

impl Default for BrainNetCnn {
    fn default() -> Self {
        Self {
            e2e: vec![32, 32],
            e2n: 64,
            n2g: 256,
            dense: [128, 30],
            dropout: 0.5,
        }
    }
}

/// Weighted sums over the edges of each row and of each column.
///
/// ```text
/// row[i, n]    = sum_m sum_k r[k, m, n] A[m, i, k]
/// column[j, n] = sum_m sum_k c[k, m, n] A[m, k, j] + b[n]
/// ```
#[derive(Module, Debug)]
pub struct Cross {
    row: Linear,
    column: Linear,
}

impl Cross {
    fn new(n_rois: usize, n_in: usize, n_out: usize, init: &mut Init<ChaCha8Rng>) -> Self {
        Self {
            row: init.linear_without_bias(n_in * n_rois, n_out),
            column: init.linear(n_in * n_rois, n_out),
        }
    }

    /// `edges`: `[batch, n_in, rois, rois]`; returns rows and columns, `[batch, rois, n_out]` each.
    ///
    /// Each is a product for every input filter, and the sum over filters.
    fn arms(&self, edges: Tensor<4>) -> [Tensor<3>; 2] {
        let [_, n_in, rois, _] = edges.dims();
        let sums = |edges: Tensor<4>, map: &Linear| {
            let weight = map.weight.val();
            let [_, n_out] = weight.dims();
            let sums = edges.matmul(weight.reshape([1, n_in, rois, n_out]));
            let sums = sums.sum_dim(1).squeeze_dim::<3>(1);
            match &map.bias {
                Some(bias) => sums + bias.val().unsqueeze::<3>(),
                None => sums,
            }
        };
        let row = sums(edges.clone(), &self.row);
        [row, sums(edges.swap_dims(2, 3), &self.column)]
    }

    /// Edge to edge: `out[n, i, j] = row[i, n] + column[j, n]`, `[batch, n_out, rois, rois]`.
    fn edges(&self, edges: Tensor<4>) -> Tensor<4> {
        let [row, column] = self.arms(edges).map(|arm| arm.swap_dims(1, 2));
        row.unsqueeze_dim::<4>(3) + column.unsqueeze_dim::<4>(2)
    }

    /// Edge to node: `out[n, i] = row[i, n] + column[i, n]`, `[batch, rois, n_out]`.
    fn nodes(&self, edges: Tensor<4>) -> Tensor<3> {
        let [row, column] = self.arms(edges);
        row + column
    }
}

/// Weights of a [`BrainNetCnn`].
#[derive(Module, Debug)]
pub struct BrainNetCnnNetwork {
    e2e: Vec<Cross>,
    e2n: Cross,
    n2g: Linear,
    dense: Vec<Linear>,
    out: Linear,
}

impl Architecture for BrainNetCnn {
    type Network = BrainNetCnnNetwork;

    fn paper(&self) -> Paper {
        let recipe = Recipe {
            weight_decay: 1e-4,
            ..Recipe::adam(1e-4, 16, 200)
        };
        Paper::new(
            "brainnetcnn",
            "Kawahara et al. 2017, doi:10.1016/j.neuroimage.2016.09.046",
            Needs::FC,
            recipe,
        )
    }

    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> BrainNetCnnNetwork {
        let rois = sizes.n_rois;
        let mut n_in = 1;
        let mut e2e = Vec::new();
        for &n_out in &self.e2e {
            e2e.push(Cross::new(rois, n_in, n_out, init));
            n_in = n_out;
        }
        let [one, two] = self.dense;
        BrainNetCnnNetwork {
            e2e,
            e2n: Cross::new(rois, n_in, self.e2n, init),
            n2g: init.linear(rois * self.e2n, self.n2g),
            dense: vec![init.linear(self.n2g, one), init.linear(one, two)],
            out: init.linear(two, sizes.n_outputs),
        }
    }

    fn forward(&self, network: &BrainNetCnnNetwork, batch: &Batch, noise: &mut Noise) -> Said {
        let mut edges = batch.fc().unsqueeze_dim::<4>(1);
        for layer in &network.e2e {
            edges = leaky_relu(layer.edges(edges), SLOPE);
        }
        let nodes = leaky_relu(network.e2n.nodes(edges), SLOPE);
        // Node to graph: out[n] = sum_m sum_i w[i, m, n] a[i, m].
        let graph = network.n2g.forward(nodes.flatten::<2>(1, 2));
        let graph = noise.dropout(leaky_relu(graph, SLOPE), self.dropout);
        let one = leaky_relu(network.dense[0].forward(graph), SLOPE);
        let two = network.dense[1].forward(noise.dropout(one, self.dropout));
        network.out.forward(leaky_relu(two, SLOPE)).into()
    }
}
