//! Adam and AdamW of one group of parameters, in one pass over each of them.

use std::sync::{Arc, Mutex, PoisonError};

use brainmae_ops::{AdamStep, adam};
use burn::optim::{AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Device, Tensor};

/// Scale of the gradients of a step, one element on the device; it is shared by all groups.
#[derive(Clone, Default)]
pub(super) struct Scale(Arc<Mutex<Option<Tensor<1>>>>);

impl Scale {
    /// The scale from now on.
    pub fn set(&self, factor: Tensor<1>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(factor);
    }

    fn get(&self, device: &Device) -> Tensor<1> {
        let factor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (factor.clone()).unwrap_or_else(|| Tensor::ones([1], device))
    }
}

/// Adam or AdamW with the settings of a group.
#[derive(Clone)]
pub(super) struct Adam {
    /// Settings; learning rate and time are those of the step.
    pub settings: AdamStep,
    /// Factor on the learning rate.
    pub rate: f64,
    /// Scale of the gradients.
    pub scale: Scale,
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, Option<AdamWState<D>>) {
        let state = state.map(|state| state.momentum);
        let time = 1 + state.as_ref().map_or(0, |state| state.time);
        let step = AdamStep {
            lr: lr * self.rate,
            time,
            ..self.settings
        };
        let factor = self.scale.get(&gradient.device());
        let moments = state.map(|state| [state.moment_1, state.moment_2]);
        let (weights, [first, second]) = adam(step, weights, gradient, factor, moments);
        let state = AdaptiveMomentumState::new(time, first, second);
        (weights, Some(AdamWState::new(state)))
    }

    fn to_device<const D: usize>(mut state: AdamWState<D>, device: &Device) -> AdamWState<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}
