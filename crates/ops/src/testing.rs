//! Devices and dtypes that the operators are tested on.

use burn::tensor::{Device, FloatDType};

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
