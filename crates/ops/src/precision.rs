//! Precision of products: the dtype in which they are computed.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{FloatDType, Tensor};
use serde::{Deserialize, Serialize};

/// Dtype in which a model computes. Weights, optimiser, norms, softmax and loss have 32 bits in any
/// case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats throughout.
    #[default]
    F32,
    /// 32-bit floats, of which products on an NVIDIA GPU read the first 19 bits. The start of the
    /// device decides this, not the operators.
    Tf32,
    /// bfloat16 for activations and products; the sums of products have 32 bits.
    Bf16,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Precision::F32 => "f32",
            Precision::Tf32 => "tf32",
            Precision::Bf16 => "bf16",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Precision::F32, Precision::Tf32, Precision::Bf16];
        let found = all.into_iter().find(|known| known.to_string() == name);
        found.ok_or_else(|| "expected f32, tf32 or bf16".to_string())
    }
}

impl Precision {
    /// Converts `x` to the dtype of activations; the operators compute products in the dtype of
    /// their first tensor.
    pub fn activation<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Precision::F32 | Precision::Tf32 => x,
            Precision::Bf16 => x.cast(FloatDType::BF16),
        }
    }
}
