//! Operators on slices, shared by every backend on the CPU.

mod parts;

use super::activation::LeakyRelu;
use super::backward::{BlockGrad, LinearGrad};
use super::norm_relu;
use super::segments;
use super::tokens::{Draw, LayerNorm};
use crate::operator::Operator;
use crate::recurrent::UNIT_INPUTS;
use parts::{
    attention, block, cross, embed, feed_forward, graph_linear, hidden, linear, map, norm,
    norm_relu, orthogonality, padded, recurrent, sequences, weighted_mean,
};

/// Contiguous inputs of an operator, each with its shape.
pub type Inputs<'a> = [(&'a [f32], Vec<usize>)];

/// Shape of the output.
pub fn out_shape(operator: Operator, inputs: &Inputs<'_>) -> Vec<usize> {
    let shape = |i: usize| &inputs[i].1;
    match operator {
        Operator::Block { .. }
        | Operator::LayerNorm { .. }
        | Operator::Attention { .. }
        | Operator::LeakyRelu { .. }
        | Operator::Dropout(_) => shape(0).clone(),
        Operator::Embed => vec![shape(0)[0], shape(0)[1], shape(2)[0]],
        Operator::Draw => vec![shape(0)[0], shape(1)[0], shape(3)[0]],
        Operator::Linear { .. } => with_width(shape(0), shape(2)[0]),
        Operator::FeedForward(_) => with_width(shape(0), shape(4)[0]),
        Operator::GraphLinear => vec![shape(0)[0], shape(0)[1], shape(4)[0]],
        Operator::Cross { .. } => with_width(shape(0), shape(3)[0]),
        Operator::Moments => vec![2, shape(0)[1]],
        Operator::NormRelu { .. } => match inputs.get(5) {
            Some((_, outputs)) => vec![shape(0)[0], outputs[0]],
            None => shape(0).clone(),
        },
        Operator::Recurrent => {
            let directions = inputs.len() / UNIT_INPUTS;
            vec![shape(0)[0], shape(0)[1], directions * shape(3)[0]]
        }
        Operator::Orthogonality => vec![shape(0)[0]],
        Operator::WeightedMean => vec![shape(0)[0], shape(0)[2]],
    }
}

/// A shape with another last axis.
fn with_width(shape: &[usize], width: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(last) = shape.last_mut() {
        *last = width;
    }
    shape
}

/// Forward pass; fills `out`, which holds zeros.
pub fn forward(operator: Operator, inputs: &Inputs<'_>, out: &mut [f32]) {
    let x = inputs[0].0;
    match operator {
        Operator::Block { heads, eps } => {
            segments::forward(&block(inputs, heads, eps), x, padded(inputs), out);
        }
        Operator::LayerNorm { eps } => LayerNorm(norm(inputs, 1, eps)).forward(x, out),
        Operator::Embed => embed(inputs).forward(x, hidden(inputs), out),
        Operator::Draw => Draw::new(inputs[1].0, linear(inputs, 2)).forward(x, out),
        Operator::Linear { slope } => map(inputs, slope).forward(x, out),
        Operator::FeedForward(dropout) => feed_forward(inputs, dropout).forward(x, out),
        Operator::Attention { heads, dropout } => {
            attention(inputs, heads, dropout).forward(&sequences(inputs), out);
        }
        Operator::Dropout(dropout) => dropout.apply(x, out),
        Operator::LeakyRelu { slope } => LeakyRelu(slope as f32).forward(x, out),
        Operator::GraphLinear => graph_linear(inputs).forward(x, inputs[1].0, out),
        Operator::Cross { slope } => cross(inputs, slope).forward(x, out),
        Operator::Moments => norm_relu::moments(x, inputs[0].1[1], out),
        Operator::NormRelu { eps, .. } => norm_relu(inputs, eps).forward(x, out),
        Operator::Recurrent => recurrent(inputs).forward(x, out),
        Operator::Orthogonality => orthogonality(inputs).forward(x, out),
        Operator::WeightedMean => weighted_mean(inputs).forward(out),
    }
}

/// Length of the buffer that [`backward`] needs for the gradient of the first input. It is 0 only
/// if this gradient is neither wanted nor an intermediate result of the others.
pub fn grad_x_len(operator: Operator, inputs: &Inputs<'_>, wanted: bool) -> usize {
    match operator {
        Operator::Embed | Operator::Linear { .. } | Operator::Recurrent if !wanted => 0,
        _ => inputs[0].0.len(),
    }
}

/// Computes the gradients of all inputs but the first. If the operator
/// [keeps its output](Operator::keeps_output), that is the last of `inputs`. The gradient of the
/// first fills `grad_x`, which holds [`grad_x_len`] zeros.
pub fn backward(
    operator: Operator,
    inputs: &Inputs<'_>,
    grad: &[f32],
    grad_x: &mut [f32],
) -> Vec<Option<Vec<f32>>> {
    let x = inputs[0].0;
    let grads = match operator {
        Operator::Block { heads, eps } => {
            let block = block(inputs, heads, eps);
            let padded = padded(inputs);
            let grads = segments::backward(&block, x, padded, grad, grad_x);
            let grads = listed(grads, block.rois, block.stride());
            // The flags of padded tokens have no gradient.
            return (grads.into_iter().map(Some))
                .chain(padded.map(|_| None))
                .collect();
        }
        Operator::LayerNorm { eps } => LayerNorm(norm(inputs, 1, eps)).backward(x, grad, grad_x),
        Operator::Embed => {
            let grads = embed(inputs).backward(x, hidden(inputs), grad, grad_x);
            let mut grads: Vec<_> = grads.into_iter().map(Some).collect();
            // The flags of hidden signals have no gradient.
            grads.insert(2, None);
            return grads;
        }
        Operator::Draw => Draw::new(inputs[1].0, linear(inputs, 2)).backward(x, grad, grad_x),
        Operator::Linear { slope } => {
            let out = inputs.get(3).map_or(grad, |(out, _)| *out);
            map(inputs, slope).backward(x, out, grad, grad_x)
        }
        Operator::FeedForward(dropout) => feed_forward(inputs, dropout).backward(x, grad, grad_x),
        Operator::Attention { heads, dropout } => {
            let attention = attention(inputs, heads, dropout);
            let [k, v, bias] = attention.backward(&sequences(inputs), grad, grad_x);
            let with_bias = inputs.len() > 3;
            let bias = with_bias.then_some([Some(bias), None]);
            let grads = [Some(k), Some(v)].into_iter();
            return grads.chain(bias.into_iter().flatten()).collect();
        }
        Operator::Dropout(dropout) => {
            dropout.apply(grad, grad_x);
            Vec::new()
        }
        Operator::LeakyRelu { slope } => {
            LeakyRelu(slope as f32).backward(x, grad, grad_x);
            Vec::new()
        }
        Operator::GraphLinear => {
            let grads = graph_linear(inputs).backward(x, inputs[1].0, grad, grad_x);
            return first_without(grads);
        }
        Operator::Cross { slope } => cross(inputs, slope).backward(x, grad, grad_x).into(),
        Operator::Moments => unreachable!("moments have no gradient"),
        Operator::NormRelu { eps, of_input } => {
            let grads = norm_relu(inputs, eps).backward(x, grad, grad_x, of_input);
            return first_without(grads);
        }
        Operator::Recurrent => recurrent(inputs).backward(x, grad, grad_x),
        Operator::Orthogonality => {
            orthogonality(inputs).backward(x, grad, grad_x);
            Vec::new()
        }
        Operator::WeightedMean => {
            let grads = weighted_mean(inputs).backward(grad, grad_x);
            return grads.map(Some).into_iter().chain([None]).collect();
        }
    };
    grads.into_iter().map(Some).collect()
}

/// Gradients after that of an input without gradient.
fn first_without(grads: Vec<Vec<f32>>) -> Vec<Option<Vec<f32>>> {
    let grads = grads.into_iter().map(Some);
    std::iter::once(None).chain(grads).collect()
}

/// Gradients of the weights in the order of the operator's inputs.
fn listed(grads: BlockGrad, rois: usize, stride: usize) -> Vec<Vec<f32>> {
    let mut list = Vec::from(grads.norm1);
    let linear = |list: &mut Vec<Vec<f32>>, grad: LinearGrad| list.extend([grad.weight, grad.bias]);
    linear(&mut list, grads.v);
    linear(&mut list, grads.o);
    list.extend(grads.norm2);
    linear(&mut list, grads.fc1);
    linear(&mut list, grads.fc2);
    if grads.qk.is_empty() {
        let rows = grads.alpha.chunks_exact(stride);
        list.push(rows.flat_map(|row| &row[..rois]).copied().collect());
    }
    for grad in grads.qk {
        linear(&mut list, grad);
    }
    list
}
