//! STAGIN: graph isomorphism networks on windows of functional connectivity, with attention over
//! ROIs and over time.

mod layer;
mod window_graph;

use brainmae_model::init::Init;
use brainmae_train::Schedule;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Tensor, s};
use rand_chacha::ChaCha8Rng;

use super::gru::Gru;
use super::recipe::Span;
use super::{Architecture, Batch, Needs, Noise, Paper, Recipe, Said, Sizes};
use layer::StaginLayer;
pub use layer::{ReadoutNetwork, TimeTransformer};

/// Sizes of the network; those of the paper by default.
///
/// ```text
/// A(t)    = 1 where the correlation of window t is among its largest 30 %, 0 elsewhere;
///           1 on the diagonal
/// eta(t)  = GRU(bold up to the end of window t)
/// H0_v(t) = W [e_v, eta(t)]                             e_v: vector of ROI v
/// Hk      = MLP( (eps I + A(t)) Hk-1 )                  two linear maps with batch norm and ReLU
/// hk(t)   = mean_v z_v(t) Hk_v(t)                       z: readout with attention
/// out     = sum_k L_k sum_t transformer( hk )(t)
/// ```
/// and the penalty `ortho_weight * sum_k mean_t || triu( Hk Hk' / m - I ) ||`, where `m` is the
/// largest element of each row of `Hk Hk'`.
///
/// # Source
/// Kim et al. 2021, arXiv 2105.13495, "Learning dynamic graph representation of brain connectome
/// with spatio-temporal attention": section 3.1 (dynamic graph, timestamps), 3.2 (GIN, equations of
/// GARO and SERO), 3.3 (time), orthogonality at the end of 3.2; settings of section 4.1 for resting
/// state. Windows of 50 volumes every 3 and crops of 600 volumes at a TR of 0.72 s are given in
/// seconds here. As the authors released it: the readout is a mean where the paper writes a
/// product, time attention has no residual, and the penalty is a mean over windows of the upper
/// triangle, with each row divided by its own maximum (`model.py` of egyptdj/stagin), where the
/// paper divides by the maximum of the matrix. Departures: dropout before `L_k` and not after it,
/// where it would erase outputs; a maximum has a lower limit of 1e-6, because an ROI whose vector
/// is 0 has none.
#[derive(Clone, Debug)]
pub struct Stagin {
    /// Readout from ROIs to a graph.
    pub readout: Readout,
    /// Length of a window; the whole input if that is shorter.
    pub window: Span,
    /// Distance between the starts of two windows.
    pub stride: Span,
    /// Share of the pairs of ROIs that are neighbours.
    pub density: f64,
    /// Number of layers.
    pub layers: usize,
    /// Width of an ROI's vector.
    pub d_model: usize,
    /// Dropout rate in readouts and in the attention over time.
    pub dropout: f64,
    /// Dropout rate before the last maps.
    pub head_dropout: f64,
    /// Weight of the orthogonality penalty.
    pub ortho_weight: f64,
}

/// Attention over ROIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readout {
    /// Graph attention: the mean vector is the query, ROIs are the keys.
    Garo,
    /// Squeeze and excitation: the weights of ROIs are a function of the mean vector.
    Sero,
}

impl Stagin {
    /// The network of the paper, with this readout.
    pub fn new(readout: Readout) -> Self {
        Self {
            readout,
            window: Span::Secs(36.0),
            stride: Span::Secs(2.16),
            density: 0.3,
            layers: 4,
            d_model: 128,
            dropout: 0.1,
            head_dropout: 0.5,
            ortho_weight: 1e-5,
        }
    }
}

/// Weights of a [`Stagin`].
#[derive(Module, Debug)]
pub struct StaginNetwork {
    timestamp: Gru,
    initial: Linear,
    layers: Vec<StaginLayer>,
    heads: Vec<Linear>,
    #[module(skip)]
    window: usize,
    #[module(skip)]
    stride: usize,
}

impl Architecture for Stagin {
    type Network = StaginNetwork;

    fn paper(&self) -> Paper {
        let name = match self.readout {
            Readout::Garo => "stagin-garo",
            Readout::Sero => "stagin-sero",
        };
        let recipe = Recipe {
            schedule: Schedule::OneCycle {
                start: 5e-4,
                peak: 1e-3,
                rise: 0.2,
                end: 5e-7,
            },
            crop: Some(Span::Secs(432.0)),
            ..Recipe::adam(1e-3, 3, 30)
        };
        Paper::new(
            name,
            "Kim et al. 2021, arXiv 2105.13495",
            Needs::BOLD,
            recipe,
        )
    }

    fn parts(&self) -> usize {
        1
    }

    /// The windows of one scan fit into a cache.
    fn n_at_once(&self) -> usize {
        1
    }

    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> StaginNetwork {
        let (rois, d) = (sizes.n_rois, self.d_model);
        StaginNetwork {
            timestamp: Gru::new(rois, d, init),
            initial: init.linear(rois + d, d),
            layers: (0..self.layers)
                .map(|_| StaginLayer::new(self, rois, init))
                .collect(),
            heads: (0..self.layers)
                .map(|_| init.linear(d, sizes.n_outputs))
                .collect(),
            window: self.window.volumes(sizes.dt_secs).min(sizes.n_volumes),
            stride: self.stride.volumes(sizes.dt_secs),
        }
    }

    fn forward(&self, network: &StaginNetwork, batch: &Batch, noise: &mut Noise) -> Said {
        let bold = batch.bold();
        let [batch, rois, _] = bold.dims();
        let (window, stride) = (network.window, network.stride);
        let graph = window_graph::neighbours(bold.clone(), window, stride, self.density);
        let windows = graph.dims()[0] / batch;

        let states = network.timestamp.forward(bold.swap_dims(1, 2)); // [batch, time, d]
        let d = self.d_model;
        let last = (windows - 1) * stride + window;
        let ends = states.slice(s![.., window - 1..last;stride as isize, ..]);

        // W [e_v, eta] is row v of the first rows of W, plus the other rows applied to eta.
        let weight = network.initial.weight.val();
        let roi = weight.clone().narrow(0, 0, rois).unsqueeze_dim::<3>(0); // [1, rois, d]
        let eta = ends.reshape([batch * windows, d]);
        let eta = eta.matmul(weight.narrow(0, rois, d)).unsqueeze_dim::<3>(1);
        let bias = network.initial.bias.as_ref().map(|bias| bias.val());
        let mut h = roi + eta; // [batch * windows, rois, d]
        if let Some(bias) = bias {
            h = h + bias.unsqueeze::<3>();
        }

        let mut logits: Option<Tensor<2>> = None;
        let mut penalty: Option<Tensor<1>> = None;
        for (layer, head) in network.layers.iter().zip(&network.heads) {
            let seen;
            (h, seen) = layer.forward(h, &graph, batch, noise);
            let said = head.forward(noise.dropout(seen, self.head_dropout));
            logits = Some(match logits {
                Some(logits) => logits + said,
                None => said,
            });
            // The penalty costs as much as a layer and is needed in training alone.
            if h.is_autodiff() {
                let ortho = layer::orthogonality(h.clone()) * self.ortho_weight;
                penalty = Some(match penalty {
                    Some(penalty) => penalty + ortho,
                    None => ortho,
                });
            }
        }
        Said {
            logits: logits.expect("there is a layer"),
            penalty,
        }
    }
}
