//! Operators on the backend Flex.

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{DType, Flex, TensorMetadata};
use burn::tensor::{Bytes, Shape};

use crate::adam::{AdamStep, Optimizing, adam_by_operators, squares_by_operators};
use crate::cpu;
use crate::operator::{Fused, Kernels, Operator, Tensors};

impl Fused for Flex {
    fn fused(inputs: Tensors<Self>, operator: Operator) -> FlexTensor {
        Self::forward_saving(inputs.0, operator).0
    }
}

impl Kernels for Flex {
    type Saved = Vec<FlexTensor>;

    fn forward_saving(inputs: Vec<FlexTensor>, operator: Operator) -> (FlexTensor, Self::Saved) {
        let mut inputs: Vec<FlexTensor> = inputs.iter().map(FlexTensor::to_contiguous).collect();
        let seen = slices(&inputs);
        let shape = Shape::from(cpu::out_shape(operator, &seen));
        let mut out = vec![0.0; shape.num_elements()];
        cpu::forward(operator, &seen, &mut out);
        let out = tensor(out, shape);
        if operator.keeps_output() {
            inputs.push(out.clone());
        }
        (out, inputs)
    }

    fn backward(
        saved: Self::Saved,
        grad: FlexTensor,
        operator: Operator,
        wanted: &[bool],
    ) -> Vec<Option<FlexTensor>> {
        let grad = [grad.to_contiguous()];
        let inputs = slices(&saved);
        let mut grad_x = vec![0.0; cpu::grad_x_len(operator, &inputs, wanted[0])];
        let others = cpu::backward(operator, &inputs, slices(&grad)[0].0, &mut grad_x);
        let all = std::iter::once(wanted[0].then_some(grad_x)).chain(others);
        all.zip(&saved)
            .map(|(grad, input)| grad.map(|grad| tensor(grad, input.shape())))
            .collect()
    }
}

impl Optimizing for Flex {
    fn adam(tensors: Tensors<Self>, step: AdamStep) -> Tensors<Self> {
        if tensors.0.iter().any(|tensor| tensor.dtype() != DType::F32) {
            return adam_by_operators(tensors, step);
        }
        let mut changed = tensors.0;
        let fixed = changed.split_off(3);
        let fixed: Vec<FlexTensor> = fixed.iter().map(FlexTensor::to_contiguous).collect();
        let [(gradient, _), (factor, _)] = &slices(&fixed)[..] else {
            unreachable!("a step has five tensors");
        };
        let mut changed: Vec<FlexTensor> = changed.into_iter().map(whole).collect();
        if let [weights, first, second] = &mut changed[..] {
            let changed = [weights, first, second].map(FlexTensor::storage_mut);
            step.kernel().step(changed, gradient, factor[0]);
        }
        Tensors(changed)
    }

    fn sum_of_squares(x: Tensors<Self>) -> FlexTensor {
        if x.0.iter().any(|tensor| tensor.dtype() != DType::F32) {
            return squares_by_operators(x);
        }
        let x: Vec<FlexTensor> = x.0.iter().map(FlexTensor::to_contiguous).collect();
        let sum = cpu::sum_of_squares(slices(&x)[0].0);
        tensor(vec![sum], Shape::from([1]))
    }
}

/// A contiguous tensor that is all of its storage: the same one, or a copy.
fn whole(tensor: FlexTensor) -> FlexTensor {
    let n = tensor.shape().num_elements();
    match tensor.layout().contiguous_offsets() {
        Some((0, end)) if end == n && tensor.storage::<f32>().len() == n => tensor,
        _ => self::tensor(
            slices(&[tensor.to_contiguous()])[0].0.to_vec(),
            tensor.shape(),
        ),
    }
}

/// Numbers and shapes of contiguous tensors.
fn slices(tensors: &[FlexTensor]) -> Vec<(&[f32], Vec<usize>)> {
    tensors
        .iter()
        .map(|tensor| match tensor.as_slice() {
            Some(slice) => (slice, tensor.shape().to_vec()),
            None => panic!("a fused operator takes contiguous 32-bit tensors"),
        })
        .collect()
}

fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}
