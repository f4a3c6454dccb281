//! Random initial weights from a named stream, so that every backend starts from the same numbers.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::layer_norm::LayerNorm;

/// Draws parameters on one device from one stream, in the order of the calls.
pub struct Init<'a, R: Rng> {
    /// Stream of random numbers.
    pub rng: &'a mut R,
    /// Device of the parameters.
    pub device: &'a Device,
}

impl<R: Rng> Init<'_, R> {
    /// Uniform values within ±`bound`.
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f32) -> Param<Tensor<D>> {
        let values = (0..shape.iter().product())
            .map(|_| self.rng.random_range(-bound..bound))
            .collect();
        self.values(shape, values)
    }

    /// Normal values with standard deviation `std`.
    pub fn normal<const D: usize>(&mut self, shape: [usize; D], std: f32) -> Param<Tensor<D>> {
        let values = (0..shape.iter().product())
            .map(|_| std * self.rng.sample::<f32, _>(StandardNormal))
            .collect();
        self.values(shape, values)
    }

    /// The given values, in row-major order.
    pub fn values<const D: usize>(
        &mut self,
        shape: [usize; D],
        values: Vec<f32>,
    ) -> Param<Tensor<D>> {
        Param::from_data(TensorData::new(values, shape), self.device)
    }

    /// A linear map with weights and bias uniform within `1 / sqrt(n_in)`, as PyTorch's default.
    pub fn linear(&mut self, n_in: usize, n_out: usize) -> Linear {
        let bound = (n_in as f32).sqrt().recip();
        Linear {
            weight: self.uniform([n_in, n_out], bound),
            bias: Some(self.uniform([n_out], bound)),
        }
    }

    /// As [`Init::linear`], but without bias.
    pub fn linear_without_bias(&mut self, n_in: usize, n_out: usize) -> Linear {
        Linear {
            weight: self.uniform([n_in, n_out], (n_in as f32).sqrt().recip()),
            bias: None,
        }
    }

    /// A layer norm over the last axis: scale 1, offset 0.
    pub fn layer_norm(&self, d_model: usize, eps: f64) -> LayerNorm {
        LayerNorm::new(d_model, eps, self.device)
    }
}
