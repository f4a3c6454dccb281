//! The operators on Flex.

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::tensor::FloatTensor;
use burn::backend::{DType, Flex, TensorMetadata};
use burn::tensor::{Bytes, Shape};

use crate::block::{BlockInputs, BlockKernel, BlockOp, BlockSpec, GRAPH_INPUTS};
use crate::cpu::{self, BlockGrad, LinearGrad};

impl BlockOp for Flex {
    fn block(inputs: BlockInputs<Self>, spec: BlockSpec) -> FloatTensor<Self> {
        Self::block_saving(inputs.into_list(), spec).0
    }
}

impl BlockKernel for Flex {
    type Saved = Vec<FlexTensor>;

    fn block_saving(inputs: Vec<FlexTensor>, spec: BlockSpec) -> (FlexTensor, Self::Saved) {
        let inputs: Vec<FlexTensor> = inputs.iter().map(FlexTensor::to_contiguous).collect();
        let shape = inputs[0].shape();
        let slices = slices(&inputs);
        let out = cpu::forward(&block(&slices, &shape, spec), slices[0]);
        (tensor(out, shape), inputs)
    }

    fn block_backward(saved: Self::Saved, grad: FlexTensor, spec: BlockSpec) -> Vec<FlexTensor> {
        let grad = grad.to_contiguous();
        let shape = saved[0].shape();
        let slices = slices(&saved);
        let block = block(&slices, &shape, spec);
        let (grad_x, grads) = cpu::backward(&block, slices[0], grad.storage());
        let stride = block.stride();
        let mut all = vec![grad_x];
        all.extend(listed(grads, block.rois, stride));
        let shapes = saved.iter().map(|tensor| tensor.shape());
        let tensors = all.into_iter().zip(shapes);
        tensors.map(|(grad, shape)| tensor(grad, shape)).collect()
    }
}

/// The gradients of the weights in the order of [`BlockInputs`].
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

fn block<'a>(inputs: &[&'a [f32]], shape: &Shape, spec: BlockSpec) -> cpu::Block<'a> {
    let norm = |at: usize| cpu::Norm {
        gamma: inputs[at],
        beta: inputs[at + 1],
        eps: spec.eps as f32,
    };
    let linear = |at: usize| cpu::Linear {
        weight: inputs[at],
        bias: inputs[at + 1],
    };
    cpu::Block {
        rois: shape[1],
        heads: spec.heads,
        norm1: norm(1),
        v: linear(3),
        o: linear(5),
        norm2: norm(7),
        fc1: linear(9),
        fc2: linear(11),
        mixing: if inputs.len() == GRAPH_INPUTS {
            cpu::Mixing::Graph { alpha: inputs[13] }
        } else {
            cpu::Mixing::Tokens {
                q: linear(13),
                k: linear(15),
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
