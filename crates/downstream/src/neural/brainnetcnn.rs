//! BrainNetCNN: convolutions over the edges of a graph.

use brainmae_model::init::Init;
use brainmae_ops::{cross, leaky_relu};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::linear::weights;
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

    /// Rows and columns of one input filter, `[batch, rois, rois]` to `[batch, 2, rois, n_out]`.
    fn of_matrix(&self, edges: Tensor<3>) -> Tensor<4> {
        let sums = |edges: Tensor<3>, map: &Linear| edges.matmul(map.weight.val().unsqueeze::<3>());
        let row = sums(edges.clone(), &self.row);
        let column = sums(edges.swap_dims(1, 2), &self.column);
        let bias = weights(&self.column).bias.unsqueeze::<3>();
        Tensor::stack(vec![row, column + bias], 1)
    }

    /// Rows and columns of the edges `leaky_relu(row[i, m] + column[j, m])`, which are those of an
    /// edge-to-edge layer: `[batch, 2, rois, n_in]` to `[batch, 2, rois, n_out]`.
    fn of_arms(&self, arms: Tensor<4>) -> Tensor<4> {
        cross(arms, self.row.weight.val(), weights(&self.column), SLOPE)
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
        // The edges of a layer are sums of a row and a column, and only these are stored.
        let mut arms = None;
        for layer in network.e2e.iter().chain([&network.e2n]) {
            arms = Some(match arms {
                None => layer.of_matrix(batch.fc()),
                Some(arms) => layer.of_arms(arms),
            });
        }
        // Edge to node: out[n, i] = row[i, n] + column[i, n].
        let nodes = arms
            .expect("there is a layer")
            .sum_dim(1)
            .squeeze_dim::<3>(1);
        let nodes = leaky_relu(nodes, SLOPE);
        // Node to graph: out[n] = sum_m sum_i w[i, m, n] a[i, m].
        let graph = network.n2g.forward(nodes.flatten::<2>(1, 2));
        let graph = noise.dropout(leaky_relu(graph, SLOPE), self.dropout);
        let one = leaky_relu(network.dense[0].forward(graph), SLOPE);
        let two = network.dense[1].forward(noise.dropout(one, self.dropout));
        network.out.forward(leaky_relu(two, SLOPE)).into()
    }
}
