use super::*;
use crate::testing::{Place, T2, compare, row};
use burn::tensor::TensorData;
use burn::tensor::activation::gelu;

#[test]
fn the_norm_and_its_gradients_are_those_of_the_definition() {
    for [rows, width] in [[1, 3], [70, 20], [1000, 64]] {
        compare(
            &[[rows, width], [1, width], [1, width]],
            [
                &|t, _| {
                    let apart = t[0].clone() - t[0].clone().mean_dim(1);
                    let variance = apart.clone().square().mean_dim(1);
                    apart / (variance + 1e-5).sqrt() * t[1].clone() + t[2].clone()
                },
                &|t, place| {
                    let norm = Norm {
                        gamma: row(&t[1]),
                        beta: row(&t[2]),
                    };
                    layer_norm(place.precision.activation(t[0].clone()), norm, 1e-5)
                },
            ],
        );
    }
}

/// Hides every third signal.
fn some_hidden(segments: usize, rois: usize, like: &T2) -> T2 {
    let hidden: Vec<f32> = (0..segments * rois)
        .map(|i| if i % 3 == 1 { 1.0 } else { 0.0 })
        .collect();
    let hidden: T2 = Tensor::from_data(TensorData::new(hidden, [segments, rois]), &like.device());
    hidden.cast(like.dtype())
}

#[test]
fn tokens_and_their_gradients_are_those_of_the_definition() {
    for [segments, rois, time, width] in [[1, 2, 3, 5], [21, 9, 20, 32]] {
        let linear = |t: &[T2]| Linear {
            weight: t[1].clone(),
            bias: row(&t[2]),
        };
        let flat = |x: Tensor<3>| x.reshape([segments * rois, width]);
        let plain = |t: &[T2]| t[0].clone().matmul(t[1].clone()) + t[2].clone();
        let signals = |t: &[T2], place: &Place| {
            let signals = t[0].clone().reshape([segments, rois, time]);
            place.precision.activation(signals)
        };
        compare(
            &[
                [segments * rois, time],
                [time, width],
                [1, width],
                [1, width],
            ],
            [
                &|t, _| {
                    let hidden = some_hidden(segments, rois, &t[0]).reshape([segments * rois, 1]);
                    plain(t) * (-hidden.clone() + 1.0) + hidden * t[3].clone()
                },
                &|t, place| {
                    let hidden = Hidden {
                        hidden: some_hidden(segments, rois, &t[0]),
                        token: row(&t[3]),
                    };
                    flat(embed(signals(t, place), linear(t), Some(hidden)))
                },
            ],
        );
        compare(
            &[[segments * rois, time], [time, width], [1, width]],
            [&|t, _| plain(t), &|t, place| {
                flat(embed(signals(t, place), linear(t), None))
            }],
        );
    }
}

#[test]
fn drawings_and_their_gradients_are_those_of_the_definition() {
    for [segments, rois, time, width] in [[1, 2, 3, 5], [21, 9, 20, 32]] {
        compare(
            &[[segments, width], [rois, width], [width, time], [1, time]],
            [
                &|t, _| {
                    let sum = t[0].clone().unsqueeze_dim::<3>(1) + t[1].clone().unsqueeze::<3>();
                    let rows = gelu(sum).reshape([segments * rois, width]);
                    rows.matmul(t[2].clone()) + t[3].clone()
                },
                &|t, place| {
                    let states = place.precision.activation(t[0].clone());
                    let linear = Linear {
                        weight: t[2].clone(),
                        bias: row(&t[3]),
                    };
                    draw(states, t[1].clone(), linear).reshape([segments * rois, time])
                },
            ],
        );
    }
}
