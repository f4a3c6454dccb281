//! Parity of one model on the device of the tests and on Flex, with and without gradients.
//!
//! Padded segments reveal differences between implementations of attention. Without gradients, this
//! version of burn calls LibTorch's fused attention, which inverts a boolean mask. The model does
//! not use it; these tests fail if it ever does.
//!
//! Tolerance: 1e-5 of the largest value, because 32-bit sums of some tens of terms in another order
//! differ by about 1e-6.

use brainmae_model::weights::{Names, export, from_safetensors, import, to_safetensors};
use brainmae_model::{BrainMae, BrainMaeConfig, DataShape, Input, TseKind};
use brainmae_pretrain::mask::mask_on;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Bool, Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::device::{device, flex};

const DIMS: [usize; 4] = [3, 6, 5, 4]; // [batch, segments, rois, time]
const TOLERANCE: f32 = 1e-5;

/// Widths that fill whole registers, and that fill none.
const WIDTHS: [usize; 2] = [64, 6];

fn model(tse: TseKind, d_model: usize, device: &Device) -> BrainMae {
    let config = BrainMaeConfig {
        d_model,
        n_heads: 2,
        tse,
        ..Default::default()
    };
    let data = DataShape {
        n_rois: DIMS[2],
        segment_len_trs: DIMS[3],
    };
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    config.init(data, rng, device).expect("sizes fit")
}

/// A batch and its mask; the second sample has two segments of padding, the third has four.
fn batch(model: &BrainMae) -> (Input, Tensor<3, Bool>) {
    let rng = &mut ChaCha8Rng::seed_from_u64(4);
    let [batch, segments, rois, _] = DIMS;
    let bold = (0..DIMS.iter().product())
        .map(|_| rng.random_range(-1.5f32..1.5))
        .collect();
    let hidden = (0..batch * segments * rois)
        .map(|_| rng.random_range(0..2) == 0)
        .collect::<Vec<bool>>();
    let start_secs: Vec<f32> = (0..batch * segments)
        .map(|i| (i % segments) as f32 * 15.0)
        .collect();
    let valid: Vec<bool> = (0..batch * segments)
        .map(|i| i % segments < segments - 2 * (i / segments))
        .collect();
    let input = model.input(bold, DIMS, &start_secs, &valid);
    let hidden = TensorData::new(hidden, [batch, segments, rois]);
    let hidden = Tensor::from_data(hidden, &input.bold.device());
    (input, hidden)
}

/// CLS token and reconstruction.
fn outputs(model: &BrainMae) -> Vec<f32> {
    let (input, hidden) = batch(model);
    let cls = model.encode(&input, Some(&hidden)).cls.into_data();
    let drawn = model.reconstruct(&input, Some(&hidden)).into_data();
    cls.iter::<f32>().chain(drawn.iter::<f32>()).collect()
}

/// Gradient of a loss for every parameter.
fn gradients(model: &BrainMae) -> Vec<Vec<f32>> {
    let (input, hidden) = batch(model);
    let drawn = model.reconstruct(&input, Some(&hidden));
    let loss = (drawn - input.bold).square().mean();
    let mut collect = Collect {
        gradients: GradientsParams::from_grads(loss.backward(), model),
        found: Vec::new(),
    };
    model.visit(&mut collect);
    collect.found
}

struct Collect {
    gradients: GradientsParams,
    found: Vec<Vec<f32>>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.found
                .push(gradient.into_data().iter::<f32>().collect());
        }
    }
}

#[track_caller]
fn assert_same(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0f32, |m, x| m.max(x.abs()));
    let apart = (found.iter().zip(expected)).fold(0f32, |m, (f, e)| m.max((f - e).abs()));
    assert!(
        apart <= TOLERANCE * largest.max(1e-3),
        "{apart} of {largest}"
    );
}

#[test]
fn padded_segments_are_attended_to_nowhere_with_and_without_gradients() {
    let kinds = [TseKind::Static, TseKind::Adaptive].into_iter();
    for (tse, d_model) in kinds.flat_map(|tse| WIDTHS.map(|width| (tse, width))) {
        let expected = outputs(&model(tse, d_model, &flex()));
        assert_same(&outputs(&model(tse, d_model, &device())), &expected);
        let training = model(tse, d_model, &device().autodiff());
        assert_same(&outputs(&training), &expected);
        assert_same(&outputs(&training.valid()), &expected);
        let expected_gradients = gradients(&model(tse, d_model, &flex().autodiff()));
        let found_gradients = gradients(&training);
        assert_eq!(found_gradients.len(), expected_gradients.len());
        for (found, expected) in found_gradients.iter().zip(&expected_gradients) {
            assert_same(found, expected);
        }
        let forked = training.clone().fork(&device().autodiff());
        assert_same(&outputs(&forked), &expected);
    }
}

#[test]
fn weights_travel_between_devices_bit_by_bit() {
    const NAMES: &Names = BrainMae::WEIGHT_NAMES;
    let there = model(TseKind::Static, 64, &device());
    let file = to_safetensors(&export(&there, NAMES), None).expect("shapes fit");
    let weights = from_safetensors(&file, "").expect("a safetensors file");
    let back = import(model(TseKind::Static, 64, &flex()), NAMES, weights).expect("the same model");
    assert_eq!(export(&there, NAMES), export(&back, NAMES));
}

#[test]
fn masks_are_the_same_on_every_device() {
    let mask = |device: &Device| {
        let hidden = mask_on(device, &[0, 7, u32::MAX], 20, 100, 0.37);
        hidden.into_data().iter::<bool>().collect::<Vec<bool>>()
    };
    assert_eq!(mask(&device()), mask(&flex()));
    assert_eq!(mask(&device().autodiff()), mask(&flex()));
}
