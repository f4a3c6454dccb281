//! Optimiser: Adam or AdamW with weight decay on the weight matrices of linear maps, own learning
//! rates of parts of a model, and one norm limit for the whole gradient.

mod adam;

use std::collections::BTreeMap;

use brainmae_model::weights::parameters;
use brainmae_ops::{AdamStep, sum_of_squares};
use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Bytes, Tensor};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use adam::{Adam, Scale};

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
    /// Settings of the step of a parameter.
    fn step(&self, is_decayed: bool) -> AdamStep {
        let decay = if is_decayed { self.weight_decay } else { 0.0 };
        let (decay, penalty) = match self.method {
            Method::AdamW => (decay, 0.0),
            Method::Adam => (0.0, decay),
        };
        AdamStep {
            lr: 0.0,
            beta_1: self.beta_1 as f32,
            beta_2: self.beta_2 as f32,
            eps: self.eps as f32,
            decay: decay as f32,
            penalty: penalty as f32,
            time: 0,
        }
    }
}

/// Factor on the learning rate of the parameters whose paths begin with `prefix`.
#[derive(Clone, Debug, PartialEq)]
pub struct RateFactor {
    /// First names of the parameters, such as `encoder.`.
    pub prefix: String,
    /// Factor.
    pub factor: f64,
}

/// Optimiser with its state.
pub struct Optimizer {
    inner: ModuleOptimizer,
    clip_norm: f64,
    scale: Scale,
}

impl Optimizer {
    /// An optimiser for `model`, without state yet. Of several factors for one parameter the last
    /// one counts.
    pub fn new<M: Module>(config: &OptimizerConfig, factors: &[RateFactor], model: &M) -> Self {
        let scale = Scale::default();
        let group = |rate: f64, is_decayed: bool| Adam {
            settings: config.step(is_decayed),
            rate,
            scale: scale.clone(),
        };
        let mut inner = ModuleOptimizer::from(group(1.0, false));
        // Parameters by the bits of their rate, and whether they decay.
        let mut groups: BTreeMap<(u64, bool), Vec<String>> = BTreeMap::new();
        for parameter in parameters(model) {
            let mut own = factors.iter().rev();
            let own = own.find(|own| parameter.path.starts_with(&own.prefix));
            let is_decayed = match config.decayed {
                Decayed::WeightMatrices => parameter.is_linear_weight,
                Decayed::Everything => true,
            };
            let rate = own.map_or(1.0, |own| own.factor);
            let paths = groups.entry((rate.to_bits(), is_decayed)).or_default();
            paths.push(parameter.path);
        }
        for ((rate, is_decayed), paths) in groups {
            let group = group(f64::from_bits(rate), is_decayed);
            inner = inner.with_group(ParamGroup::from_paths(paths), group, None);
        }
        Self {
            inner,
            clip_norm: config.clip_norm,
            scale,
        }
    }

    /// Clips the gradient to `clip_norm` and takes a step. Returns the model and the norm before
    /// clipping, one element on the device. If that norm is not finite, the new weights are
    /// invalid.
    pub fn step<M: Module>(
        &mut self,
        lr: f64,
        model: M,
        gradients: GradientsParams,
    ) -> (M, Tensor<1>) {
        let norm = norm(&model, &gradients);
        // Exactly 1 if the norm is below the maximum.
        let factor = (norm.clone() / self.clip_norm).clamp_min(1.0).recip();
        self.scale.set(factor);
        (self.inner.step(lr, model, gradients), norm)
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
                self.sums.push(sum_of_squares(gradient));
            }
        }
    }
    let sums = Vec::new();
    let mut squares = Squares { gradients, sums };
    model.visit(&mut squares);
    Tensor::cat(squares.sums, 0).sum().sqrt()
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
