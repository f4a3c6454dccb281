//! What the operators are tested on.

use burn::tensor::{Device, FloatDType};

use crate::Precision;

/// A way that the operators take.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where the tensors live.
    pub device: Device,
    /// Of weights and gradients.
    pub dtype: FloatDType,
    /// Of what the operators are given.
    pub precision: Precision,
}

impl Place {
    /// How far from these values, of the definition in 32 bits, results may be, where those of 32
    /// bits may be apart by `strict` of the largest. bfloat16 has eight bits, and some tens of
    /// roundings stand between the first tensor and the last; what should cancel out, as the
    /// gradient of the keys' bias does, leaves roundings of sums over all tokens.
    pub fn tolerance(&self, strict: f32, expected: &[f32]) -> f32 {
        let (share, smallest) = match self.precision {
            Precision::Bf16 => (0.03, 4.0),
            Precision::F32 | Precision::Tf32 => (strict, 1.0),
        };
        share * expected.iter().fold(smallest, |a: f32, b| a.max(b.abs()))
    }
}

/// Every way that this build has. On LibTorch, 64 bits and bfloat16 are what our own kernels leave
/// to its autograd.
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
