//! Operators on the backend Flex.

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{DType, Flex, TensorMetadata};
use burn::tensor::{Bytes, Shape};

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
