//! Forward and backward pass of a small, untrained BrainMAE on made-up signals.
//!
//! `cargo run -p brainmae-model --example forward_pass`

use brainmae_model::{BrainMaeConfig, DataShape, ModelError};
use burn::tensor::{Bool, Device, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const BATCH: usize = 2;
const SEGMENTS: usize = 4;
const SEGMENT_SECS: f32 = 15.0;

/// Weight of the hidden ROIs in the loss.
const LAMBDA: f64 = 0.75;

fn main() -> Result<(), ModelError> {
    let device = Device::default().autodiff();
    let data = DataShape {
        n_rois: 12,
        segment_len_trs: 6,
    };
    let config = BrainMaeConfig {
        d_model: 32,
        encoder_depth: 1,
        ..BrainMaeConfig::default()
    };
    let model = config.init(data, &mut ChaCha8Rng::seed_from_u64(1), &device)?;

    let dims = [BATCH, SEGMENTS, data.n_rois, data.segment_len_trs];
    let starts: Vec<f32> = (0..BATCH * SEGMENTS)
        .map(|i| (i % SEGMENTS) as f32 * SEGMENT_SECS)
        .collect();
    let valid = [true; BATCH * SEGMENTS];
    let input = model.input(waves(dims), dims, &starts, &valid);

    let every_third = (0..BATCH * SEGMENTS * data.n_rois).map(|i| i % 3 == 0);
    let every_third = TensorData::new(every_third.collect(), [BATCH, SEGMENTS, data.n_rois]);
    let hidden = Tensor::<3, Bool>::from_data(every_third, &device);

    let encoding = model.encode(&input, Some(&hidden));
    println!("samples:  {:?} [batch, d_model]", encoding.cls.dims());
    println!(
        "segments: {:?} [batch, segments, d_model]",
        encoding.tokens.dims()
    );
    let drawn = model.reconstruct(&input, Some(&hidden));
    println!("signals:  {:?} [batch, segments, rois, time]", drawn.dims());

    let loss = input.loss(drawn, &hidden, LAMBDA);
    let gradients = loss.total.backward();
    println!(
        "loss {:.3}, of hidden ROIs {:.3}, of visible ROIs {:.3}",
        number(loss.total),
        number(loss.hidden),
        number(loss.visible)
    );
    if let Some(gradient) = model.roi_vectors().grad(&gradients) {
        let norm = number(gradient.square().sum()).sqrt();
        println!("norm of the gradient of the ROI vectors: {norm:.4}");
    }
    Ok(())
}

/// Sine waves, row-major; every ROI has a period of its own.
fn waves([batch, segments, rois, time]: [usize; 4]) -> Vec<f32> {
    let mut bold = Vec::with_capacity(batch * segments * rois * time);
    for sample in 0..batch {
        for segment in 0..segments {
            for roi in 0..rois {
                let volumes = segment * time..(segment + 1) * time;
                bold.extend(volumes.map(|volume| {
                    let period = 4.0 + roi as f32;
                    (volume as f32 / period + sample as f32).sin()
                }));
            }
        }
    }
    bold
}

fn number(scalar: Tensor<1>) -> f32 {
    scalar.into_scalar::<f32>()
}
