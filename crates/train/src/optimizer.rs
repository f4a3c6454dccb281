//! Optimiser: Adam or AdamW with weight decay on the weight matrices of linear maps, own learning
//! rates of parts of a model, and one norm limit for the whole gradient.

use std::collections::BTreeMap;

use brainmae_model::weights::parameters;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Bytes, Tensor};
use serde::{Deserialize, Serialize};

use crate::TrainError;

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
        let mut before = Before::default();
        model.visit(&mut before);
        let stepped = self.inner.step(lr, model, gradients);
        let mut shorten = Shorten {
            before: before.0,
            factors: &self.factors,
        };
        (stepped.map(&mut shorten), norm)
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

/// Weights before a step.
#[derive(Default)]
struct Before(GradientsParams);

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
mod tests {
    use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
    use burn::tensor::Device;

    use super::*;

    #[derive(Module, Debug)]
    struct Pair {
        linear: Linear,
        norm: LayerNorm,
    }

    fn pair() -> Pair {
        let device = Device::flex().autodiff();
        Pair {
            linear: LinearConfig::new(2, 2).init(&device),
            norm: LayerNormConfig::new(2).init(&device),
        }
    }

    fn gradients(pair: &Pair, value: f32) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        let device = Device::flex();
        gradients.register(
            pair.linear.weight.id,
            Tensor::<2>::full([2, 2], value, &device),
        );
        gradients.register(pair.norm.gamma.id, Tensor::<1>::full([2], value, &device));
        gradients
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn only_weight_matrices_decay() {
        let config = OptimizerConfig {
            weight_decay: 0.5,
            ..Default::default()
        };
        let before = pair();
        // With a zero gradient only weight decay changes weights.
        let zero = gradients(&before, 0.0);
        let (after, _) = Optimizer::new(&config, &[], &before).step(0.1, before.clone(), zero);
        for (a, b) in values(after.linear.weight.val())
            .iter()
            .zip(values(before.linear.weight.val()))
        {
            assert!((a - 0.95 * b).abs() < 1e-7);
        }
        assert_eq!(
            values(after.norm.gamma.val()),
            values(before.norm.gamma.val())
        );
    }

    #[test]
    fn everything_decays_where_that_is_asked_for() {
        let config = OptimizerConfig {
            weight_decay: 0.5,
            decayed: Decayed::Everything,
            ..Default::default()
        };
        let before = pair();
        let zero = gradients(&before, 0.0);
        let (after, _) = Optimizer::new(&config, &[], &before).step(0.1, before.clone(), zero);
        let gamma = values(after.norm.gamma.val());
        assert!(gamma.iter().all(|g| (g - 0.95).abs() < 1e-6), "{gamma:?}");
    }

    #[test]
    fn what_decays_by_default_is_no_part_of_a_written_config() {
        let written = serde_json::to_value(OptimizerConfig::default()).expect("JSON");
        assert_eq!(written.get("decayed"), None);
        let everything: OptimizerConfig =
            serde_json::from_str(r#"{"decayed": "everything"}"#).expect("a config");
        assert_eq!(everything.decayed, Decayed::Everything);
    }

    #[test]
    fn clipping_scales_the_whole_gradient_to_the_norm() {
        let pair = pair();
        let mut clipped = gradients(&pair, 2.0);
        pair.visit(&mut Scale {
            gradients: &mut clipped,
            factor: Tensor::from_data([0.25f32], &Device::flex()),
        });
        let weight = clipped
            .get::<2>(pair.linear.weight.id)
            .expect("still there");
        let gamma = clipped.get::<1>(pair.norm.gamma.id).expect("still there");
        assert_eq!(
            (values(weight), values(gamma)),
            (vec![0.5; 4], vec![0.5; 2])
        );
        assert_eq!(values(norm(&pair, &clipped)), [1.5f32.sqrt()]);
    }

    #[test]
    fn the_step_is_that_of_the_clipped_gradient() {
        // With a large eps a step is proportional to the gradient, which is clipped from norm
        // sqrt(24) to 1.
        let config = OptimizerConfig {
            eps: 1e6,
            weight_decay: 0.0,
            ..Default::default()
        };
        let before = pair();
        let moved = |clip_norm| {
            let config = OptimizerConfig {
                clip_norm,
                ..config.clone()
            };
            let gradients = gradients(&before, 2.0);
            let mut optimizer = Optimizer::new(&config, &[], &before);
            let (after, _) = optimizer.step(1e6, before.clone(), gradients);
            let difference = after.linear.weight.val() - before.linear.weight.val();
            values(difference.without_autodiff())[0]
        };
        let ratio = moved(1.0) / moved(100.0);
        assert!((ratio * 24f32.sqrt() - 1.0).abs() < 1e-3, "{ratio}");
    }

    #[test]
    fn the_norm_is_taken_over_all_parameters_before_clipping() {
        let pair = pair();
        let gradients = gradients(&pair, 2.0); // six values of 2: norm sqrt(24)
        let (_, norm) =
            Optimizer::new(&OptimizerConfig::default(), &[], &pair).step(0.1, pair, gradients);
        assert!((values(norm)[0] - 24f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn an_infinite_gradient_has_an_infinite_norm() {
        let pair = pair();
        let bad = gradients(&pair, f32::INFINITY);
        let mut optimizer = Optimizer::new(&OptimizerConfig::default(), &[], &pair);
        let (_, norm) = optimizer.step(0.1, pair, bad);
        assert!(values(norm)[0].is_infinite());
    }

    #[test]
    fn a_gradient_within_the_norm_stays_as_it_is() {
        let before = pair();
        let moved = |clip_norm| {
            let config = OptimizerConfig {
                clip_norm,
                ..Default::default()
            };
            let gradients = gradients(&before, 0.3);
            let (after, _) =
                Optimizer::new(&config, &[], &before).step(0.1, before.clone(), gradients);
            values(after.linear.weight.val())
        };
        assert_eq!(moved(1.0), moved(f64::from(f32::MAX)));
    }

    #[test]
    fn a_part_with_a_factor_moves_by_that_share() {
        let before = pair();
        let moved = |factors: &[RateFactor]| {
            let gradients = gradients(&before, 0.3);
            let mut optimizer = Optimizer::new(&OptimizerConfig::default(), factors, &before);
            let (after, _) = optimizer.step(0.1, before.clone(), gradients);
            let of = |a: Tensor<1>, b: Tensor<1>| values((a - b).without_autodiff());
            let flat = |pair: &Pair| pair.linear.weight.val().reshape([-1]);
            let linear = of(flat(&after), flat(&before));
            let gamma = of(after.norm.gamma.val(), before.norm.gamma.val());
            (linear, gamma)
        };
        let factor = RateFactor {
            prefix: "linear.".into(),
            factor: 0.25,
        };
        let ((linear, gamma), (shorter, same)) = (moved(&[]), moved(&[factor]));
        for (long, short) in linear.iter().zip(&shorter) {
            assert!((0.25 * long - short).abs() < 1e-6, "{long} {short}");
        }
        assert_eq!(gamma, same);
    }

    #[test]
    fn the_decay_of_adam_goes_through_its_moments() {
        let config = OptimizerConfig {
            weight_decay: 0.5,
            method: Method::Adam,
            ..Default::default()
        };
        let before = pair();
        let zero = gradients(&before, 0.0);
        let (after, _) = Optimizer::new(&config, &[], &before).step(0.1, before.clone(), zero);
        // The first step of Adam is the learning rate, with the sign of the gradient.
        let weights = values(before.linear.weight.val()).into_iter();
        for (a, b) in values(after.linear.weight.val()).into_iter().zip(weights) {
            assert!((a - (b - 0.1 * b.signum())).abs() < 1e-4, "{b} {a}");
        }
        assert_eq!(
            values(after.norm.gamma.val()),
            values(before.norm.gamma.val())
        );
    }
}
