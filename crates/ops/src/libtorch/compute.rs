//! Operators, composed of LibTorch's own.

use tch::{Kind, Tensor};

use crate::block::{GRAPH_INPUTS, PADDED};
use crate::cpu;
use crate::operator::Operator;
use crate::recurrent::UNIT_INPUTS;

/// What is added to the score of a padded token.
const MASKED: f64 = -1e30;

/// Computes the operator with LibTorch. Products use the dtype of the first tensor: weights of
/// another dtype are converted to it, and their gradients back.
pub fn compute(inputs: &[&Tensor], operator: Operator) -> Tensor {
    let kind = inputs[0].kind();
    match operator {
        Operator::Block { heads, eps } => block(inputs, heads as i64, eps),
        Operator::LayerNorm { eps } => norm(inputs[0], inputs, 1, eps),
        Operator::Embed => {
            let tokens = linear(inputs[0], inputs, 1);
            match inputs.get(3) {
                Some(hidden) => {
                    let token = inputs[4].to_kind(kind);
                    token.where_self(&hidden.gt(0.5).unsqueeze(-1), &tokens)
                }
                None => tokens,
            }
        }
        Operator::Draw => {
            let sum = inputs[0].unsqueeze(1) + inputs[1].to_kind(kind).unsqueeze(0);
            full(&linear(&sum.gelu("none"), inputs, 2))
        }
        Operator::Linear { slope } => leaky_relu(&linear(inputs[0], inputs, 1), slope),
        Operator::FeedForward(how) => {
            let hidden = dropout(&linear(inputs[0], inputs, 1).relu(), how);
            linear(&hidden, inputs, 3)
        }
        Operator::Attention { heads, dropout } => attention(inputs, heads as i64, dropout),
        Operator::Dropout(how) => dropout(inputs[0], how),
        Operator::LeakyRelu { slope } => leaky_relu(inputs[0], slope),
        Operator::GraphLinear => {
            let mixed = inputs[1].bmm(inputs[0]) + inputs[0] * inputs[2];
            linear(&mixed, inputs, 3)
        }
        Operator::Cross { slope } => cross(inputs, slope),
        Operator::Moments => {
            let variance = inputs[0].var_dim(Some([0].as_slice()), false, false);
            Tensor::stack(
                &[
                    inputs[0].mean_dim(Some([0].as_slice()), false, None),
                    variance,
                ],
                0,
            )
        }
        Operator::NormRelu { eps, of_input } => {
            let (mean, variance) = (inputs[1].get(0), inputs[1].get(1));
            let known = (!of_input).then_some([&mean, &variance]);
            let normed = inputs[0].batch_norm(
                Some(inputs[2]),
                Some(inputs[3]),
                known.map(|known| known[0]),
                known.map(|known| known[1]),
                of_input,
                0.0,
                eps,
                false,
            );
            match inputs.get(4) {
                Some(_) => linear(&normed.relu(), inputs, 4),
                None => normed.relu(),
            }
        }
        Operator::Recurrent => {
            let starts = (1..inputs.len()).step_by(UNIT_INPUTS);
            let units = starts.enumerate();
            let states: Vec<Tensor> = units
                .map(|(direction, at)| recurrent(inputs, at, direction > 0))
                .collect();
            Tensor::cat(&states, 2)
        }
        Operator::Orthogonality => {
            let h = inputs[0];
            let inner = h.bmm(&h.transpose(1, 2));
            let largest = inner.max_dim(2, true).0.clamp_min(1e-6);
            let apart = inner / largest - Tensor::eye(h.size()[1], (kind, h.device()));
            let squares = apart
                .triu(0)
                .square()
                .sum_dim_intlist([1, 2].as_slice(), false, None);
            (squares + 1e-12).sqrt()
        }
        Operator::WeightedMean => {
            let score = inputs[0].bmm(&inputs[1].unsqueeze(2)).squeeze_dim(2) + inputs[2];
            let weight = score.sigmoid() * inputs[3];
            let sum = weight.unsqueeze(1).bmm(inputs[0]).squeeze_dim(1);
            sum / inputs[0].size()[1] as f64
        }
    }
}

/// `x` with a share of its values dropped.
fn dropout(x: &Tensor, how: cpu::Dropout) -> Tensor {
    if !how.is_on() {
        return x.shallow_clone();
    }
    let mut kept = vec![0.0f32; x.numel()];
    how.apply(&vec![1.0; kept.len()], &mut kept);
    let kept = Tensor::from_slice(&kept).reshape(x.size());
    x * kept.to_device(x.device()).to_kind(x.kind())
}

fn leaky_relu(x: &Tensor, slope: f64) -> Tensor {
    match slope == 1.0 {
        true => x.shallow_clone(),
        false => x.relu() - (-x).relu() * slope,
    }
}

/// Attention between sequences of projected tokens.
fn attention(inputs: &[&Tensor], heads: i64, dropout: cpu::Dropout) -> Tensor {
    let split = |x: &Tensor| {
        let size = x.size();
        let x = x.reshape([size[0], size[1], heads, size[2] / heads]);
        x.transpose(1, 2)
    };
    let [q, k, v] = [0, 1, 2].map(|i| split(inputs[i]));
    let mut score = q.matmul(&k.transpose(2, 3)) / (q.size()[3] as f64).sqrt();
    if let (Some(bias), Some(hidden)) = (inputs.get(3), inputs.get(4)) {
        score = score + bias.unsqueeze(0) + hidden.unsqueeze(1).unsqueeze(1);
    }
    let mut weights = score.softmax(-1, None::<Kind>);
    if dropout.is_on() {
        let size = weights.size();
        let mut kept = vec![0.0f32; weights.numel()];
        let rows = kept.chunks_exact_mut(size[3] as usize).enumerate();
        rows.for_each(|(i, row)| dropout.row(i as u64, row));
        let kept = Tensor::from_slice(&kept).reshape(size);
        weights = weights * kept.to_device(q.device()).to_kind(q.kind());
    }
    weights.matmul(&v).transpose(1, 2).reshape(inputs[0].size())
}

/// Sums over rows and columns of edges, which are sums of a row and a column.
fn cross(inputs: &[&Tensor], slope: f64) -> Tensor {
    let arms = inputs[0];
    let (rois, n_in) = (arms.size()[2], arms.size()[3]);
    let arm = |i: i64| arms.select(1, i).transpose(1, 2); // [scans, n_in, rois]
    let edges = leaky_relu(&(arm(0).unsqueeze(3) + arm(1).unsqueeze(2)), slope);
    let sums = |edges: &Tensor, weight: &Tensor| {
        let weight = weight.to_kind(arms.kind()).reshape([1, n_in, rois, -1]);
        edges
            .matmul(&weight)
            .sum_dim_intlist([1].as_slice(), false, None)
    };
    let rows = sums(&edges, inputs[1]);
    let columns = sums(&edges.transpose(2, 3), inputs[2]) + inputs[3].to_kind(arms.kind());
    Tensor::stack(&[rows, columns], 1)
}

/// Gated recurrent unit of one direction, whose maps are the inputs from `at` on.
fn recurrent(inputs: &[&Tensor], at: usize, backwards: bool) -> Tensor {
    let x = linear(inputs[0], inputs, at);
    let [weight, bias] = [2, 3].map(|i| inputs[at + i].to_kind(x.kind()));
    let (time, n) = (x.size()[1], weight.size()[0]);
    let mut h = Tensor::zeros([x.size()[0], n], (x.kind(), x.device()));
    let mut states = Vec::new();
    for step in 0..time {
        let x = x.select(1, if backwards { time - 1 - step } else { step });
        let of_states = bias.addmm(&h, &weight);
        let gate = |i: i64| (x.narrow(1, i * n, n) + of_states.narrow(1, i * n, n)).sigmoid();
        let (r, z) = (gate(0), gate(1));
        let new = (x.narrow(1, 2 * n, n) + r * of_states.narrow(1, 2 * n, n)).tanh();
        h = &new + z * (&h - &new);
        states.push(h.shallow_clone());
    }
    if backwards {
        states.reverse();
    }
    Tensor::stack(&states, 1)
}

/// Converts `x` to 32 bits if it has fewer.
fn full(x: &Tensor) -> Tensor {
    match x.kind() {
        Kind::BFloat16 => x.to_kind(Kind::Float),
        _ => x.shallow_clone(),
    }
}

/// `x weight + bias` over the last axis; one kernel computes product and sum.
fn linear(x: &Tensor, inputs: &[&Tensor], at: usize) -> Tensor {
    let [weight, bias] = [at, at + 1].map(|i| inputs[i].to_kind(x.kind()));
    let mut shape = x.size();
    let width = shape.pop().unwrap_or(1);
    shape.push(bias.size()[0]);
    bias.addmm(&x.reshape([-1, width]), &weight).reshape(shape)
}

/// Layer norm in at least 32 bits.
fn norm(x: &Tensor, inputs: &[&Tensor], at: usize, eps: f64) -> Tensor {
    let (gamma, beta) = (inputs[at], inputs[at + 1]);
    full(x).layer_norm(gamma.size(), Some(gamma), Some(beta), eps, true)
}

fn block(inputs: &[&Tensor], heads: i64, eps: f64) -> Tensor {
    let x = inputs[0];
    let [m, n, width] = x.size()[..] else {
        panic!(
            "a block takes [sequences, tokens, width], got {:?}",
            x.size()
        )
    };
    let head = width / heads;
    let split = |x: Tensor| x.reshape([m, n, heads, head]).transpose(1, 2);
    let kind = x.kind();
    let y = norm(x, inputs, 1, eps).to_kind(kind);
    let v = linear(&y, inputs, 3);
    let mixed = if inputs.len() == GRAPH_INPUTS {
        // One product per head for the whole batch: the samples become columns.
        let v = v.reshape([m, n, heads, head]).permute([2, 1, 0, 3]);
        let mixed = inputs[13]
            .to_kind(kind)
            .bmm(&v.reshape([heads, n, m * head]));
        mixed.reshape([heads, n, m, head]).permute([2, 1, 0, 3])
    } else {
        let (q, k) = (linear(&y, inputs, 13), linear(&y, inputs, 15));
        let (mut q, k, v) = (split(q), split(k), split(v));
        let padded = (inputs.get(PADDED)).map(|padded| {
            // Without queries, the tokens of a sequence of padding attend to all alike, and no
            // gradient reaches their scores.
            let some: Tensor = 1.0 - padded.amin([1].as_slice(), true);
            q = &q * some.to_kind(kind).reshape([m, 1, 1, 1]);
            // Added to the scores: so much that nothing is left of them.
            let added = *padded * some * MASKED;
            added.to_kind(kind).reshape([m, 1, 1, n])
        });
        Tensor::scaled_dot_product_attention(&q, &k, &v, padded, 0.0, false, None, false)
            .transpose(1, 2)
    };
    let x = x + linear(&mixed.reshape([m, n, width]), inputs, 5);
    let y = norm(&x, inputs, 7, eps).to_kind(kind);
    let inner = linear(&y, inputs, 9).gelu("none");
    &x + linear(&inner, inputs, 11)
}
