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

/// Weights before and after a step of 0.1 with a zero gradient: only weight decay changes them.
fn decay(config: &OptimizerConfig) -> (Pair, Pair) {
    let before = pair();
    let zero = gradients(&before, 0.0);
    let (after, _) = Optimizer::new(config, &[], &before).step(0.1, before.clone(), zero);
    (before, after)
}

#[test]
fn only_weight_matrices_decay() {
    let config = OptimizerConfig {
        weight_decay: 0.5,
        ..Default::default()
    };
    let (before, after) = decay(&config);
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
    let (_, after) = decay(&config);
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
        let (after, _) = Optimizer::new(&config, &[], &before).step(0.1, before.clone(), gradients);
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
    let (before, after) = decay(&config);
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
