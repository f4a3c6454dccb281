//! Operators on LibTorch: LibTorch's fused kernels and derivatives, or our own where the tensors
//! lie in main memory and are small enough for the cache.

mod compute;

use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::libtorch::{LibTorch, TchTensor};
use tch::{Device, Kind, Tensor};

use crate::adam::Optimizing;
use crate::block::PADDED;
use crate::cpu;
use crate::operator::{Fused, Kernels, Operator, Tensors};
use compute::compute;

/// Widest token that was measured: at width 512, a step with our kernels takes 0.8 of the time of a
/// step with LibTorch's.
const WIDEST: i64 = 512;

/// Values that the backward pass needs.
#[derive(Clone, Debug)]
pub enum Saved {
    /// Inputs, for our own kernels, and the output if they read it.
    Inputs(Vec<TchTensor>),
    /// Graph of LibTorch's autograd.
    Graph(Arc<Mutex<Graph>>),
}

/// An operator in LibTorch's autograd.
#[derive(Debug)]
pub struct Graph {
    /// Leaves of the graph, one for each input; undefined for an input that needs no gradient.
    leaves: Vec<Option<Tensor>>,
    /// Output of the graph.
    out: Tensor,
    /// Kept alive so that nothing overwrites the memory that the leaves share with them.
    _inputs: Vec<TchTensor>,
}

impl Fused for LibTorch {
    fn fused(inputs: Tensors<Self>, operator: Operator) -> TchTensor {
        if ours(&inputs.0, operator) {
            return forward_ours(&contiguous(inputs.0), operator);
        }
        let inputs: Vec<&Tensor> = inputs.0.iter().map(|input| &input.tensor).collect();
        TchTensor::new(tch::no_grad(|| compute(&inputs, operator)))
    }
}

impl Optimizing for LibTorch {}

impl Kernels for LibTorch {
    type Saved = Saved;

    fn forward_saving(inputs: Vec<TchTensor>, operator: Operator) -> (TchTensor, Saved) {
        if ours(&inputs, operator) {
            let mut inputs = contiguous(inputs);
            let out = forward_ours(&inputs, operator);
            if operator.keeps_output() {
                inputs.push(out.clone());
            }
            return (out, Saved::Inputs(inputs));
        }
        let learns = |i: usize| {
            !matches!(
                (operator, i),
                (Operator::Embed | Operator::WeightedMean, 3)
                    | (Operator::GraphLinear | Operator::NormRelu { .. }, 1)
                    | (Operator::Attention { .. }, 4)
                    | (Operator::Block { .. }, PADDED)
            )
        };
        let all: Vec<Tensor> = (inputs.iter().enumerate())
            .map(|(i, input)| input.tensor.detach().set_requires_grad(learns(i)))
            .collect();
        let out = tch::with_grad(|| compute(&all.iter().collect::<Vec<_>>(), operator));
        let result = TchTensor::new(out.detach());
        let leaves = all.into_iter().enumerate();
        let graph = Graph {
            leaves: leaves.map(|(i, leaf)| learns(i).then_some(leaf)).collect(),
            out,
            _inputs: inputs,
        };
        (result, Saved::Graph(Arc::new(Mutex::new(graph))))
    }

    fn backward(
        saved: Saved,
        grad: TchTensor,
        operator: Operator,
        wanted: &[bool],
    ) -> Vec<Option<TchTensor>> {
        match saved {
            Saved::Inputs(inputs) => backward_ours(&inputs, grad, operator, wanted),
            Saved::Graph(graph) => {
                let graph = graph.lock().unwrap_or_else(PoisonError::into_inner);
                let chosen: Vec<&Tensor> = (graph.leaves.iter().zip(wanted))
                    .filter_map(|(leaf, wanted)| leaf.as_ref().filter(|_| *wanted))
                    .collect();
                // The gradient of this scalar with respect to the output is the incoming gradient.
                let out = graph.out.flatten(0, -1);
                let grad = grad.tensor.contiguous().flatten(0, -1);
                let number = tch::with_grad(|| out.dot(&grad.to_kind(out.kind())));
                let grads = Tensor::run_backward(&[number], &chosen, false, false);
                let mut grads = grads.into_iter().map(TchTensor::new);
                (graph.leaves.iter().zip(wanted))
                    .map(|(leaf, wanted)| {
                        leaf.as_ref().filter(|_| *wanted).and_then(|_| grads.next())
                    })
                    .collect()
            }
        }
    }
}

/// Whether our own kernels are at least as fast as LibTorch's.
fn ours(inputs: &[TchTensor], operator: Operator) -> bool {
    let in_memory = inputs
        .iter()
        .all(|input| input.tensor.device() == Device::Cpu && input.tensor.kind() == Kind::Float);
    let width = match operator {
        Operator::Embed => inputs[2].tensor.numel() as i64,
        _ => inputs[0].tensor.size().last().copied().unwrap_or(0),
    };
    in_memory && width <= WIDEST
}

fn contiguous(inputs: Vec<TchTensor>) -> Vec<TchTensor> {
    let contiguous = |input: TchTensor| {
        if input.tensor.is_contiguous() {
            input
        } else {
            TchTensor::new(input.tensor.contiguous())
        }
    };
    inputs.into_iter().map(contiguous).collect()
}

/// Numbers and shapes of contiguous 32-bit tensors in main memory.
fn slices(tensors: &[TchTensor]) -> Vec<(&[f32], Vec<usize>)> {
    let slice = |tensor: &TchTensor| {
        let shape = tensor.tensor.size().iter().map(|n| *n as usize).collect();
        (numbers(&tensor.tensor), shape)
    };
    tensors.iter().map(slice).collect()
}

#[allow(unsafe_code)]
fn numbers<'a>(tensor: &Tensor) -> &'a [f32] {
    check(tensor);
    // SAFETY: `check` has verified that this many contiguous 32-bit numbers lie in main memory.
    // They live as long as the tensor, which all callers hold, and no caller writes to a shared
    // tensor.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), tensor.numel()) }
}

#[allow(unsafe_code)]
fn numbers_mut(tensor: &mut Tensor) -> &mut [f32] {
    check(tensor);
    // SAFETY: as in `numbers`; the caller has created the tensor and is its only owner.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), tensor.numel()) }
}

fn check(tensor: &Tensor) {
    assert!(
        tensor.device() == Device::Cpu && tensor.kind() == Kind::Float && tensor.is_contiguous(),
        "our kernels take contiguous 32-bit tensors in main memory"
    );
}

fn zeros(shape: &[usize]) -> Tensor {
    let shape: Vec<i64> = shape.iter().map(|n| *n as i64).collect();
    Tensor::zeros(shape, (Kind::Float, Device::Cpu))
}

fn forward_ours(inputs: &[TchTensor], operator: Operator) -> TchTensor {
    let inputs = slices(inputs);
    let mut out = zeros(&cpu::out_shape(operator, &inputs));
    cpu::forward(operator, &inputs, numbers_mut(&mut out));
    TchTensor::new(out)
}

fn backward_ours(
    inputs: &[TchTensor],
    grad: TchTensor,
    operator: Operator,
    wanted: &[bool],
) -> Vec<Option<TchTensor>> {
    let inputs = slices(inputs);
    let grad = contiguous(vec![grad]);
    let mut grad_x = zeros(&[cpu::grad_x_len(operator, &inputs, wanted[0])]);
    let others = cpu::backward(
        operator,
        &inputs,
        slices(&grad)[0].0,
        numbers_mut(&mut grad_x),
    );
    let others = others
        .into_iter()
        .map(|grad| grad.map(|grad| Tensor::from_slice(&grad)));
    let all = std::iter::once(wanted[0].then_some(grad_x)).chain(others);
    all.zip(&inputs)
        .map(|(grad, (_, shape))| {
            let shape: Vec<i64> = shape.iter().map(|n| *n as i64).collect();
            grad.map(|grad| TchTensor::new(grad.reshape(shape)))
        })
        .collect()
}
