//! Comparison of the fused embedding with its definition in burn's operators: values, gradients.
//!
//! `cargo run -p brainmae-ops --example fused_embedding`

use brainmae_ops::{Hidden, Linear, embed};
use burn::tensor::{Device, Tensor, TensorData};

const SEGMENTS: usize = 20;
const ROIS: usize = 100;
const TIME: usize = 20;
const WIDTH: usize = 64;

/// Inputs of the operator, each with a gradient.
struct Inputs {
    /// `[segments * rois, time]`
    bold: Tensor<2>,
    /// `[time, width]`
    weight: Tensor<2>,
    /// `[1, width]`
    bias: Tensor<2>,
    /// `[1, width]`
    token: Tensor<2>,
    /// 1 where a signal is hidden, 0 elsewhere, `[segments, rois]`; without a gradient.
    hidden: Tensor<2>,
}

impl Inputs {
    fn new(device: &Device) -> Self {
        let every_third = (0..SEGMENTS * ROIS).map(|i| f32::from(u8::from(i % 3 == 0)));
        let hidden = TensorData::new(every_third.collect(), [SEGMENTS, ROIS]);
        Self {
            bold: wave([SEGMENTS * ROIS, TIME], 0.7, device).require_grad(),
            weight: wave([TIME, WIDTH], 1.3, device).require_grad(),
            bias: wave([1, WIDTH], 2.1, device).require_grad(),
            token: wave([1, WIDTH], 2.9, device).require_grad(),
            hidden: Tensor::from_data(hidden, device),
        }
    }

    /// `[segments * rois, width]`
    fn by_definition(&self) -> Tensor<2> {
        let hidden = self.hidden.clone().reshape([SEGMENTS * ROIS, 1]);
        let visible = -hidden.clone() + 1.0;
        let tokens = self.bold.clone().matmul(self.weight.clone()) + self.bias.clone();
        tokens * visible + hidden * self.token.clone()
    }

    /// `[segments * rois, width]`
    fn fused(&self) -> Tensor<2> {
        let linear = Linear {
            weight: self.weight.clone(),
            bias: self.bias.clone().reshape([WIDTH]),
        };
        let hidden = Hidden {
            hidden: self.hidden.clone(),
            token: self.token.clone().reshape([WIDTH]),
        };
        let bold = self.bold.clone().reshape([SEGMENTS, ROIS, TIME]);
        embed(bold, linear, Some(hidden)).reshape([SEGMENTS * ROIS, WIDTH])
    }
}

fn main() {
    let device = Device::default().autodiff();
    let definition = all(Inputs::by_definition, &device);
    let fused = all(Inputs::fused, &device);
    for ((name, expected), (_, found)) in definition.iter().zip(&fused) {
        let apart = expected.iter().zip(found).map(|(a, b)| (a - b).abs());
        let largest = expected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        println!(
            "{name}: {} values up to {largest:.3}, largest difference {:.1e}",
            found.len(),
            apart.fold(0.0_f32, f32::max)
        );
    }
}

/// The output and the gradients of a loss that weighs every output differently.
fn all(forward: fn(&Inputs) -> Tensor<2>, device: &Device) -> Vec<(&'static str, Vec<f32>)> {
    let inputs = Inputs::new(device);
    let out = forward(&inputs);
    let weights = wave([SEGMENTS * ROIS, WIDTH], 0.3, device);
    let gradients = (out.clone() * weights).sum().backward();
    let gradient = |of: &Tensor<2>| of.grad(&gradients).map_or(Vec::new(), values);
    vec![
        ("output", values(out)),
        ("gradient of the signals", gradient(&inputs.bold)),
        ("gradient of the weight", gradient(&inputs.weight)),
        ("gradient of the bias", gradient(&inputs.bias)),
        ("gradient of the mask token", gradient(&inputs.token)),
    ]
}

fn wave(shape: [usize; 2], step: f32, device: &Device) -> Tensor<2> {
    let values = (0..shape[0] * shape[1]).map(|i| (i as f32 * step).sin());
    Tensor::from_data(TensorData::new(values.collect(), shape), device)
}

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
