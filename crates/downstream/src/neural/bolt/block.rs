//! A fused window transformer block.

use brainmae_model::LayerNorm;
use brainmae_model::init::Init;
use brainmae_ops::Bias;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Int, Tensor, TensorData, activation::gelu};
use rand_chacha::ChaCha8Rng;

use super::Bolt;
use super::windows::Windows;
use crate::neural::Noise;
use crate::neural::attention::{Attention, AttentionSizes};
use crate::neural::encoder_layer::NORM_EPS;

/// Standard deviation of the initial biases.
const BIAS_STD: f32 = 0.02;

/// Fused window attention and a feed-forward part, both with a residual.
///
/// ```text
/// y     = attention of [CLS_w, volumes of w] to [CLS_w, volumes of w and of its fringe],
///         both normed, with a learned bias
/// x_t  += mean over windows w with t of y_wt
/// CLS_w += y_w0
/// x    += W_2 gelu(W_1 norm(x)), and CLS likewise
/// ```
///
/// The bias of a score between two volumes depends on their distance. Scores with the CLS token
/// have separate biases.
#[derive(Module, Debug)]
pub struct FusedBlock {
    norm1: LayerNorm,
    attention: Attention,
    /// `[2 * farthest + 1, heads]`
    distance_bias: Param<Tensor<2>>,
    /// `[heads, 1, keys]`
    cls_asks_bias: Param<Tensor<3>>,
    /// `[heads, window, 1]`
    cls_asked_bias: Param<Tensor<3>>,
    /// `[heads, 1, 1]`
    cls_self_bias: Param<Tensor<3>>,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    #[module(skip)]
    window: usize,
    #[module(skip)]
    fringe: usize,
    #[module(skip)]
    dropout: f64,
}

impl FusedBlock {
    pub(super) fn new(
        sizes: &Bolt,
        d_model: usize,
        window: usize,
        fringe: usize,
        init: &mut Init<ChaCha8Rng>,
    ) -> Self {
        let heads = sizes.heads;
        let farthest = window - 1 + fringe;
        let attention = AttentionSizes {
            d_model,
            n_heads: heads,
            d_head: sizes.d_head,
            dropout: sizes.dropout,
        };
        Self {
            norm1: init.layer_norm(d_model, NORM_EPS),
            attention: Attention::new(attention, init),
            distance_bias: init.normal([2 * farthest + 1, heads], BIAS_STD),
            cls_asks_bias: init.normal([heads, 1, window + 2 * fringe], BIAS_STD),
            cls_asked_bias: init.normal([heads, window, 1], BIAS_STD),
            cls_self_bias: init.normal([heads, 1, 1], BIAS_STD),
            norm2: init.layer_norm(d_model, NORM_EPS),
            fc1: init.linear(d_model, d_model),
            fc2: init.linear(d_model, d_model),
            window,
            fringe,
            dropout: sizes.dropout,
        }
    }

    /// Learned bias of all scores, `[heads, 1 + window, 1 + window + 2 fringe]`.
    fn bias(&self) -> Tensor<3> {
        let table = self.distance_bias.val();
        let [_, heads] = table.dims();
        let (window, keys) = (self.window, self.window + 2 * self.fringe);
        // Key m is volume m - fringe of the window. The distance is largest from the last volume to
        // the first key.
        let distances: Vec<i64> = (0..window)
            .flat_map(|n| (0..keys).map(move |m| (n + keys - 1 - m) as i64))
            .collect();
        let distances = TensorData::new(distances, [window * keys]);
        let distances = Tensor::<1, Int>::from_data(distances, &table.device());
        let between = table
            .select(0, distances)
            .transpose()
            .reshape([heads, window, keys]);
        let cls = Tensor::cat(vec![self.cls_self_bias.val(), self.cls_asks_bias.val()], 2);
        let volumes = Tensor::cat(vec![self.cls_asked_bias.val(), between], 2);
        Tensor::cat(vec![cls, volumes], 1)
    }

    fn feed_forward(&self, x: Tensor<3>, noise: &mut Noise) -> Tensor<3> {
        let y = gelu(self.fc1.forward(self.norm2.forward(x.clone())));
        x + self.fc2.forward(noise.dropout(y, self.dropout))
    }

    /// # Shapes
    /// - `x`: `[batch, covered, d_model]`, volumes
    /// - `cls`: `[batch, windows, d_model]`
    /// - returns the new volumes and the new CLS tokens
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        cls: Tensor<3>,
        windows: &Windows,
        noise: &mut Noise,
    ) -> (Tensor<3>, Tensor<3>) {
        let [batch, _, d] = x.dims();
        let n = batch * windows.count;
        let own = |cls: Tensor<3>| {
            let [_, _, d] = cls.dims();
            cls.reshape([n, 1, d])
        };
        let (normed, normed_cls) = (
            self.norm1.forward(x.clone()),
            self.norm1.forward(cls.clone()),
        );

        // Keys and values of a volume are the same in all windows, so they are computed once.
        let (k, v) = self.attention.project(normed.clone());
        let (cls_k, cls_v) = self.attention.project(normed_cls.clone());
        let seen = |volumes, cls| Tensor::cat(vec![own(cls), windows.cut(volumes, self.fringe)], 1);
        let asking = Tensor::cat(vec![own(normed_cls), windows.cut(normed, 0)], 1);
        let device = x.device().without_autodiff();
        let bias = Bias {
            learned: self.bias(),
            hidden: windows.hidden(self.fringe, &device).repeat(&[batch, 1]),
        };
        let y = self
            .attention
            .attend(asking, seen(k, cls_k), seen(v, cls_v), Some(bias), noise);
        let y = noise.dropout(y, self.dropout);

        let cls = cls + y.clone().narrow(1, 0, 1).reshape([batch, windows.count, d]);
        let x = x + windows.fuse(y.narrow(1, 1, self.window));
        (self.feed_forward(x, noise), self.feed_forward(cls, noise))
    }
}
