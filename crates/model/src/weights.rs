//! Weights by name: the exchange with PyTorch, and parameter identities that stay the same after a
//! restart.
//!
//! Names and layout follow PyTorch: `Linear.weight` is `[out, in]` there and `[in, out]` here; a
//! layer norm has `weight` and `bias` there and `gamma` and `beta` here.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::ModelError;

/// Names of a model's parameters in weight files: pairs of a prefix of a parameter's path in the
/// module and the prefix of its name; the first match applies. A parameter without a match keeps
/// its path. The empty slice renames nothing.
pub type Names = [(&'static str, &'static str)];

/// Position of a parameter in a module: its path, and its form in a weight file.
#[derive(Default)]
struct Place {
    path: Vec<String>,
    /// Path with the variants of enums, which names leave out.
    full_path: Vec<String>,
    containers: Vec<String>,
}

impl Place {
    fn enter(&mut self, name: &str, container: &str) {
        self.full_path.push(name.to_string());
        if !container.starts_with("Enum:") {
            self.path.push(name.to_string());
        }
        self.containers.push(container.to_string());
    }

    fn exit(&mut self) {
        self.full_path.pop();
        if self
            .containers
            .pop()
            .is_some_and(|c| !c.starts_with("Enum:"))
        {
            self.path.pop();
        }
    }

    /// Name of the parameter in a weight file.
    fn name(&self, names: &Names) -> String {
        let mut path = self.path.join(".");
        if self.container() == "Struct:LayerNorm" {
            path = path.replace("gamma", "weight").replace("beta", "bias");
        }
        for (ours, theirs) in names {
            if let Some(rest) = path.strip_prefix(ours) {
                return format!("{theirs}{rest}");
            }
        }
        path
    }

    fn container(&self) -> &str {
        self.containers.last().map_or("", String::as_str)
    }

    fn is_linear_weight(&self) -> bool {
        self.container() == "Struct:Linear" && self.path.last().is_some_and(|p| p == "weight")
    }
}

/// A named array in PyTorch's layout.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArray {
    /// Row-major values.
    pub values: Vec<f32>,
    /// Extent of every axis.
    pub shape: Vec<usize>,
}

impl NamedArray {
    fn transposed(&self) -> TensorData {
        let (rows, columns) = (self.shape[0], self.shape[1]);
        let values: Vec<f32> = (0..columns * rows)
            .map(|i| self.values[i % rows * columns + i / rows])
            .collect();
        TensorData::new(values, [columns, rows])
    }
}

/// Description of a parameter, from [`parameters`].
pub struct ParameterInfo {
    /// Path in the module, as optimiser groups use it.
    pub path: String,
    /// Identity, as optimisers use it.
    pub id: ParamId,
    /// Whether it is the weight matrix of a linear map: weight decay applies only to these.
    pub is_linear_weight: bool,
}

/// Every float parameter of a module, in the module's order.
pub fn parameters<M: Module>(module: &M) -> Vec<ParameterInfo> {
    #[derive(Default)]
    struct Visitor {
        place: Place,
        found: Vec<ParameterInfo>,
    }
    impl ModuleVisitor for Visitor {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.place.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.place.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.found.push(ParameterInfo {
                path: self.place.full_path.join("."),
                id: param.id,
                is_linear_weight: self.place.is_linear_weight(),
            });
        }
    }
    let mut visitor = Visitor::default();
    module.visit(&mut visitor);
    visitor.found
}

/// The weights of a module by name, in PyTorch's layout.
pub fn export<M: Module>(module: &M, names: &Names) -> BTreeMap<String, NamedArray> {
    export_from(module, names, None)
}

/// The gradients of a module's weights by name, in PyTorch's layout; parameters without a gradient
/// are left out.
pub fn export_gradients<M: Module>(
    module: &M,
    names: &Names,
    gradients: &GradientsParams,
) -> BTreeMap<String, NamedArray> {
    export_from(module, names, Some(gradients))
}

fn export_from<M: Module>(
    module: &M,
    names: &Names,
    gradients: Option<&GradientsParams>,
) -> BTreeMap<String, NamedArray> {
    struct Visitor<'a> {
        place: Place,
        names: &'a Names,
        gradients: Option<&'a GradientsParams>,
        found: BTreeMap<String, NamedArray>,
    }
    impl ModuleVisitor for Visitor<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.place.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.place.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = match self.gradients {
                None => Some(param.val().without_autodiff()),
                Some(gradients) => gradients.get::<D>(param.id),
            };
            let Some(value) = value else { return };
            let value = if self.place.is_linear_weight() {
                value.transpose()
            } else {
                value
            };
            let array = NamedArray {
                shape: value.dims().to_vec(),
                values: value.into_data().iter::<f32>().collect(),
            };
            self.found.insert(self.place.name(self.names), array);
        }
    }
    let mut visitor = Visitor {
        place: Place::default(),
        names,
        gradients,
        found: BTreeMap::new(),
    };
    module.visit(&mut visitor);
    visitor.found
}

/// Loads weights into a module. The names must be exactly those of the module's parameters, with
/// their shapes.
///
/// # Errors
/// [`ModelError::WeightNames`] or [`ModelError::WeightShape`]; the module then stays unchanged.
pub fn import<M: Module>(
    module: M,
    names: &Names,
    mut weights: BTreeMap<String, NamedArray>,
) -> Result<M, ModelError> {
    let expected = export(&module, names);
    let missing: Vec<String> = expected
        .keys()
        .filter(|name| !weights.contains_key(*name))
        .cloned()
        .collect();
    let unknown: Vec<String> = weights
        .keys()
        .filter(|name| !expected.contains_key(*name))
        .cloned()
        .collect();
    if !missing.is_empty() || !unknown.is_empty() {
        return Err(ModelError::WeightNames { missing, unknown });
    }
    for (name, array) in &expected {
        let found = &weights[name].shape;
        if *found != array.shape {
            return Err(ModelError::WeightShape {
                name: name.clone(),
                found: found.clone(),
                expected: array.shape.clone(),
            });
        }
    }

    struct Mapper<'a> {
        place: Place,
        names: &'a Names,
        weights: &'a mut BTreeMap<String, NamedArray>,
    }
    impl ModuleMapper for Mapper<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.place.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.place.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(array) = self.weights.remove(&self.place.name(self.names)) else {
                return param;
            };
            // Transposed here and not on the device: a strided tensor may be summed in another
            // order.
            let data = if self.place.is_linear_weight() {
                array.transposed()
            } else {
                TensorData::new(array.values, array.shape)
            };
            param.map(|old| {
                Tensor::<D>::from_data(data, &old.device()).set_require_grad(old.is_require_grad())
            })
        }
    }
    Ok(module.map(&mut Mapper {
        place: Place::default(),
        names,
        weights: &mut weights,
    }))
}

/// Writes named arrays as a safetensors file, with `metadata` in its header.
///
/// # Errors
/// [`ModelError::Safetensors`] if the shape of an array does not fit its number of values.
pub fn to_safetensors(
    weights: &BTreeMap<String, NamedArray>,
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, ModelError> {
    let bytes: Vec<Vec<u8>> = weights
        .values()
        .map(|array| array.values.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let mut views = Vec::with_capacity(weights.len());
    for ((name, array), bytes) in weights.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, array.shape.clone(), bytes)?;
        views.push((name.as_str(), view));
    }
    Ok(safetensors::serialize(views, metadata)?)
}

/// Reads the arrays of a safetensors file whose names start with `prefix`, and removes this prefix.
///
/// # Errors
/// [`ModelError::Safetensors`] for a damaged file, [`ModelError::WeightType`] for anything but
/// 32-bit floats.
pub fn from_safetensors(
    bytes: &[u8],
    prefix: &str,
) -> Result<BTreeMap<String, NamedArray>, ModelError> {
    let file = SafeTensors::deserialize(bytes)?;
    let mut weights = BTreeMap::new();
    for (name, view) in file.tensors() {
        let Some(name) = name.strip_prefix(prefix) else {
            continue;
        };
        if view.dtype() != Dtype::F32 {
            return Err(ModelError::WeightType {
                name: name.to_string(),
                found: format!("{:?}", view.dtype()),
            });
        }
        let values = view
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let shape = view.shape().to_vec();
        weights.insert(name.to_string(), NamedArray { values, shape });
    }
    Ok(weights)
}

/// Gives every parameter an identity derived from its name, so that an optimiser's saved state
/// matches it after a restart.
pub fn with_stable_ids<M: Module>(module: M, names: &Names) -> M {
    struct Mapper<'a> {
        place: Place,
        names: &'a Names,
    }
    impl ModuleMapper for Mapper<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.place.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.place.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let id = ParamId::from(fnv1a(&self.place.name(self.names)));
            let (_, value, mapper) = param.consume();
            Param::from_mapped_value(id, value, mapper)
        }
    }
    module.map(&mut Mapper {
        place: Place::default(),
        names,
    })
}

/// 64-bit FNV-1a: a published hash that stays the same in every version of this program.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{BrainMae, BrainMaeConfig, DataShape, ReadoutKind, TseKind};

    fn model(config: &BrainMaeConfig, seed: u64) -> BrainMae {
        let data = DataShape {
            n_rois: 5,
            segment_len_trs: 3,
        };
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        config.init(data, rng, &Device::flex()).expect("sizes fit")
    }

    fn small() -> BrainMaeConfig {
        BrainMaeConfig {
            d_model: 8,
            n_heads: 2,
            readout: ReadoutKind::RoiWeighted,
            tse: TseKind::Adaptive,
            ..Default::default()
        }
    }

    #[test]
    fn weights_survive_a_file_bit_for_bit() {
        let (one, other) = (model(&small(), 1), model(&small(), 2));
        assert_ne!(
            export(&one, BrainMae::WEIGHT_NAMES),
            export(&other, BrainMae::WEIGHT_NAMES)
        );
        let bytes =
            to_safetensors(&export(&one, BrainMae::WEIGHT_NAMES), None).expect("shapes fit");
        let weights = from_safetensors(&bytes, "").expect("just written");
        let loaded = import(other, BrainMae::WEIGHT_NAMES, weights).expect("same config");
        assert_eq!(
            export(&one, BrainMae::WEIGHT_NAMES),
            export(&loaded, BrainMae::WEIGHT_NAMES)
        );
    }

    #[test]
    fn linear_weights_leave_as_out_by_in() {
        let exported = export(&model(&small(), 1), BrainMae::WEIGHT_NAMES);
        assert_eq!(exported["signal.weight"].shape, [8, 3]);
        assert_eq!(exported["tse.2.feed_forward.fc1.weight"].shape, [32, 8]);
        assert_eq!(exported["roi_weight"].shape, [5, 8]);
        assert!(exported.contains_key("encoder.1.norm2.bias"));
        assert!(
            exported.contains_key("head_roi.weight") && !exported.contains_key("head_roi.bias")
        );
    }

    #[test]
    fn weights_of_another_config_are_refused_by_name() {
        let weights = export(&model(&small(), 1), BrainMae::WEIGHT_NAMES);
        let deeper = BrainMaeConfig {
            decoder_depth: 2,
            ..small()
        };
        let error = import(model(&deeper, 1), BrainMae::WEIGHT_NAMES, weights)
            .expect_err("a block is missing");
        let ModelError::WeightNames { missing, unknown } = error else {
            panic!("expected names, found {error}")
        };
        assert!(missing.iter().any(|name| name == "decoder.1.norm1.weight"));
        assert!(missing.iter().all(|name| name.starts_with("decoder.1.")));
        assert_eq!(unknown, Vec::<String>::new());
    }

    #[test]
    fn damaged_files_are_errors() {
        let bytes = to_safetensors(&export(&model(&small(), 1), BrainMae::WEIGHT_NAMES), None)
            .expect("shapes fit");
        for end in [0, 4, 100, bytes.len() - 1] {
            let error = from_safetensors(&bytes[..end], "").expect_err("cut short");
            assert!(matches!(error, ModelError::Safetensors(_)), "{end} bytes");
        }
    }

    #[test]
    fn identities_follow_names() {
        let ids = |seed| {
            parameters(&model(&small(), seed))
                .iter()
                .map(|p| p.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(2));
        let mut unique = ids(1);
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), ids(1).len());
    }
}
