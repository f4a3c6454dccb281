//! Exponential moving average of a model's weights over the steps of a training.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// Average of the weights after each step, without autodiff.
///
/// After step `t`, counted from 1, `average = m average + (1 - m) weights` with
/// `m = min(decay, (1 + t) / (10 + t))`, so that the random weights at the start fade soon.
#[derive(Clone, Debug)]
pub struct Average<M> {
    decay: f64,
    model: M,
}

impl<M: Module> Average<M> {
    /// The average before the first step, or after the last one of an earlier run: `model`, which
    /// has no autodiff.
    pub fn new(decay: f64, model: M) -> Self {
        Self { decay, model }
    }

    /// The averaged model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Adds the weights of `model` after `step` steps.
    pub fn add(&mut self, model: &M, step: u64) {
        let step = step as f64;
        let kept = self.decay.min((1.0 + step) / (10.0 + step));
        let mut weights = Weights::default();
        model.visit(&mut weights);
        let average = self.model.clone();
        self.model = average.map(&mut Mix {
            kept,
            weights: weights.0,
        });
    }
}

/// The weights of a model by identity, each as a vector without autodiff.
#[derive(Default)]
struct Weights(BTreeMap<ParamId, Tensor<1>>);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val().without_autodiff();
        let n = value.shape().num_elements();
        self.0.insert(param.id, value.reshape([n]));
    }
}

struct Mix {
    kept: f64,
    weights: BTreeMap<ParamId, Tensor<1>>,
}

impl ModuleMapper for Mix {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(new) = self.weights.remove(&param.id) else {
            return param;
        };
        let kept = self.kept;
        param.map(|average| {
            let new = new.reshape(average.shape());
            average * kept + new * (1.0 - kept)
        })
    }
}
