use super::*;
use burn::tensor::activation::gelu;
use burn::tensor::{Device, TensorData};
use rand::{RngExt, SeedableRng};

type T2 = Tensor<2>;
type Way<'a> = &'a dyn Fn(&[T2]) -> T2;

fn draws(shapes: &[[usize; 2]]) -> Vec<T2> {
    let device = Device::flex().autodiff();
    let rng = &mut rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let draw = |shape: &[usize; 2]| {
        let n = shape[0] * shape[1];
        let values: Vec<f32> = (0..n).map(|_| rng.random_range(-1.0..1.0)).collect();
        Tensor::from_data(TensorData::new(values, *shape), &device).require_grad()
    };
    shapes.iter().map(draw).collect()
}

fn row(x: &T2) -> Tensor<1> {
    x.clone().reshape([-1])
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec::<f32>().unwrap()
}

/// Compares outputs and gradients of two ways to compute one thing; every output counts differently.
fn compare(shapes: &[[usize; 2]], ways: [Way<'_>; 2]) {
    let [expected, found] = ways.map(|way| {
        let inputs = draws(shapes);
        let out = way(&inputs);
        let [rows, columns] = out.dims();
        let factors = draws(&[[rows, columns]]).remove(0);
        let grads = (out.clone() * factors).sum().backward();
        let mut all = vec![values(out)];
        all.extend(
            inputs
                .iter()
                .map(|x| x.grad(&grads).map_or(Vec::new(), values)),
        );
        all
    });
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "tensor {i}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 2e-5 * expected.abs().max(1.0),
                "{shapes:?}, tensor {i}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn the_norm_and_its_gradients_are_those_of_the_definition() {
    for [rows, width] in [[1, 3], [70, 20], [1000, 64]] {
        compare(
            &[[rows, width], [1, width], [1, width]],
            [
                &|t| {
                    let apart = t[0].clone() - t[0].clone().mean_dim(1);
                    let variance = apart.clone().square().mean_dim(1);
                    apart / (variance + 1e-5).sqrt() * t[1].clone() + t[2].clone()
                },
                &|t| {
                    let norm = Norm {
                        gamma: row(&t[1]),
                        beta: row(&t[2]),
                    };
                    layer_norm(t[0].clone(), norm, 1e-5)
                },
            ],
        );
    }
}

/// Every third signal.
fn some_hidden(segments: usize, rois: usize) -> T2 {
    let hidden: Vec<f32> = (0..segments * rois)
        .map(|i| if i % 3 == 1 { 1.0 } else { 0.0 })
        .collect();
    Tensor::from_data(
        TensorData::new(hidden, [segments, rois]),
        &Device::flex().autodiff(),
    )
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
        let signals = |t: &[T2]| t[0].clone().reshape([segments, rois, time]);
        compare(
            &[
                [segments * rois, time],
                [time, width],
                [1, width],
                [1, width],
            ],
            [
                &|t| {
                    let hidden = some_hidden(segments, rois).reshape([segments * rois, 1]);
                    plain(t) * (-hidden.clone() + 1.0) + hidden * t[3].clone()
                },
                &|t| {
                    let hidden = Hidden {
                        hidden: some_hidden(segments, rois),
                        token: row(&t[3]),
                    };
                    flat(embed(signals(t), linear(t), Some(hidden)))
                },
            ],
        );
        compare(
            &[[segments * rois, time], [time, width], [1, width]],
            [&plain, &|t| flat(embed(signals(t), linear(t), None))],
        );
    }
}

#[test]
fn drawings_and_their_gradients_are_those_of_the_definition() {
    for [segments, rois, time, width] in [[1, 2, 3, 5], [21, 9, 20, 32]] {
        compare(
            &[[segments, width], [rois, width], [width, time], [1, time]],
            [
                &|t| {
                    let sum = t[0].clone().unsqueeze_dim::<3>(1) + t[1].clone().unsqueeze::<3>();
                    let rows = gelu(sum).reshape([segments * rois, width]);
                    rows.matmul(t[2].clone()) + t[3].clone()
                },
                &|t| {
                    let linear = Linear {
                        weight: t[2].clone(),
                        bias: row(&t[3]),
                    };
                    draw(t[0].clone(), t[1].clone(), linear).reshape([segments * rois, time])
                },
            ],
        );
    }
}
