//! STAGIN layer: graph isomorphism network, readout from ROIs to a graph, attention over time.

use brainmae_model::LayerNorm;
use brainmae_model::init::Init;
use brainmae_ops::{feed_forward, graph_linear, weighted_mean};
use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, sigmoid};
use rand_chacha::ChaCha8Rng;

use super::{Readout, Stagin};
use crate::neural::Noise;
use crate::neural::attention::{Attention, AttentionSizes};
use crate::neural::batch_norm::norm_relu;
use crate::neural::encoder_layer::NORM_EPS;
use crate::neural::linear::weights;

/// Weights of a layer.
#[derive(Module, Debug)]
pub struct StaginLayer {
    gin: Gin,
    readout: ReadoutNetwork,
    time: TimeTransformer,
}

impl StaginLayer {
    pub(super) fn new(sizes: &Stagin, n_rois: usize, init: &mut Init<ChaCha8Rng>) -> Self {
        let d = sizes.d_model;
        Self {
            gin: Gin::new(d, init),
            readout: match sizes.readout {
                Readout::Garo => ReadoutNetwork::Garo(Garo {
                    query: init.linear(d, d),
                    key: init.linear(d, d),
                    dropout: sizes.dropout,
                }),
                Readout::Sero => ReadoutNetwork::Sero(Sero {
                    embed: init.linear(d, d),
                    norm: BatchNormConfig::new(d).init(init.device),
                    attend: init.linear(d, n_rois),
                    dropout: sizes.dropout,
                }),
            },
            time: TimeTransformer::new(d, sizes.dropout, init),
        }
    }

    /// # Shapes
    /// - `h`, `graph`: `[batch * windows, rois, d_model]`, `[batch * windows, rois, rois]`
    /// - returns the next `h`, and the layer's vector of the scan, `[batch, d_model]`
    pub(super) fn forward(
        &self,
        h: Tensor<3>,
        graph: &Tensor<3>,
        batch: usize,
        noise: &mut Noise,
    ) -> (Tensor<3>, Tensor<2>) {
        let h = self.gin.forward(h, graph);
        let read = self.readout.forward(h.clone(), noise); // [batch * windows, d_model]
        let [n, d] = read.dims();
        let over_time = self
            .time
            .forward(read.reshape([batch, n / batch, d]), noise);
        (h, over_time.sum_dim(1).squeeze_dim(1))
    }
}

/// `MLP( (eps I + A) H )`
#[derive(Module, Debug)]
struct Gin {
    epsilon: Param<Tensor<1>>,
    fc1: Linear,
    norm1: BatchNorm,
    fc2: Linear,
    norm2: BatchNorm,
}

impl Gin {
    fn new(d: usize, init: &mut Init<ChaCha8Rng>) -> Self {
        Self {
            epsilon: init.values([1], vec![0.0]),
            fc1: init.linear(d, d),
            norm1: BatchNormConfig::new(d).init(init.device),
            fc2: init.linear(d, d),
            norm2: BatchNormConfig::new(d).init(init.device),
        }
    }

    fn forward(&self, h: Tensor<3>, graph: &Tensor<3>) -> Tensor<3> {
        let [n, rois, d] = h.dims();
        let x = graph_linear(h, graph.clone(), self.epsilon.val(), weights(&self.fc1));
        let x = norm_relu(&self.norm1, x.reshape([n * rois, d]), Some(&self.fc2));
        norm_relu(&self.norm2, x, None).reshape([n, rois, d])
    }
}

/// Readout from the vectors of ROIs to a vector of the graph: `mean_v z_v h_v`.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum ReadoutNetwork {
    /// `z = sigmoid( (W_k H) (W_q mean_v h_v) / sqrt(d) )`
    Garo(Garo),
    /// `z = sigmoid( W_2 gelu(norm(W_1 mean_v h_v)) )`
    Sero(Sero),
}

/// Weights of the graph-attention readout.
#[derive(Module, Debug)]
pub struct Garo {
    query: Linear,
    key: Linear,
    #[module(skip)]
    dropout: f64,
}

/// Weights of the squeeze-excitation readout.
#[derive(Module, Debug)]
pub struct Sero {
    embed: Linear,
    norm: BatchNorm,
    attend: Linear,
    #[module(skip)]
    dropout: f64,
}

impl ReadoutNetwork {
    /// `[n, rois, d_model]` to `[n, d_model]`.
    fn forward(&self, h: Tensor<3>, noise: &mut Noise) -> Tensor<2> {
        let [n, rois, d] = h.dims();
        let mean = h.clone().mean_dim(1).squeeze_dim::<2>(1); // [n, d_model]
        match self {
            Self::Garo(garo) => {
                // (W h_v + b) . q = h_v . W' q + b . q: keys of all ROIs are never computed.
                let query = garo.query.forward(mean) * (d as f64).sqrt().recip();
                let key = weights(&garo.key);
                let offset = (query.clone() * key.bias.unsqueeze::<2>()).sum_dim(1);
                let query = query.matmul(key.weight.transpose());
                let device = h.device().without_autodiff();
                let kept = noise.dropout(Tensor::<2>::ones([n, rois], &device), garo.dropout);
                weighted_mean(h, query, offset, kept)
            }
            Self::Sero(sero) => {
                let embedded = gelu(sero.norm.forward(sero.embed.forward(mean)));
                let worth = sigmoid(sero.attend.forward(embedded));
                let worth = noise.dropout(worth.unsqueeze_dim::<3>(1), sero.dropout);
                // [n, 1, rois] [n, rois, d_model]
                worth.matmul(h).squeeze_dim::<2>(1) / rois as f64
            }
        }
    }
}

/// `y = norm(attention(x))`, then `norm(y + W_2 relu(W_1 y))`, with one head.
#[derive(Module, Debug)]
pub struct TimeTransformer {
    attention: Attention,
    norm1: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    norm2: LayerNorm,
    #[module(skip)]
    dropout: f64,
}

impl TimeTransformer {
    fn new(d: usize, dropout: f64, init: &mut Init<ChaCha8Rng>) -> Self {
        let sizes = AttentionSizes {
            d_model: d,
            n_heads: 1,
            d_head: d,
            dropout: 0.0,
        };
        Self {
            attention: Attention::new(sizes, init),
            norm1: init.layer_norm(d, NORM_EPS),
            fc1: init.linear(d, 2 * d),
            fc2: init.linear(2 * d, d),
            norm2: init.layer_norm(d, NORM_EPS),
            dropout,
        }
    }

    /// `[batch, windows, d_model]` to the same.
    fn forward(&self, x: Tensor<3>, noise: &mut Noise) -> Tensor<3> {
        let y = self.attention.among(x, noise);
        let y = self.norm1.forward(noise.dropout(y, self.dropout));
        let dropout = noise.of_operator(self.dropout);
        let z = feed_forward(y.clone(), weights(&self.fc1), weights(&self.fc2), dropout);
        let z = noise.dropout(z, self.dropout);
        self.norm2.forward(y + z)
    }
}

/// `mean_n || triu( H H' / m - I ) ||` of `[n, rois, d_model]`, where `m` is the largest element of
/// each row of `H H'`: distance of the vectors of ROIs from orthogonality.
pub(super) fn orthogonality(h: Tensor<3>) -> Tensor<1> {
    brainmae_ops::orthogonality(h).mean()
}
