use brainmae_machine::device::DeviceName;
use brainmae_model::TseKind;
use brainmae_run::Seeds;
use burn::module::Module;

use super::*;

const DATA: DataShape = DataShape {
    n_rois: 100,
    segment_len_trs: 20,
};

/// Two ROIs of three volumes; width 2, one head, one graph block, no encoder blocks and no decoder
/// blocks.
fn tiny() -> (BrainMaeConfig, DataShape) {
    let config = BrainMaeConfig {
        d_model: 2,
        n_heads: 1,
        feed_forward_mult: 1,
        tse_blocks: 1,
        encoder_depth: 0,
        decoder_depth: 0,
        ..BrainMaeConfig::default()
    };
    let data = DataShape {
        n_rois: 2,
        segment_len_trs: 3,
    };
    (config, data)
}

#[test]
fn a_quick_step_is_what_was_counted_by_hand() {
    let work = StepWork::of(
        &BrainMaeConfig::default(),
        DATA,
        32,
        20,
        true,
        Precision::F32,
    );
    // 55 GFLOP for a training step: three times the forward pass.
    assert!((work.flop / 1e9 - 57.0).abs() < 4.0, "{work:?}");
}

#[test]
fn encoding_moves_what_was_counted_by_hand() {
    let (config, data) = tiny();
    // One sample of one segment:   weights  in  out
    let embed = 8 + 6 + 4; //       3*2+2    2*3  2*2
    let alpha = 12 + 4 + 4; //      2(4+2)   2*2  1*2*2
    let block = 8 + 24 + 8 + 4; //  norms 8, four maps of 6; tokens 4 and alpha 4; tokens
    let norm = 4 + 4 + 4;
    let readout = 10 + 4 + 2; //    4*2+2    4    2
    let in_context = 4 + 4 + 4; //  the norm of CLS and one state
    let numbers = embed + alpha + block + norm + readout + in_context;
    let work = StepWork::of(&config, data, 1, 1, false, Precision::F32);
    assert_eq!(work.bytes, 4.0 * f64::from(numbers));
    // 16-bit numbers in bf16: the output of embed, input and output of the block, the inputs of
    // both norms.
    let narrow = StepWork::of(&config, data, 1, 1, false, Precision::Bf16);
    assert_eq!(
        work.bytes - narrow.bytes,
        2.0 * f64::from(4 + 4 + 4 + 4 + 4)
    );
}

#[test]
fn training_moves_what_was_counted_by_hand() {
    let (config, data) = tiny();
    // [weights, inputs, constants, output]. The forward pass moves all of them once; the backward
    // pass moves all of them once, and the gradients of weights and inputs.
    let operators = [
        [10, 0, 8, 4], // embed, with the mask and its token
        [12, 4, 0, 4], // alpha
        [32, 8, 0, 4], // block
        [4, 4, 0, 4],  // norm
        [10, 4, 0, 2], // readout
        [4, 4, 0, 4],  // norm of CLS and state
        [6, 2, 0, 2],  // into the decoder
        [4, 2, 0, 2],  // its norm
        [6, 2, 0, 2],  // the head's part of the state
        [4, 4, 0, 4],  // and of the ROIs
        [9, 6, 0, 6],  // drawing
        [0, 6, 8, 0],  // loss: signals, and whether hidden
    ];
    let passes: i32 = (operators.iter())
        .map(|[w, i, c, o]| 2 * (w + i + c + o) + w + i)
        .sum();
    // ROI vectors 4, CLS 2; eight numbers for each parameter in the optimiser.
    let parameters: i32 = operators.iter().map(|[w, ..]| w).sum::<i32>() + 6;
    let work = StepWork::of(&config, data, 1, 1, true, Precision::F32);
    assert_eq!(work.bytes, 4.0 * f64::from(passes + 8 * parameters));
}

#[test]
fn the_parameters_counted_are_those_of_the_model() {
    let device = DeviceName::Cpu.open().expect("always there");
    for (tse, readout) in [
        (TseKind::Static, ReadoutKind::Flatten),
        (TseKind::Adaptive, ReadoutKind::RoiWeighted),
    ] {
        let config = BrainMaeConfig {
            tse,
            readout,
            ..BrainMaeConfig::default()
        };
        let model = config
            .init(DATA, &mut Seeds::new(0).stream("weights"), &device)
            .expect("a model");
        let counted = Pass::of(&config, DATA, 32, 20, true).parameters();
        assert_eq!(counted, model.num_params() as f64, "{tse:?}");
    }
}

#[test]
fn a_larger_batch_moves_more_signals_and_the_same_weights() {
    let bytes = |batch| {
        StepWork::of(
            &BrainMaeConfig::default(),
            DATA,
            batch,
            20,
            true,
            Precision::F32,
        )
        .bytes
    };
    let of_one_more = bytes(2) - bytes(1);
    assert_eq!(bytes(9) - bytes(8), of_one_more);
    assert!(bytes(1) > of_one_more, "weights are moved once a step");
}
