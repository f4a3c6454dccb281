//! What can be wrong with a model: its sizes, or the weights it is given.

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
        /// What would be right.
        expected: String,
    },
    /// A weight file lacks tensors or holds ones that the model does not know.
    #[error(
        "the weights do not belong to this model: missing {missing:?}, unknown {unknown:?}; use the config that they were trained with"
    )]
    WeightNames {
        /// Names that the model has and the file has not.
        missing: Vec<String>,
        /// Names that the file has and the model has not.
        unknown: Vec<String>,
    },
    /// A tensor of a weight file has another shape than the model's.
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
        /// Type in the file.
        found: String,
    },
    /// Not a safetensors file, or a damaged one.
    #[error("cannot read the weights as safetensors: the file is damaged or of another format")]
    Safetensors(#[from] safetensors::SafeTensorError),
}
