//! Factors on the learning rates of parts of a model.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Factor on the learning rate of the parameters whose paths begin with `prefix`.
#[derive(Clone, Debug, PartialEq)]
pub struct RateFactor {
    /// First names of the parameters, such as `encoder.`.
    pub prefix: String,
    /// Factor.
    pub factor: f64,
}

/// Weights before a step.
#[derive(Default)]
pub(super) struct Before(GradientsParams);

impl Before {
    /// The weights of `model`.
    pub fn of<M: Module>(model: &M) -> Self {
        let mut before = Self::default();
        model.visit(&mut before);
        before
    }

    /// `after`, whose parameters with a factor have gone that share of their step.
    pub fn scale_step<M: Module>(self, after: M, factors: &BTreeMap<ParamId, f64>) -> M {
        after.map(&mut Shorten {
            before: self.0,
            factors,
        })
    }
}

impl ModuleVisitor for Before {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val().without_autodiff());
    }
}

/// Scales the step of each parameter that has a factor. The step of Adam is proportional to its
/// learning rate, so this is a learning rate of its own.
struct Shorten<'a> {
    before: GradientsParams,
    factors: &'a BTreeMap<ParamId, f64>,
}

impl ModuleMapper for Shorten<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let before = self.before.remove::<D>(param.id);
        let (Some(before), Some(factor)) = (before, self.factors.get(&param.id)) else {
            return param;
        };
        let factor = *factor;
        param.map(|after| {
            let (is_autodiff, is_trained) = (after.is_autodiff(), after.is_require_grad());
            let step = after.without_autodiff() - before.clone();
            let shortened = before + step * factor;
            match is_autodiff {
                true => shortened.autodiff().set_require_grad(is_trained),
                false => shortened,
            }
        })
    }
}
