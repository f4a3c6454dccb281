//! Invariants of every BrainMAE, for any weights.

use brainmae_model::loss::ReconstructionLoss;
use brainmae_model::{BrainMae, BrainMaeConfig, DataShape, ReadoutKind, RoiVectors, TseKind};
use burn::tensor::{Bool, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::device::device;

const DIMS: [usize; 4] = [2, 3, 5, 4]; // [batch, segments, rois, time]
const DATA: DataShape = DataShape {
    n_rois: DIMS[2],
    segment_len_trs: DIMS[3],
};

fn config() -> BrainMaeConfig {
    BrainMaeConfig {
        d_model: 8,
        n_heads: 2,
        encoder_depth: 1,
        ..Default::default()
    }
}

fn model(config: &BrainMaeConfig) -> BrainMae {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    config.init(DATA, rng, &device()).expect("sizes fit")
}

fn bold(seed: u64) -> Vec<f32> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    (0..DIMS.iter().product())
        .map(|_| rng.random_range(-1.0f32..1.0))
        .collect()
}

const START_SECS: [f32; 6] = [0.0, 15.0, 30.0, 0.0, 15.0, 30.0];
const ALL: [bool; 6] = [true; 6];

fn drawn(model: &BrainMae, bold: Vec<f32>, hidden: &[bool], valid: &[bool]) -> Vec<f32> {
    let input = model.input(bold, DIMS, &START_SECS, valid);
    let [b, s, n, _] = DIMS;
    let hidden: Tensor<3, Bool> =
        Tensor::from_data(TensorData::new(hidden.to_vec(), [b, s, n]), &device());
    model
        .reconstruct(&input, Some(&hidden))
        .into_data()
        .iter::<f32>()
        .collect()
}

fn every_second() -> Vec<bool> {
    (0..30).map(|i| i % 2 == 0).collect()
}

/// Every ablation that is one line of the config.
fn ablations() -> Vec<BrainMaeConfig> {
    let c = config();
    let ablations = vec![
        c.clone(),
        BrainMaeConfig {
            tse: TseKind::Adaptive,
            ..c.clone()
        },
        BrainMaeConfig {
            graph: false,
            ..c.clone()
        },
        BrainMaeConfig {
            self_loops: true,
            ..c.clone()
        },
        BrainMaeConfig {
            roi_vectors: RoiVectors::Fixed,
            ..c.clone()
        },
        BrainMaeConfig {
            readout: ReadoutKind::RoiWeighted,
            ..c
        },
    ];
    ablations
}

#[test]
fn values_under_the_mask_never_change_an_output() {
    for config in ablations() {
        let model = model(&config);
        let (hidden, mut other) = (every_second(), bold(1));
        let before = drawn(&model, other.clone(), &hidden, &ALL);
        for (i, value) in other.iter_mut().enumerate() {
            if hidden[i / DIMS[3]] {
                *value = f32::NAN;
            }
        }
        assert_eq!(before, drawn(&model, other, &hidden, &ALL), "{config:?}");
    }
}

#[test]
fn alpha_has_an_empty_diagonal_and_rows_that_sum_to_one() {
    for config in [
        config(),
        BrainMaeConfig {
            self_loops: true,
            ..config()
        },
    ] {
        let model = model(&config);
        for block in model.state_encoder().blocks() {
            let alpha = block.alpha(model.roi_vectors()).expect("a graph block");
            let alpha: Vec<f32> = alpha.into_data().iter::<f32>().collect();
            for (row, values) in alpha.chunks(DATA.n_rois).enumerate() {
                assert!((values.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                let own = values[row % DATA.n_rois];
                assert_eq!(own == 0.0, !config.self_loops);
            }
        }
    }
}

#[test]
fn alpha_is_not_symmetric() {
    let model = model(&config());
    let alpha = model.state_encoder().blocks()[0].alpha(model.roi_vectors());
    let alpha = alpha.expect("a graph block");
    let other_way = alpha.clone().swap_dims(1, 2);
    assert!(!alpha.all_close(other_way, None, None));
}

#[test]
fn a_sample_without_a_valid_segment_is_finite_and_changes_no_other() {
    for config in ablations() {
        let model = model(&config);
        let valid = [true, true, true, false, false, false];
        let found = drawn(&model, bold(1), &every_second(), &valid);
        assert!(found.iter().all(|x| x.is_finite()));
        let whole = drawn(&model, bold(1), &every_second(), &ALL);
        let pairs = found.iter().zip(&whole).take(found.len() / 2);
        assert!(pairs.map(|(a, b)| (a - b).abs()).all(|d| d < 1e-6));
    }
}

#[test]
fn a_padded_segment_changes_nothing() {
    for config in ablations() {
        let model = model(&config);
        let valid = [true, true, false, true, true, true];
        let mut other = bold(1);
        let hidden = every_second();
        let before = drawn(&model, other.clone(), &hidden, &valid);
        let segment = DIMS[2] * DIMS[3];
        other[2 * segment..3 * segment].fill(77.0);
        let after = drawn(&model, other.clone(), &hidden, &valid);
        assert_eq!(before[..2 * segment], after[..2 * segment], "{config:?}");
        assert_eq!(before[3 * segment..], after[3 * segment..], "{config:?}");

        let [batch, segments, rois, _] = DIMS;
        let bools = |values: &[bool]| TensorData::new(values.to_vec(), [values.len()]);
        let hidden = Tensor::<1, Bool>::from_data(bools(&hidden), &device());
        let hidden = hidden.reshape([batch, segments, rois]);
        let padded = Tensor::<1, Bool>::from_data(bools(&valid), &device()).bool_not();
        let padded = padded.reshape([batch, segments]);
        let loss = |drawn: Vec<f32>, bold: Vec<f32>| {
            let tensor = |v| Tensor::<4>::from_data(TensorData::new(v, DIMS), &device());
            ReconstructionLoss::new(
                tensor(drawn),
                tensor(bold),
                &hidden,
                Some(&padded),
                None,
                None,
                0.75,
            )
            .total
            .into_scalar::<f32>()
        };
        assert_eq!(loss(before, bold(1)), loss(after, other));
    }
}

#[test]
fn batch_order_changes_nothing() {
    let model = model(&config());
    let half = DIMS[1] * DIMS[2] * DIMS[3];
    let (bold, hidden) = (bold(1), every_second());
    let swap = |v: &[f32]| [&v[half..], &v[..half]].concat();
    let swapped_hidden = [&hidden[15..], &hidden[..15]].concat();
    let straight = drawn(&model, bold.clone(), &hidden, &ALL);
    let swapped = drawn(&model, swap(&bold), &swapped_hidden, &ALL);
    for (a, b) in swap(&straight).iter().zip(&swapped) {
        assert!((a - b).abs() < 1e-6);
    }
}

#[test]
fn the_switches_change_the_model() {
    let outputs: Vec<Vec<f32>> = ablations()
        .iter()
        .map(|config| drawn(&model(config), bold(1), &every_second(), &ALL))
        .collect();
    for (i, one) in outputs.iter().enumerate() {
        assert!(
            outputs[i + 1..].iter().all(|other| other != one),
            "switch {i} does nothing"
        );
    }
}
