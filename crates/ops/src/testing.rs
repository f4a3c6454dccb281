//! Devices and dtypes that the operators are tested on.

use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use rand::{RngExt, SeedableRng};

use crate::Precision;

/// A combination of device and dtypes for tests.
#[derive(Clone, Debug)]
pub struct Place {
    /// Device of the tensors.
    pub device: Device,
    /// Dtype of weights and gradients.
    pub dtype: FloatDType,
    /// Precision of the activations.
    pub precision: Precision,
}

impl Place {
    /// Largest allowed distance from `expected`, the values of the definition in 32 bits. For
    /// 32-bit results it is `strict` times the largest value. bfloat16 has eight bits, and tens of
    /// roundings lie between the first tensor and the last. Sums that should cancel, as in the
    /// gradient of the keys' bias, leave rounding errors of sums over all tokens.
    pub fn tolerance(&self, strict: f32, expected: &[f32]) -> f32 {
        let (share, smallest) = match self.precision {
            Precision::Bf16 => (0.03, 4.0),
            Precision::F32 | Precision::Tf32 => (strict, 1.0),
        };
        share * expected.iter().fold(smallest, |a: f32, b| a.max(b.abs()))
    }
}

/// Every combination that this build supports. On LibTorch, 64 bits and bfloat16 always use its
/// autograd, not our own kernels.
pub fn places() -> Vec<Place> {
    let mut places = vec![Place {
        device: Device::flex(),
        dtype: FloatDType::F32,
        precision: Precision::F32,
    }];
    places.extend(libtorch());
    places
}

#[cfg(feature = "libtorch")]
#[allow(deprecated)] // docs: decisions
fn libtorch() -> Vec<Place> {
    let ways = [
        (FloatDType::F32, Precision::F32),
        (FloatDType::F64, Precision::F32),
        (FloatDType::F32, Precision::Bf16),
    ];
    let place = |(dtype, precision)| Place {
        device: Device::libtorch(),
        dtype,
        precision,
    };
    ways.map(place).to_vec()
}

#[cfg(not(feature = "libtorch"))]
fn libtorch() -> Vec<Place> {
    Vec::new()
}

/// Matrix of a test.
pub type T2 = Tensor<2>;
/// A way to compute a result from matrices.
pub type Way<'a> = &'a dyn Fn(&[T2], &Place) -> T2;

fn draws(shapes: &[[usize; 2]], place: &Place) -> Vec<T2> {
    let device = place.device.clone().autodiff();
    let rng = &mut rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let draw = |shape: &[usize; 2]| {
        let n = shape[0] * shape[1];
        let values: Vec<f32> = (0..n).map(|_| rng.random_range(-1.0..1.0)).collect();
        let x: T2 = Tensor::from_data(TensorData::new(values, *shape), &device);
        x.cast(place.dtype).require_grad()
    };
    shapes.iter().map(draw).collect()
}

/// A matrix of one row as a vector.
pub fn row(x: &T2) -> Tensor<1> {
    x.clone().reshape([-1])
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

/// Compares outputs and gradients of two ways to compute the same result, the second on every
/// device. The loss weighs every output differently.
pub fn compare(shapes: &[[usize; 2]], [definition, fused]: [Way<'_>; 2]) {
    let run = |way: Way<'_>, place: &Place| {
        let inputs = draws(shapes, place);
        let out = way(&inputs, place).cast(place.dtype);
        let [rows, columns] = out.dims();
        let factors = draws(&[[rows, columns]], place).remove(0);
        let grads = (out.clone() * factors).sum().backward();
        let mut all = vec![values(out)];
        all.extend(
            inputs
                .iter()
                .map(|x| x.grad(&grads).map_or(Vec::new(), values)),
        );
        all
    };
    let expected = run(definition, &places()[0]);
    for place in places() {
        for (i, (found, expected)) in run(fused, &place).iter().zip(&expected).enumerate() {
            assert_eq!(found.len(), expected.len(), "tensor {i}");
            let allowed = place.tolerance(2e-5, expected);
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() <= allowed,
                    "{shapes:?}, {place:?}, tensor {i}: {found}, expected {expected}"
                );
            }
        }
    }
}
