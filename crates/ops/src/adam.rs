//! Step of Adam and of AdamW in one pass over a parameter, its gradient and its moments.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Scalar, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use crate::cpu::Adam;
use crate::operator::Tensors;

/// Settings of the step of one parameter (Adam: arXiv 1412.6980, algorithm 1; AdamW: arXiv
/// 1711.05101, algorithm 2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub lr: f64,
    /// Decay rate of the first moment.
    pub beta_1: f32,
    /// Decay rate of the second moment.
    pub beta_2: f32,
    /// Added to the root of the corrected second moment.
    pub eps: f32,
    /// Share of the weights, times `lr`, that they lose by themselves (AdamW).
    pub decay: f32,
    /// Share of the weights that is added to the gradient (Adam with an L2 penalty).
    pub penalty: f32,
    /// Number of this step, counted from 1.
    pub time: usize,
}

impl AdamStep {
    /// What the first and the second moment are divided by: they start at 0.
    fn corrections(&self) -> [f32; 2] {
        [self.beta_1, self.beta_2].map(|beta| 1.0 - beta.powi(self.time as i32))
    }

    /// Share of the weights that stays.
    fn kept(&self) -> f32 {
        (1.0 - self.lr * f64::from(self.decay)) as f32
    }

    /// The kernel on the CPU.
    pub(crate) fn kernel(&self) -> Adam {
        Adam {
            lr: self.lr as f32,
            betas: [self.beta_1, self.beta_2],
            corrections: self.corrections(),
            eps: self.eps,
            kept: self.kept(),
            penalty: self.penalty,
        }
    }
}

/// Returns the weights after the step and both moments. Moments of `None` are 0. The memory of the
/// weights and of the moments is used again if nothing else holds it.
///
/// # Shapes
/// - `weights`, `gradient` and each of `moments`: equal, without autodiff
/// - `factor`: `[1]`, scales the gradient
pub fn adam<const D: usize>(
    step: AdamStep,
    weights: Tensor<D>,
    gradient: Tensor<D>,
    factor: Tensor<1>,
    moments: Option<[Tensor<D>; 2]>,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let moments = moments.unwrap_or_else(|| [weights.zeros_like(), weights.zeros_like()]);
    let [first, second] = moments.map(Tensor::into_dispatch);
    let tensors = vec![
        weights.into_dispatch(),
        first,
        second,
        gradient.into_dispatch(),
        factor.into_dispatch(),
    ];
    let stepped = <Dispatch as Optimizing>::adam(Tensors(tensors), step);
    let mut stepped = stepped.0.into_iter().map(Tensor::from_dispatch);
    let mut next = || stepped.next().expect("three tensors come back");
    (next(), [next(), next()])
}

/// Sum of the squares of all elements, `[1]`.
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let x = Tensors(vec![x.into_dispatch()]);
    Tensor::from_dispatch(<Dispatch as Optimizing>::sum_of_squares(x))
}

/// What an optimiser computes, for every backend that it trains on.
#[backend_extension(Flex, LibTorch: cfg(feature = "libtorch"))]
pub(crate) trait Optimizing: Backend {
    /// See [`adam`]: weights, first moment, second moment, gradient, factor. Returns the first
    /// three after the step.
    fn adam(#[extension_type] tensors: Tensors<Self>, step: AdamStep) -> Tensors<Self> {
        adam_by_operators(tensors, step)
    }

    /// See [`sum_of_squares`].
    fn sum_of_squares(#[extension_type] x: Tensors<Self>) -> FloatTensor<Self> {
        squares_by_operators(x)
    }
}

/// The sum of squares by the operators of a backend.
pub(crate) fn squares_by_operators<B: Backend>(x: Tensors<B>) -> FloatTensor<B> {
    let Ok([x]) = <[FloatTensor<B>; 1]>::try_from(x.0) else {
        unreachable!("one tensor is squared");
    };
    B::float_sum(B::float_mul(x.clone(), x))
}

/// The step by the operators of a backend, in the order of the kernel on the CPU.
pub(crate) fn adam_by_operators<B: Backend>(tensors: Tensors<B>, step: AdamStep) -> Tensors<B> {
    let Ok([weights, first, second, gradient, factor]) = <[FloatTensor<B>; 5]>::try_from(tensors.0)
    else {
        unreachable!("a step has five tensors");
    };
    let scaled = |x: FloatTensor<B>, factor: f32| B::float_mul_scalar(x, Scalar::from(factor));
    let ones = Shape::from(vec![1; weights.shape().num_dims()]);
    let mut gradient = B::float_mul(gradient, B::float_reshape(factor, ones));
    if step.penalty != 0.0 {
        gradient = B::float_add(gradient, scaled(weights.clone(), step.penalty));
    }
    let [beta_1, beta_2] = [step.beta_1, step.beta_2];
    let first = B::float_add(
        scaled(first, beta_1),
        scaled(gradient.clone(), 1.0 - beta_1),
    );
    let square = B::float_mul(gradient.clone(), gradient);
    let second = B::float_add(scaled(second, beta_2), scaled(square, 1.0 - beta_2));
    let corrected = |moment: &FloatTensor<B>, correction: f32| {
        B::float_div_scalar(moment.clone(), Scalar::from(correction))
    };
    let [of_first, of_second] = step.corrections();
    let root = B::float_sqrt(corrected(&second, of_second));
    let divisor = B::float_add_scalar(root, Scalar::from(step.eps));
    let change = B::float_div(corrected(&first, of_first), divisor);
    let weights = B::float_sub(scaled(weights, step.kept()), scaled(change, step.lr as f32));
    Tensors(vec![weights, first, second])
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::testing::{Place, places};

    fn step(time: usize) -> AdamStep {
        AdamStep {
            lr: 0.01,
            beta_1: 0.9,
            beta_2: 0.95,
            eps: 1e-3,
            decay: 0.5,
            penalty: 0.2,
            time,
        }
    }

    fn tensor(values: &[f32], place: &Place) -> Tensor<2> {
        let data = TensorData::new(values.to_vec(), [values.len() / 2, 2]);
        Tensor::<2>::from_data(data, &place.device).cast(place.dtype)
    }

    fn values(tensor: Tensor<2>) -> Vec<f64> {
        tensor.into_data().iter::<f64>().collect()
    }

    /// Values around 0 that differ from `seed` to `seed`.
    fn wave(n: usize, seed: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.37 + seed).sin()).collect()
    }

    /// Weights after three steps by the equations of the papers, in 64 bits.
    fn by_definition(weights: &[f32], gradients: &[Vec<f32>], factor: f64) -> Vec<f64> {
        let one = |i: usize| {
            let (mut weight, mut first, mut second) = (f64::from(weights[i]), 0.0, 0.0);
            for (t, gradient) in gradients.iter().enumerate() {
                let s = step(t + 1);
                let (b1, b2) = (f64::from(s.beta_1), f64::from(s.beta_2));
                let g = f64::from(gradient[i]) * factor + weight * f64::from(s.penalty);
                first = b1 * first + (1.0 - b1) * g;
                second = b2 * second + (1.0 - b2) * g * g;
                let power = t as i32 + 1;
                let (m, v) = (
                    first / (1.0 - b1.powi(power)),
                    second / (1.0 - b2.powi(power)),
                );
                weight -= s.lr * f64::from(s.decay) * weight;
                weight -= s.lr * m / (v.sqrt() + f64::from(s.eps));
            }
            weight
        };
        (0..weights.len()).map(one).collect()
    }

    #[test]
    fn steps_are_those_of_the_definition_on_every_device() {
        // More numbers than one task takes, and no multiple of a register.
        let n = 70_006;
        let start = wave(n, 0.0);
        let gradients: Vec<Vec<f32>> = (1..=3).map(|t| wave(n, t as f32)).collect();
        let expected = by_definition(&start, &gradients, 0.25);
        for place in places() {
            let (mut weights, mut moments) = (tensor(&start, &place), None);
            for (t, gradient) in gradients.iter().enumerate() {
                let factor = Tensor::<1>::from_data([0.25f32], &place.device).cast(place.dtype);
                let gradient = tensor(gradient, &place);
                let after = adam(step(t + 1), weights, gradient, factor, moments);
                (weights, moments) = (after.0, Some(after.1));
            }
            for (found, expected) in values(weights).iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 2e-6,
                    "{place:?}: {found}, {expected}"
                );
            }
        }
    }

    #[test]
    fn tensors_that_others_hold_stay_as_they_are() {
        for place in places() {
            let (start, factor) = (wave(12, 0.0), Tensor::<1>::from_data([1f32], &place.device));
            let factor = factor.cast(place.dtype);
            let held = tensor(&start, &place);
            let before = values(held.clone());
            let gradient = tensor(&wave(12, 1.0), &place);
            let run = |weights: Tensor<2>, moments| {
                adam(step(1), weights, gradient.clone(), factor.clone(), moments)
            };
            let (first, moments) = run(held.clone(), None);
            let kept = values(moments[0].clone());
            let _ = run(held.clone(), Some(moments.clone()));
            assert_eq!(values(held.clone()), before, "{place:?}");
            assert_eq!(values(moments[0].clone()), kept, "{place:?}");
            // A view of other memory is stepped like a tensor of its own.
            let view = held.transpose();
            let gradient = gradient.clone().transpose();
            let (viewed, _) = adam(step(1), view, gradient, factor.clone(), None);
            assert_eq!(values(viewed.transpose()), values(first), "{place:?}");
        }
    }

    #[test]
    fn squares_of_all_elements_are_summed() {
        for place in places() {
            let x = wave(70_006, 0.5);
            let expected: f64 = x.iter().map(|x| f64::from(*x).powi(2)).sum();
            let sum = sum_of_squares(tensor(&x, &place))
                .into_data()
                .iter::<f64>()
                .next();
            let sum = sum.expect("one number");
            assert!(
                (sum / expected - 1.0).abs() < 1e-5,
                "{place:?}: {sum}, {expected}"
            );
        }
    }
}
