use super::*;
use crate::testing::{Place, places};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Device, TensorData};
use rand::{RngExt, SeedableRng};

const EPS: f64 = 1e-5;

/// Source of the attention weights in a test.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    Graph,
    Tokens,
    /// Every third token is padding; the second sequence is padding throughout.
    PaddedTokens,
}

/// Flags of the padded tokens.
fn padded(of: Of, [m, n]: [usize; 2], device: &Device) -> Option<Tensor<2>> {
    let flag = |i: usize| f32::from(u8::from(i / n == 1 || i % n % 3 == 1));
    let flags: Vec<f32> = (0..m * n).map(flag).collect();
    (of == Of::PaddedTokens).then(|| Tensor::from_data(TensorData::new(flags, [m, n]), device))
}

/// The block by its definition, from operators that burn differentiates itself.
fn by_definition(x: Tensor<3>, w: &[Tensor<2>], heads: usize, of: Of) -> Tensor<3> {
    let [m, n, d] = x.dims();
    let row = |i: usize| w[i].clone().unsqueeze::<3>();
    let linear = |x: Tensor<3>, i: usize| x.matmul(w[i].clone().unsqueeze()) + row(i + 1);
    let norm = |x: Tensor<3>, i: usize| {
        let apart = x.clone() - x.mean_dim(2);
        let variance = apart.clone().square().mean_dim(2);
        apart / (variance + EPS).sqrt() * row(i) + row(i + 1)
    };
    let split = |x: Tensor<3>| x.reshape([m, n, heads, d / heads]).swap_dims(1, 2);
    let y = norm(x.clone(), 0);
    let weights: Tensor<4> = if of == Of::Graph {
        w[12].clone().reshape([1, heads, n, n])
    } else {
        let q = split(linear(y.clone(), 12));
        let k = split(linear(y.clone(), 14));
        let scores = q.matmul(k.swap_dims(2, 3)) / ((d / heads) as f64).sqrt();
        let scores = match padded(of, [m, n], &x.device()) {
            Some(padded) => {
                let padded = padded.greater_elem(0.5).reshape([m, 1, 1, n]);
                scores.mask_fill(padded.expand([m, heads, n, n]), f32::MIN)
            }
            None => scores,
        };
        softmax(scores, 3)
    };
    let y = weights.expand([m, heads, n, n]).matmul(split(linear(y, 2)));
    let x = x + linear(y.swap_dims(1, 2).reshape([m, n, d]), 4);
    let y = gelu(linear(norm(x.clone(), 6), 8));
    x + linear(y, 10)
}

fn fused(x: Tensor<3>, w: &[Tensor<2>], heads: usize, of: Of) -> Tensor<3> {
    let [m, n, _] = x.dims();
    let row = |i: usize| w[i].clone().reshape([-1]);
    let linear = |i: usize| Linear {
        weight: w[i].clone(),
        bias: row(i + 1),
    };
    let norm = |i: usize| Norm {
        gamma: row(i),
        beta: row(i + 1),
    };
    let block = Block {
        norm1: norm(0),
        mixing: if of == Of::Graph {
            Mixing::Graph(w[12].clone().reshape([heads, n, n]))
        } else {
            Mixing::Tokens {
                q: linear(12),
                k: linear(14),
                padded: padded(of, [m, n], &x.device()),
            }
        },
        v: linear(2),
        o: linear(4),
        norm2: norm(6),
        fc1: linear(8),
        fc2: linear(10),
        heads,
        eps: EPS,
    };
    block.forward(x)
}

/// Output and all gradients of a loss that weighs every output differently.
fn run(
    make: fn(Tensor<3>, &[Tensor<2>], usize, Of) -> Tensor<3>,
    [m, n, d, inner, heads]: [usize; 5],
    of: Of,
    place: &Place,
) -> Vec<Vec<f32>> {
    let device = place.device.clone().autodiff();
    let rng = &mut rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut draw = |shape: [usize; 2]| {
        let values: Vec<f32> = (0..shape[0] * shape[1])
            .map(|_| rng.random_range(-0.6..0.6))
            .collect();
        Tensor::<2>::from_data(TensorData::new(values, shape), &device).cast(place.dtype)
    };
    let x = draw([m * n, d]).reshape([m, n, d]).require_grad();
    let slopes = draw([m * n, d]).reshape([m, n, d]);
    let linear = |i: usize, o: usize| [[i, o], [1, o]];
    let mut shapes: Vec<[usize; 2]> = vec![[1, d], [1, d]];
    shapes.extend([linear(d, d), linear(d, d)].concat());
    shapes.extend([[1, d], [1, d]]);
    shapes.extend([linear(d, inner), linear(inner, d)].concat());
    if of == Of::Graph {
        shapes.push([heads * n, n]);
    } else {
        shapes.extend([linear(d, d), linear(d, d)].concat());
    }
    let w: Vec<Tensor<2>> = shapes.iter().map(|s| draw(*s).require_grad()).collect();
    let y = make(place.precision.activation(x.clone()), &w, heads, of).cast(place.dtype);
    let grads = (y.clone() * slopes).sum().backward();
    let values = |data: TensorData| data.iter::<f32>().collect::<Vec<f32>>();
    let mut all = vec![values(y.into_data())];
    all.push(values(x.grad(&grads).unwrap().into_data()));
    all.extend(
        w.iter()
            .map(|w| values(w.grad(&grads).unwrap().into_data())),
    );
    all
}

#[test]
fn the_block_and_its_gradients_are_those_of_the_definition() {
    // Widths below one register and above one, and more sequences than runs.
    for shape in [[1, 2, 4, 8, 1], [3, 7, 12, 20, 3], [19, 33, 32, 48, 2]] {
        let all = [Of::Graph, Of::Tokens, Of::PaddedTokens].into_iter();
        for (of, place) in all.flat_map(|of| places().into_iter().map(move |p| (of, p))) {
            let expected = run(by_definition, shape, of, &places()[0]);
            let found = run(fused, shape, of, &place);
            assert_eq!(found.len(), expected.len());
            for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(found.len(), expected.len());
                let allowed = place.tolerance(3e-5, expected);
                for (found, expected) in found.iter().zip(expected) {
                    assert!(
                        (found - expected).abs() <= allowed,
                        "{shape:?}, {of:?}, {place:?}, tensor {i}: {found}, expected {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_result_does_not_depend_on_the_threads() {
    let shape = [19, 33, 32, 48, 2];
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| run(fused, shape, Of::PaddedTokens, &places()[0]))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn inference_takes_no_gradients() {
    let device = Device::flex();
    let x = Tensor::<3>::ones([2, 3, 4], &device);
    let w: Vec<Tensor<2>> = [
        [1, 4],
        [1, 4],
        [4, 4],
        [1, 4],
        [4, 4],
        [1, 4],
        [1, 4],
        [1, 4],
        [4, 8],
        [1, 8],
        [8, 4],
        [1, 4],
        [3, 3],
    ]
    .map(|shape| Tensor::ones(shape, &device))
    .to_vec();
    // The norm of equal numbers is beta, 1. Each value is four ones plus a bias of 1: 5. Three
    // tokens with weights of 1 sum to 15; the rest follows.
    let found = fused(x.clone(), &w, 1, Of::Graph).into_data();
    let expected = by_definition(x, &w, 1, Of::Graph).into_data();
    found.assert_approx_eq::<f32>(&expected, burn::tensor::Tolerance::absolute(1e-4));
}
