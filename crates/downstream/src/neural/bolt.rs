//! BolT: attention in overlapping windows whose fringe grows with the layer.

mod block;
mod windows;

use brainmae_model::LayerNorm;
use brainmae_model::init::Init;
use brainmae_train::Schedule;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::encoder_layer::NORM_EPS;
use super::recipe::Span;
use super::{Architecture, Batch, Needs, Noise, Paper, Recipe, Said, Sizes};
use block::FusedBlock;
use windows::Windows;

/// Sizes of the network; those of the paper by default.
///
/// ```text
/// tokens x_t = bold_t, one CLS token for every window
/// block      windowed attention, then feed-forward; a volume is the mean over its windows
/// out        = W mean_w norm(CLS_w)
/// ```
/// and the penalty `cross_window_weight * mean (CLS_w - mean_w CLS_w)^2` over the normed CLS
/// tokens.
///
/// # Source
/// Bedel et al. 2023, Medical Image Analysis 88:102841, arXiv 2205.11578, "BolT: Fused Window
/// Transformers for fMRI Time Series Analysis": section 2.1 (fused window attention, token fusion,
/// cross-window regularisation). Sizes and the weight of the penalty as released: windows of 20
/// volumes every 8, layer `l` (from 0) sees `24 l` volumes beyond each end, 36 heads of 20, a token
/// as wide as the atlas, crops of 600 volumes at 0.72 s for resting state. As released, the
/// feed-forward part is as wide as a token. Departures: volumes after the last whole window are
/// left out; if the input is shorter than a window, the window is the whole input.
#[derive(Clone, Debug)]
pub struct Bolt {
    /// Number of blocks.
    pub layers: usize,
    /// Heads per block.
    pub heads: usize,
    /// Width of a head.
    pub d_head: usize,
    /// Length of a window in volumes.
    pub window: usize,
    /// Distance between the starts of two windows, as a share of a window.
    pub stride: f64,
    /// Growth of the fringe from one layer to the next, as a share of the volumes of a window that
    /// the next window does not contain.
    pub fringe: f64,
    /// Dropout rate.
    pub dropout: f64,
    /// Weight of the cross-window penalty.
    pub cross_window_weight: f64,
}

impl Default for Bolt {
    fn default() -> Self {
        Self {
            layers: 4,
            heads: 36,
            d_head: 20,
            window: 20,
            stride: 0.4,
            fringe: 2.0,
            dropout: 0.1,
            cross_window_weight: 1.0,
        }
    }
}

/// Weights of a [`Bolt`].
#[derive(Module, Debug)]
pub struct BoltNetwork {
    cls: Param<Tensor<1>>,
    blocks: Vec<FusedBlock>,
    norm: LayerNorm,
    out: Linear,
    #[module(skip)]
    window: usize,
    #[module(skip)]
    stride: usize,
}

impl Architecture for Bolt {
    type Network = BoltNetwork;

    fn paper(&self) -> Paper {
        let recipe = Recipe {
            schedule: Schedule::OneCycle {
                start: 2e-4,
                peak: 4e-4,
                rise: 0.3,
                end: 2e-5,
            },
            crop: Some(Span::Secs(432.0)),
            ..Recipe::adam(4e-4, 32, 20)
        };
        Paper::new(
            "bolt",
            "Bedel et al. 2023, arXiv 2205.11578",
            Needs::BOLD,
            recipe,
        )
    }

    /// Scores of all heads in all windows of a batch take 20 GB; those of two examples take 1 GB.
    fn parts(&self) -> usize {
        16
    }

    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> BoltNetwork {
        let rois = sizes.n_rois;
        let window = self.window.min(sizes.n_volumes);
        let beyond = self.fringe * (1.0 - self.stride) * window as f64;
        BoltNetwork {
            cls: init.normal([rois], 1.0),
            blocks: (0..self.layers)
                .map(|layer| {
                    let fringe = (beyond * layer as f64).ceil() as usize;
                    FusedBlock::new(self, rois, window, fringe, init)
                })
                .collect(),
            norm: init.layer_norm(rois, NORM_EPS),
            out: init.linear(rois, sizes.n_outputs),
            window,
            stride: ((self.stride * window as f64) as usize).max(1),
        }
    }

    fn forward(&self, network: &BoltNetwork, batch: &Batch, noise: &mut Noise) -> Said {
        let volumes = batch.bold().swap_dims(1, 2); // [batch, time, rois]
        let [batch, time, rois] = volumes.dims();
        let windows = Windows::of(time, network.window, network.stride);
        let mut x = volumes.narrow(1, 0, windows.covered());
        let cls = network.cls.val().reshape([1, 1, rois]);
        let mut cls = cls.expand([batch, windows.count, rois]);
        for block in &network.blocks {
            (x, cls) = block.forward(x, cls, &windows, noise);
        }
        let cls = network.norm.forward(cls); // [batch, windows, rois]
        let mean = cls.clone().mean_dim(1);
        let penalty = cls
            .is_autodiff()
            .then(|| (cls - mean.clone()).square().mean() * self.cross_window_weight);
        Said {
            logits: network.out.forward(mean.squeeze_dim::<2>(1)),
            penalty,
        }
    }
}
