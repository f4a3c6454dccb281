//! The operators on Flex.

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{DType, Flex, TensorMetadata};
use burn::tensor::{Bytes, Shape};

use crate::block::GRAPH_INPUTS;
use crate::cpu::{self, BlockGrad, LinearGrad};
use crate::operator::{Fused, Kernels, Operator, Tensors};

impl Fused for Flex {
    fn fused(inputs: Tensors<Self>, operator: Operator) -> FlexTensor {
        Self::forward_saving(inputs.0, operator).0
    }
}

impl Kernels for Flex {
    type Saved = Vec<FlexTensor>;

    fn forward_saving(inputs: Vec<FlexTensor>, operator: Operator) -> (FlexTensor, Self::Saved) {
        let inputs: Vec<FlexTensor> = inputs.iter().map(FlexTensor::to_contiguous).collect();
        let shapes: Vec<Shape> = inputs.iter().map(|tensor| tensor.shape()).collect();
        let all = &slices(&inputs);
        let x = all[0];
        let (out, shape) = match operator {
            Operator::Block { heads, eps } => (
                cpu::forward(&block(all, &shapes[0], heads, eps), x),
                shapes[0].clone(),
            ),
            Operator::LayerNorm { eps } => (
                cpu::LayerNorm(norm(all, 1, eps)).forward(x),
                shapes[0].clone(),
            ),
            Operator::Embed => {
                let embed = embed(all, &shapes[0]);
                let tokens = embed.forward(x, all.get(3).copied());
                let [segments, rois] = [shapes[0][0], shapes[0][1]];
                (tokens, Shape::from([segments, rois, shapes[2][0]]))
            }
            Operator::Draw => {
                let drawn = cpu::Draw::new(all[1], linear(all, 2)).forward(x);
                (
                    drawn,
                    Shape::from([shapes[0][0], shapes[1][0], shapes[3][0]]),
                )
            }
        };
        (tensor(out, shape), inputs)
    }

    fn backward(
        saved: Self::Saved,
        grad: FlexTensor,
        operator: Operator,
        wanted: &[bool],
    ) -> Vec<Option<FlexTensor>> {
        let grad = grad.to_contiguous();
        let grad = slices(std::slice::from_ref(&grad))[0];
        let shapes: Vec<Shape> = saved.iter().map(|tensor| tensor.shape()).collect();
        let all = &slices(&saved);
        let x = all[0];
        let some = |grad_x: Vec<f32>, others: Vec<Vec<f32>>| -> Vec<Option<Vec<f32>>> {
            let all = std::iter::once(grad_x).chain(others);
            all.map(Some).collect()
        };
        let grads = match operator {
            Operator::Block { heads, eps } => {
                let block = block(all, &shapes[0], heads, eps);
                let (grad_x, grads) = cpu::backward(&block, x, grad);
                some(grad_x, listed(grads, block.rois, block.stride()))
            }
            Operator::LayerNorm { eps } => {
                let (grad_x, others) = cpu::LayerNorm(norm(all, 1, eps)).backward(x, grad);
                some(grad_x, others)
            }
            Operator::Embed => {
                let hidden = all.get(3).copied();
                let embed = embed(all, &shapes[0]);
                let (grad_x, others) = embed.backward(x, hidden, grad, wanted[0]);
                let mut grads = some(grad_x, others);
                // Whether a signal is hidden is nothing to learn.
                grads.insert(3, None);
                grads
            }
            Operator::Draw => {
                let draw = cpu::Draw::new(all[1], linear(all, 2));
                let (grad_x, others) = draw.backward(x, grad);
                some(grad_x, others)
            }
        };
        let tensors = grads.into_iter().zip(shapes);
        tensors
            .map(|(grad, shape)| grad.map(|grad| tensor(grad, shape)))
            .collect()
    }
}

/// The gradients of the weights in the order of the operator's inputs.
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

/// The numbers of contiguous tensors.
fn slices(tensors: &[FlexTensor]) -> Vec<&[f32]> {
    tensors
        .iter()
        .map(|tensor| match tensor.as_slice() {
            Some(slice) => slice,
            None => panic!("a fused operator takes contiguous 32-bit tensors"),
        })
        .collect()
}

fn norm<'a>(inputs: &[&'a [f32]], at: usize, eps: f64) -> cpu::Norm<'a> {
    cpu::Norm {
        gamma: inputs[at],
        beta: inputs[at + 1],
        eps: eps as f32,
    }
}

fn linear<'a>(inputs: &[&'a [f32]], at: usize) -> cpu::Linear<'a> {
    cpu::Linear {
        weight: inputs[at],
        bias: inputs[at + 1],
    }
}

fn embed<'a>(inputs: &[&'a [f32]], bold: &Shape) -> cpu::Embed<'a> {
    cpu::Embed {
        rois: bold[1],
        time: bold[2],
        linear: linear(inputs, 1),
        token: inputs.get(4).copied(),
    }
}

fn block<'a>(inputs: &[&'a [f32]], x: &Shape, heads: usize, eps: f64) -> cpu::Block<'a> {
    cpu::Block {
        rois: x[1],
        heads,
        norm1: norm(inputs, 1, eps),
        v: linear(inputs, 3),
        o: linear(inputs, 5),
        norm2: norm(inputs, 7, eps),
        fc1: linear(inputs, 9),
        fc2: linear(inputs, 11),
        mixing: if inputs.len() == GRAPH_INPUTS {
            cpu::Mixing::Graph { alpha: inputs[13] }
        } else {
            cpu::Mixing::Tokens {
                q: linear(inputs, 13),
                k: linear(inputs, 15),
            }
        },
    }
}

fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}
