//! Errors of a model's sizes and of the weights that are loaded into it.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Sizes that do not fit one another.
    #[error("model config: {field} is {found}, expected {expected}")]
    Config {
        /// The config field.
        field: &'static str,
        /// Its value.
        found: String,
        /// Allowed values.
        expected: String,
    },
    /// A weight file lacks tensors, or holds tensors that the model does not have.
    #[error(
        "the weights do not belong to this model: missing {missing:?}, unknown {unknown:?}; use the config that they were trained with"
    )]
    WeightNames {
        /// Names that are in the model but not in the file.
        missing: Vec<String>,
        /// Names that are in the file but not in the model.
        unknown: Vec<String>,
    },
    /// A tensor has different shapes in the weight file and in the model.
    #[error(
        "weight {name} has shape {found:?}, the model expects {expected:?}; use the config that it was trained with"
    )]
    WeightShape {
        /// Name of the tensor.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape in the model.
        expected: Vec<usize>,
    },
    /// A tensor of a weight file is not 32-bit float.
    #[error("weight {name} is {found}, expected F32; convert the file first")]
    WeightType {
        /// Name of the tensor.
        name: String,
        /// Dtype in the file.
        found: String,
    },
    /// The file is damaged, or not in the safetensors format.
    #[error("cannot read the weights as safetensors: the file is damaged or of another format")]
    Safetensors(#[from] safetensors::SafeTensorError),
}
