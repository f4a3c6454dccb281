//! Readout: the ROI tokens of a segment become its state.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use rand::Rng;

use crate::init::Init;
use crate::{BrainMaeConfig, ReadoutKind};

/// `R^{rois x d_model} -> R^{d_model}`.
///
/// `flatten`: one linear map of all values. `roi_weighted`: `z = W ( sum_i u_i ∘ x_i ) + b`, where
/// `u` is learned and starts at `1 / rois`.
#[derive(Module, Debug)]
pub struct Readout {
    roi_weight: Option<Param<Tensor<2>>>,
    linear: Linear,
}

impl Readout {
    pub(crate) fn new<R: Rng>(config: &BrainMaeConfig, n_rois: usize, init: &mut Init<R>) -> Self {
        let d = config.d_model;
        match config.readout {
            ReadoutKind::Flatten => Self {
                roi_weight: None,
                linear: init.linear(n_rois * d, d),
            },
            ReadoutKind::RoiWeighted => {
                let start = vec![1.0 / n_rois as f32; n_rois * d];
                Self {
                    roi_weight: Some(init.values([n_rois, d], start)),
                    linear: init.linear(d, d),
                }
            }
        }
    }

    /// Maps `[m, rois, d_model]` to `[m, d_model]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let [m, rois, d_model] = x.dims();
        let x = match &self.roi_weight {
            None => x.reshape([m, rois * d_model]),
            Some(u) => (x * u.val().unsqueeze::<3>())
                .sum_dim(1)
                .reshape([m, d_model]),
        };
        self.linear.forward(x)
    }
}
