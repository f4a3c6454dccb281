//! Tests of the networks against arrays of an independent PyTorch implementation of their equations
//! (`tests/golden/README.md`).
//!
//! Tolerance: the largest deviation of an array is below 1e-5 of the array's largest value. The
//! reference uses 64 bits. In 32 bits, sums of up to 100 terms have errors of a few 1e-7, and a
//! dozen layers a few 1e-6.

use std::collections::BTreeMap;
use std::path::Path;

use brainmae_model::weights::{NamedArray, export_gradients, from_safetensors, import};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;

use super::*;
use crate::neural::fbnetgen::Penalties;

const TOLERANCE: f32 = 1e-5;

/// One golden file.
struct Golden(BTreeMap<String, NamedArray>);

impl Golden {
    fn open(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let bytes = std::fs::read(folder.join(format!("{name}.safetensors"))).expect("a file");
        Self(from_safetensors(&bytes, "").expect("32-bit floats"))
    }

    fn family(&self, prefix: &str) -> BTreeMap<String, NamedArray> {
        let strip = |(name, array): (&String, &NamedArray)| {
            let name = name.strip_prefix(prefix)?;
            Some((name.to_string(), array.clone()))
        };
        self.0.iter().filter_map(strip).collect()
    }

    fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let array = &self.0[name];
        let data = TensorData::new(array.values.clone(), array.shape.clone());
        Tensor::from_data(data, device)
    }

    fn batch(&self, device: &Device) -> Batch {
        let input = |name: &str| {
            let there = self.0.contains_key(name);
            there.then(|| self.tensor(name, device))
        };
        let classes = self.0.contains_key("in.classes");
        Batch {
            bold: input("in.bold"),
            fc: input("in.fc"),
            classes: classes.then(|| self.tensor("in.classes", device)),
        }
    }

    fn close<const D: usize>(&self, name: &str, found: Tensor<D>) {
        let found: Vec<f32> = found.into_data().iter().collect();
        let expected = &self.0[name].values;
        assert_close(name, &found, expected, largest(expected));
    }
}

fn largest<'a>(values: impl IntoIterator<Item = &'a f32>) -> f32 {
    let largest = |m: f32, x: &f32| m.max(x.abs());
    values.into_iter().fold(f32::MIN_POSITIVE, largest)
}

fn assert_close(name: &str, found: &[f32], expected: &[f32], scale: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let off = (f - e).abs() / scale;
        assert!(
            off < TOLERANCE,
            "{name}[{i}]: {f}, expected {e}: off by {off:e}"
        );
    }
}

/// Compares outputs, penalty and the gradient of each weight.
fn agrees<A: Architecture>(architecture: A, n_rois: usize, n_volumes: usize) {
    let golden = Golden::open(architecture.paper().name);
    let device = Device::flex().autodiff();
    let sizes = Sizes {
        n_rois,
        n_volumes,
        dt_secs: 2.0,
        n_outputs: 2,
    };
    let mut init = Init {
        rng: &mut ChaCha8Rng::seed_from_u64(0),
        device: &device,
    };
    let network = architecture.init(sizes, &mut init);
    let network = import(network, &[], golden.family("weights.")).expect("same names and shapes");

    if golden.0.contains_key("out.eval") {
        let batch = golden.batch(&Device::flex());
        let said = architecture.forward(&network.valid(), &batch, &mut Noise::off());
        assert!(said.penalty.is_none());
        golden.close("out.eval", said.logits);
    }

    let batch = golden.batch(&device);
    let said = architecture.forward(&network, &batch, &mut Noise::off());
    golden.close("out.train", said.logits.clone());
    let mut loss = (said.logits * golden.tensor("in.direction", &device)).sum();
    if let Some(penalty) = said.penalty {
        golden.close("out.penalty", penalty.clone());
        loss = loss + penalty;
    }
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    let found = export_gradients(&network, &[], &gradients);
    let expected = golden.family("grad.");
    let names: Vec<&String> = expected.keys().collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), names);
    let steepest = largest(expected.values().flat_map(|array| &array.values));
    for (name, array) in &expected {
        // A bias before a batch norm, or of a key, does not change the output. Its gradient is only
        // rounding of other gradients.
        let own = largest(&array.values);
        let scale = if own < 1e-9 { steepest } else { own };
        assert_close(name, &found[name].values, &array.values, scale);
    }
}

#[test]
fn brainnetcnn_is_the_published_one() {
    let small = BrainNetCnn {
        e2e: vec![2, 3],
        e2n: 4,
        n2g: 5,
        dense: [6, 3],
        dropout: 0.0,
    };
    agrees(small, 5, 1);
}

#[test]
fn brain_network_transformer_is_the_published_one() {
    let small = |clusters| Bnt {
        clusters,
        layers: 2,
        heads: 2,
        feed_forward: 7,
        kept: 3,
        hidden: [5, 4],
        dropout: 0.0,
    };
    agrees(small(Clusters::Exactly(4)), 6, 1);
    agrees(small(Clusters::Without), 6, 1);
}

#[test]
fn stagin_is_the_published_one() {
    for readout in [Readout::Garo, Readout::Sero] {
        let small = Stagin {
            readout,
            window: Span::Volumes(6),
            stride: Span::Volumes(3),
            density: 0.3,
            layers: 2,
            d_model: 4,
            dropout: 0.0,
            head_dropout: 0.0,
            ortho_weight: 0.05,
        };
        agrees(small, 5, 14);
    }
}

#[test]
fn fbnetgen_is_the_published_one() {
    let small = FbNetGen {
        piece: 4,
        layers: 2,
        embedding: 3,
        dropout: 0.0,
        penalties: Penalties {
            intra: 1.0,
            inter: 2.0,
            sparsity: 0.5,
        },
    };
    agrees(small, 3, 14);
}

#[test]
fn transformer_is_the_published_one() {
    let small = Transformer {
        layers: 2,
        heads: 2,
        d_head: 4,
        dropout: 0.0,
        head_dropout: 0.0,
    };
    agrees(small, 5, 7);
}

#[test]
fn mean_mlp_is_the_published_one() {
    let small = MeanMlp {
        hidden: 6,
        dropout: 0.0,
    };
    agrees(small, 5, 7);
}

#[test]
fn bolt_is_the_published_one() {
    let small = Bolt {
        layers: 3,
        heads: 2,
        d_head: 4,
        window: 5,
        dropout: 0.0,
        ..Bolt::default()
    };
    agrees(small, 6, 16);
}
