//! Optimiser: Adam or AdamW with weight decay on the weight matrices of linear maps, own learning
//! rates of parts of a model, and one norm limit for the whole gradient.

mod rate_factor;

use std::collections::BTreeMap;

use brainmae_model::weights::parameters;
use burn::module::{Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Bytes, Tensor};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use rate_factor::Before;
pub use rate_factor::RateFactor;

/// Parameters with weight decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decayed {
    /// Weight matrices of linear maps; norms, biases, ROI vectors, ROI weights and tokens have no
    /// weight decay.
    #[default]
    WeightMatrices,
    /// All parameters.
    Everything,
}

impl Decayed {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Place of the weight decay in Adam.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Weights shrink by themselves (AdamW).
    #[default]
    AdamW,
    /// The decay is added to the gradient (Adam with an L2 penalty).
    Adam,
}

/// Settings of [`Optimizer`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Decay rate of the first moment.
    pub beta_1: f64,
    /// Decay rate of the second moment.
    pub beta_2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Weight decay of the parameters in `decayed`.
    pub weight_decay: f64,
    /// Parameters with weight decay.
    #[serde(skip_serializing_if = "Decayed::is_default")]
    pub decayed: Decayed,
    /// Maximum norm of the whole gradient; infinite for a gradient that is not clipped.
    pub clip_norm: f64,
    /// Place of the weight decay.
    #[serde(skip)]
    pub method: Method,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.95,
            eps: 1e-8,
            weight_decay: 0.05,
            decayed: Decayed::default(),
            clip_norm: 1.0,
            method: Method::default(),
        }
    }
}

impl OptimizerConfig {
    fn adamw(&self, weight_decay: f64) -> AdamWConfig {
        AdamWConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_epsilon(self.eps as f32)
            .with_weight_decay(weight_decay as f32)
    }

    fn adam(&self, weight_decay: f64) -> AdamConfig {
        let decay = (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay as f32));
        AdamConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_epsilon(self.eps as f32)
            .with_weight_decay(decay)
    }
}

/// Optimiser with its state.
pub struct Optimizer {
    inner: ModuleOptimizer,
    clip_norm: f64,
    /// Factors of the parameters that have one.
    factors: BTreeMap<ParamId, f64>,
}

impl Optimizer {
    /// An optimiser for `model`, without state yet. Of several factors for one parameter the last
    /// one counts.
    pub fn new<M: Module>(config: &OptimizerConfig, factors: &[RateFactor], model: &M) -> Self {
        let all = parameters(model);
        let factor_of = |path: &str| {
            let mut own = factors.iter().rev();
            let own = own.find(|own| path.starts_with(&own.prefix));
            own.map(|own| own.factor)
        };
        let factors = all
            .iter()
            .filter_map(|parameter| Some((parameter.id, factor_of(&parameter.path)?)))
            .collect();
        let decayed: Vec<String> = all
            .into_iter()
            .filter(|parameter| match config.decayed {
                Decayed::WeightMatrices => parameter.is_linear_weight,
                Decayed::Everything => true,
            })
            .map(|parameter| parameter.path)
            .collect();
        let (group, decay) = (ParamGroup::from_paths(decayed), config.weight_decay);
        let inner = match config.method {
            Method::AdamW => {
                let base = config.adamw(0.0).init();
                base.with_group(group, config.adamw(decay).build(), None)
            }
            Method::Adam => {
                let base = config.adam(0.0).init();
                base.with_group(group, config.adam(decay).build(), None)
            }
        };
        Self {
            inner,
            clip_norm: config.clip_norm,
            factors,
        }
    }

    /// Clips the gradient to `clip_norm` and takes a step. Returns the model and the norm before
    /// clipping, one element on the device. If that norm is not finite, the new weights are
    /// invalid.
    pub fn step<M: Module>(
        &mut self,
        lr: f64,
        model: M,
        mut gradients: GradientsParams,
    ) -> (M, Tensor<1>) {
        let norm = norm(&model, &gradients);
        model.visit(&mut Scale {
            gradients: &mut gradients,
            // Exactly 1 if the norm is below the maximum.
            factor: (norm.clone() / self.clip_norm).clamp_min(1.0).recip(),
        });
        if self.factors.is_empty() {
            return (self.inner.step(lr, model, gradients), norm);
        }
        let before = Before::of(&model);
        let stepped = self.inner.step(lr, model, gradients);
        (before.scale_step(stepped, &self.factors), norm)
    }

    /// Serialised state, for [`Optimizer::load`].
    ///
    /// # Errors
    /// [`TrainError::OptimizerState`] if the state cannot be serialised.
    pub fn save(&self) -> Result<Vec<u8>, TrainError> {
        let bytes = self
            .inner
            .into_bytes()
            .map_err(|e| unreadable("memory", e))?;
        Ok(bytes.to_vec())
    }

    /// This optimiser with a saved state; `place` is its path, for the error.
    ///
    /// # Errors
    /// [`TrainError::OptimizerState`] if `bytes` are not a valid state.
    pub fn load(self, bytes: Vec<u8>, place: &str) -> Result<Self, TrainError> {
        let bytes = Bytes::from_bytes_vec(bytes);
        let inner = self
            .inner
            .from_bytes(bytes)
            .map_err(|e| unreadable(place, e))?;
        Ok(Self { inner, ..self })
    }
}

fn unreadable(place: &str, problem: impl ToString) -> TrainError {
    TrainError::OptimizerState {
        path: place.to_string(),
        problem: problem.to_string(),
    }
}

/// Norm over all parameters, one element.
fn norm<M: Module>(model: &M, gradients: &GradientsParams) -> Tensor<1> {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sums: Vec<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                self.sums.push(gradient.square().sum());
            }
        }
    }
    let sums = Vec::new();
    let mut squares = Squares { gradients, sums };
    model.visit(&mut squares);
    Tensor::cat(squares.sums, 0).sum().sqrt()
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    /// Scale of the gradient, one element.
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let factor = self.factor.clone().reshape([1; D]);
            self.gradients.register(param.id, gradient * factor);
        }
    }
}

/// `sum += weight * gradients`, for each parameter.
pub(crate) fn add_gradients<M: Module>(
    model: &M,
    sum: &mut GradientsParams,
    mut gradients: GradientsParams,
    weight: f64,
) {
    struct Add<'a> {
        sum: &'a mut GradientsParams,
        gradients: &'a mut GradientsParams,
        weight: f64,
    }
    impl ModuleVisitor for Add<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Some(gradient) = self.gradients.remove::<D>(param.id) else {
                return;
            };
            let mut gradient = gradient * self.weight;
            if let Some(sum) = self.sum.remove::<D>(param.id) {
                gradient = sum + gradient;
            }
            self.sum.register(param.id, gradient);
        }
    }
    model.visit(&mut Add {
        sum,
        gradients: &mut gradients,
        weight,
    });
}

#[cfg(test)]
mod tests;
