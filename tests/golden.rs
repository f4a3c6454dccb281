//! Golden arrays of an independent PyTorch implementation, compared with the model
//! (`golden/README.md` describes their origin).
//!
//! Tolerance: the largest deviation of an array, relative to the array's largest value, stays under
//! 1e-4 for forward passes, losses and gradients, because 32-bit sums of a few hundred terms in
//! another order differ by about 1e-6. It stays under 1e-3 for ten AdamW steps, in which such
//! differences accumulate.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use brainmae_model::weights::{NamedArray, export, export_gradients, import, to_safetensors};
use brainmae_model::{BrainMae, BrainMaeConfig, DataShape, Input};
use brainmae_train::optimizer::{Decayed, Optimizer, OptimizerConfig};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Bool, Device, Tensor, TensorData};
use rand::SeedableRng;
use safetensors::{Dtype, SafeTensors};

use crate::device::device;

/// Content of one golden file.
struct Golden {
    arrays: BTreeMap<String, NamedArray>,
    config: BrainMaeConfig,
    data: DataShape,
    lambda: f64,
}

impl Golden {
    fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/{name}.safetensors"));
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("a safetensors header");
        let metadata: HashMap<String, String> = header.metadata().clone().expect("metadata");
        let config: serde_json::Value = serde_json::from_str(&metadata["config"]).expect("json");
        let size = |key: &str| config[key].as_u64().expect("a number") as usize;
        let word = |key: &str| serde_json::from_value(config[key].clone()).expect("a known word");

        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let arrays = file
            .tensors()
            .into_iter()
            .map(|(name, view)| {
                let values = match view.dtype() {
                    Dtype::F32 => view
                        .data()
                        .chunks_exact(4)
                        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                        .collect(),
                    Dtype::U8 => view.data().iter().map(|&b| f32::from(b)).collect(),
                    other => panic!("{name} is {other:?}"),
                };
                let shape = view.shape().to_vec();
                (name, NamedArray { values, shape })
            })
            .collect();
        Self {
            arrays,
            data: DataShape {
                n_rois: size("n_rois"),
                segment_len_trs: size("segment_len"),
            },
            lambda: config["loss_lambda"].as_f64().expect("a number"),
            config: BrainMaeConfig {
                d_model: size("d_model"),
                n_heads: size("n_heads"),
                feed_forward_mult: size("ff_mult"),
                tse: serde_json::from_value(config["tse"].clone()).expect("a known word"),
                tse_blocks: size("tse_blocks"),
                graph: true,
                self_loops: config["self_loops"].as_bool().expect("a bool"),
                roi_vectors: word("roi_vectors"),
                readout: serde_json::from_value(config["readout"].clone()).expect("a known word"),
                encoder_depth: size("encoder_depth"),
                decoder_depth: size("decoder_depth"),
                norm_eps: config["norm_eps"].as_f64().expect("a number"),
            },
        }
    }

    fn family(&self, prefix: &str) -> BTreeMap<String, NamedArray> {
        let strip = |(name, array): (&String, &NamedArray)| {
            name.strip_prefix(prefix)
                .map(|name| (name.to_string(), array.clone()))
        };
        self.arrays.iter().filter_map(strip).collect()
    }

    fn model(&self, device: &Device) -> BrainMae {
        let rng = &mut rand_chacha::ChaCha8Rng::seed_from_u64(0);
        let model = self.config.init(self.data, rng, device).expect("sizes fit");
        import(model, BrainMae::WEIGHT_NAMES, self.family("weights."))
            .expect("the weights are this model's")
    }

    fn bools(&self, name: &str) -> Vec<bool> {
        self.arrays[name].values.iter().map(|&x| x > 0.5).collect()
    }

    fn input(&self, model: &BrainMae, valid: &[bool]) -> Input {
        let bold = &self.arrays["in.bold"];
        let dims = [bold.shape[0], bold.shape[1], bold.shape[2], bold.shape[3]];
        let start_secs = &self.arrays["in.start_secs"].values;
        model.input(bold.values.clone(), dims, start_secs, valid)
    }

    fn hidden(&self, device: &Device) -> Tensor<3, Bool> {
        let shape = &self.arrays["in.mask"].shape;
        let shape = [shape[0], shape[1], shape[2]];
        Tensor::from_data(TensorData::new(self.bools("in.mask"), shape), device)
    }

    fn close<const D: usize>(&self, name: &str, found: Tensor<D>) {
        let found: Vec<f32> = found.into_data().iter::<f32>().collect();
        assert_close(name, &found, &self.arrays[name].values, 1e-4);
    }
}

fn assert_close(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1e-12f32, |m, x| m.max(x.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let deviation = (f - e).abs() / largest;
        assert!(
            deviation < tolerance,
            "{name}[{i}]: found {f}, expected {e}"
        );
    }
}

fn forward(name: &str) {
    let golden = Golden::open(name);
    let device = device();
    let model = golden.model(&device);
    let valid = golden.bools("in.valid");
    let input = golden.input(&model, &valid);
    let hidden = golden.hidden(&device);

    for (i, block) in model.state_encoder().blocks().iter().enumerate() {
        let key = format!("out.alpha.{i}");
        match block.alpha(model.roi_vectors()) {
            Some(alpha) => golden.close(&key, alpha),
            None => assert!(!golden.arrays.contains_key(&key)),
        }
    }
    let states = |hidden| model.states(input.bold.clone(), hidden);
    golden.close("out.states_masked", states(Some(&hidden)));
    golden.close("out.states_unmasked", states(None));
    let encoding = model.encode(&input, None);
    golden.close("out.cls", encoding.cls);
    golden.close("out.tokens", encoding.tokens);
    let drawn = model.reconstruct(&input, Some(&hidden));
    golden.close("out.reconstruction", drawn.clone());
    let loss = input.loss(drawn, &hidden, golden.lambda);
    golden.close("out.loss", loss.total);
    golden.close("out.loss_masked", loss.hidden);
    golden.close("out.loss_visible", loss.visible);
}

fn gradients_and_ten_steps(name: &str) {
    let golden = Golden::open(name);
    let device = device().autodiff();
    let mut model = golden.model(&device);
    let input = golden.input(&model, &golden.bools("in.valid"));
    let hidden = golden.hidden(&device);
    // As in the reference: every parameter decays, and no gradient is clipped.
    let config = OptimizerConfig {
        beta_1: 0.9,
        beta_2: 0.95,
        eps: 1e-8,
        weight_decay: 0.05,
        decayed: Decayed::Everything,
        clip_norm: f64::INFINITY,
        ..OptimizerConfig::default()
    };
    let mut optimizer = Optimizer::new(&config, &[], &model);

    let mut curve = Vec::new();
    for step in 0..10 {
        let drawn = model.reconstruct(&input, Some(&hidden));
        let loss = input.loss(drawn, &hidden, golden.lambda).total;
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        if step == 0 {
            let found = export_gradients(&model, BrainMae::WEIGHT_NAMES, &gradients);
            let expected = golden.family("grad.");
            let names = |arrays: &BTreeMap<String, NamedArray>| -> Vec<String> {
                arrays.keys().cloned().collect()
            };
            assert_eq!(names(&found), names(&expected));
            // Relative to the largest of all gradients, because the gradients of the key biases are
            // zero except for rounding.
            let largest = expected
                .values()
                .flat_map(|a| &a.values)
                .fold(0f32, |m, x| m.max(x.abs()));
            for (name, expected) in &expected {
                let own = expected.values.iter().fold(0f32, |m, x| m.max(x.abs()));
                let scale = if own < 1e-6 * largest { largest } else { own };
                for (f, e) in found[name].values.iter().zip(&expected.values) {
                    assert!(
                        (f - e).abs() < 1e-4 * scale,
                        "grad.{name}: found {f}, expected {e}"
                    );
                }
            }
        }
        curve.push(loss.into_scalar::<f32>());
        (model, _) = optimizer.step(1e-3, model, gradients);
    }
    let expected = &golden.arrays["out.loss_curve_adamw"].values;
    assert_close("loss curve", &curve, expected, 1e-3);
}

#[test]
fn static_flatten() {
    forward("static_flatten");
    gradients_and_ten_steps("static_flatten");
}

#[test]
fn adaptive_roi_weighted() {
    forward("adaptive_roi_weighted");
    gradients_and_ten_steps("adaptive_roi_weighted");
}

#[test]
fn self_loops_fixed_vectors() {
    forward("self_loops_fixed_vectors");
    gradients_and_ten_steps("self_loops_fixed_vectors");
}

#[test]
fn weights_go_back_to_pytorch_names_and_layout() {
    for name in ["static_flatten", "adaptive_roi_weighted"] {
        let golden = Golden::open(name);
        let exported = export(&golden.model(&device()), BrainMae::WEIGHT_NAMES);
        assert_eq!(exported, golden.family("weights."));
        let bytes = to_safetensors(&exported, None).expect("shapes fit");
        let reread = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        assert_eq!(reread.len(), exported.len());
    }
}

#[test]
fn training_leaves_fixed_vectors_alone() {
    let golden = Golden::open("self_loops_fixed_vectors");
    let model = golden.model(&device().autodiff());
    assert!(!model.roi_vectors().is_require_grad());
    assert!(!model.valid().train().roi_vectors().is_require_grad());
}
