//! Region-aware graph attention: the attention weights depend on the ROI vectors, not on the
//! signal.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Bool, Tensor, TensorData, activation::softmax};
use rand::Rng;

use crate::init::Init;

/// Attention between ROIs, computed from their vectors `e_i`.
///
/// ```text
/// A_ij     = (W_q e_i)·(W_k e_j) / sqrt(d_h)     per head of width d_h; not symmetric
/// A_ii     = -inf                                unless self_loops
/// alpha_ij = softmax_j A_ij
/// y_i      = W_o concat_h( sum_j alpha_ij W_v x_j )
/// ```
/// The input does not influence `alpha`: one `[heads, rois, rois]` tensor serves a whole batch.
///
/// # Source
/// arXiv 2406.17086, region-aware graph attention. All four maps have a bias.
#[derive(Module, Debug)]
pub struct GraphAttention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    #[module(skip)]
    n_heads: usize,
    #[module(skip)]
    self_loops: bool,
}

impl GraphAttention {
    pub(crate) fn new<R: Rng>(
        d_model: usize,
        n_heads: usize,
        self_loops: bool,
        init: &mut Init<R>,
    ) -> Self {
        Self {
            q: init.linear(d_model, d_model),
            k: init.linear(d_model, d_model),
            v: init.linear(d_model, d_model),
            o: init.linear(d_model, d_model),
            n_heads,
            self_loops,
        }
    }

    /// Attention weights: row `i` holds the weight of every other ROI in the output of ROI `i`.
    ///
    /// # Shapes
    /// - `roi_vectors`: `[rois, d_model]`
    /// - returns `[heads, rois, rois]`, rows summing to 1
    pub fn alpha(&self, roi_vectors: Tensor<2>) -> Tensor<3> {
        let [rois, d_model] = roi_vectors.dims();
        let d_head = d_model / self.n_heads;
        let heads = |x: Tensor<2>| x.reshape([rois, self.n_heads, d_head]).swap_dims(0, 1);

        let q = heads(self.q.forward(roi_vectors.clone()));
        let k = heads(self.k.forward(roi_vectors));
        let score = q.matmul(k.swap_dims(1, 2)) * (d_head as f64).sqrt().recip();
        let score = if self.self_loops {
            score
        } else {
            let own: Vec<bool> = (0..rois * rois).map(|i| i / rois == i % rois).collect();
            let own =
                Tensor::<2, Bool>::from_data(TensorData::new(own, [rois, rois]), &score.device());
            score.mask_fill(own.unsqueeze::<3>(), f32::NEG_INFINITY)
        };
        softmax(score, 2)
    }

    /// Linear maps of the values and of the output.
    pub(crate) fn values(&self) -> [&Linear; 2] {
        [&self.v, &self.o]
    }

    pub(crate) fn n_heads(&self) -> usize {
        self.n_heads
    }
}
