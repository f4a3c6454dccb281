//! Extension of burn's dispatch and autodiff with our own operators.

use std::fmt::Debug;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, BackendTensor, Dispatch, DispatchAutodiffContext, DispatchTensor,
    DispatchTensorKind, ExtensionType, backend_extension,
};
use burn::tensor::Tensor;

pub use crate::cpu::Dropout;

/// An operator with its settings besides the tensors.
#[derive(Clone, Copy, Debug)]
pub enum Operator {
    /// See [`crate::Block::forward`].
    Block {
        /// Number of heads.
        heads: usize,
        /// Epsilon added to a variance.
        eps: f64,
    },
    /// See [`crate::layer_norm`].
    LayerNorm {
        /// Epsilon added to a variance.
        eps: f64,
    },
    /// See [`crate::embed`].
    Embed,
    /// See [`crate::draw`].
    Draw,
    /// See [`crate::linear`].
    Linear {
        /// Factor of values below 0; 1 without a ReLU.
        slope: f64,
    },
    /// See [`crate::feed_forward`].
    FeedForward(Dropout),
    /// See [`crate::attention`].
    Attention {
        /// Number of heads.
        heads: usize,
        /// Dropout of the attention weights.
        dropout: Dropout,
    },
    /// See [`crate::dropout`].
    Dropout(Dropout),
    /// See [`crate::leaky_relu`].
    LeakyRelu {
        /// Factor of values below 0.
        slope: f64,
    },
    /// See [`crate::graph_linear`].
    GraphLinear,
    /// See [`crate::cross`].
    Cross {
        /// Factor of values below 0.
        slope: f64,
    },
    /// See [`crate::moments`].
    Moments,
    /// See [`crate::norm_relu`].
    NormRelu {
        /// Epsilon added to a variance.
        eps: f64,
        /// Whether the moments are those of the input, and not of an earlier one.
        of_input: bool,
    },
    /// See [`crate::recurrent`].
    Recurrent,
    /// See [`crate::orthogonality`].
    Orthogonality,
    /// See [`crate::weighted_mean`].
    WeightedMean,
}

impl Operator {
    /// Whether the backward pass reads the output of the forward pass.
    pub(crate) fn keeps_output(self) -> bool {
        matches!(self, Operator::Linear { slope } if slope != 1.0)
    }
}

/// Tensors of an operator, in the order that the operator defines.
pub struct Tensors<B: Backend>(pub Vec<FloatTensor<B>>);

impl<B: Backend> ExtensionType<B> for Tensors<B> {
    type Target = Tensors<Dispatch>;

    fn map_to_dispatch<F>(self, map_kind: F, autodiff: DispatchAutodiffContext) -> Self::Target
    where
        F: Fn(BackendTensor<B>) -> DispatchTensorKind,
    {
        let wrap = |tensor| DispatchTensor {
            kind: map_kind(BackendTensor::Float(tensor)),
            autodiff,
        };
        Tensors(self.0.into_iter().map(wrap).collect())
    }

    fn map_from_dispatch<F>(target: Self::Target, unwrap_kind: F) -> Self
    where
        F: Fn(DispatchTensor) -> BackendTensor<B>,
    {
        let unwrap = |tensor| unwrap_kind(tensor).float();
        Tensors(target.0.into_iter().map(unwrap).collect())
    }

    fn routing_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn routing_float_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn autodiff_context(target: &Self::Target) -> DispatchAutodiffContext {
        let contexts = target.0.iter().map(|tensor| tensor.autodiff);
        contexts.fold(DispatchAutodiffContext::Disabled, |all, one| all.merge(one))
    }
}

/// The operators, for every backend that implements them and for autodiff around it.
#[backend_extension(Flex, LibTorch: cfg(feature = "libtorch"), Autodiff)]
pub trait Fused: Backend {
    /// Forward pass.
    fn fused(#[extension_type] inputs: Tensors<Self>, operator: Operator) -> FloatTensor<Self>;
}

/// Forward and backward pass of a backend.
pub trait Kernels: Fused {
    /// Values that the backward pass needs.
    type Saved: Clone + Send + Debug + 'static;

    /// Returns the output, and the values that the backward pass needs.
    fn forward_saving(
        inputs: Vec<FloatTensor<Self>>,
        operator: Operator,
    ) -> (FloatTensor<Self>, Self::Saved);

    /// Computes the gradients of the inputs from that of the output; at least those that are
    /// `wanted`.
    fn backward(
        saved: Self::Saved,
        grad: FloatTensor<Self>,
        operator: Operator,
        wanted: &[bool],
    ) -> Vec<Option<FloatTensor<Self>>>;
}

/// Calls the operator on the backend of its tensors.
pub(crate) fn call<const D: usize>(inputs: Vec<DispatchTensor>, operator: Operator) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as Fused>::fused(Tensors(inputs), operator))
}

/// A tensor without gradient, for an operator whose other inputs have a graph or have none.
pub(crate) fn constant<const D: usize>(x: Tensor<D>, with_graph: bool) -> Tensor<D> {
    let x = match x.is_autodiff() {
        true => x.without_autodiff(),
        false => x,
    };
    match with_graph {
        true => x.autodiff(),
        false => x,
    }
}

impl<B: Kernels, C: CheckpointStrategy> Fused for Autodiff<B, C> {
    fn fused(inputs: Tensors<Self>, operator: Operator) -> FloatTensor<Self> {
        match inputs.0.len() {
            1 => tracked::<B, C, 1>(inputs, operator),
            3 => tracked::<B, C, 3>(inputs, operator),
            4 => tracked::<B, C, 4>(inputs, operator),
            5 => tracked::<B, C, 5>(inputs, operator),
            6 => tracked::<B, C, 6>(inputs, operator),
            9 => tracked::<B, C, 9>(inputs, operator),
            14 => tracked::<B, C, 14>(inputs, operator),
            17 => tracked::<B, C, 17>(inputs, operator),
            18 => tracked::<B, C, 18>(inputs, operator),
            other => unreachable!("no operator has {other} inputs"),
        }
    }
}

#[derive(Debug)]
struct Back;

impl<B: Kernels, const N: usize> Backward<B, N> for Back {
    type State = (B::Saved, Operator);

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (saved, operator) = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let all = B::backward(saved, grad, operator, &wanted);
        for (parent, grad) in ops.parents.into_iter().zip(all) {
            if let (Some(parent), Some(grad)) = (parent, grad) {
                grads.register::<B>(parent.id, grad);
            }
        }
    }
}

fn tracked<B: Kernels, C: CheckpointStrategy, const N: usize>(
    inputs: Tensors<Autodiff<B, C>>,
    operator: Operator,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = std::array::from_fn(|i| inputs.0[i].node());
    let inputs = (inputs.0.into_iter())
        .map(|tensor| tensor.into_parts().0)
        .collect();
    let prepared = <Back as Backward<B, N>>::prepare::<C>(Back, nodes);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (out, saved) = B::forward_saving(inputs, operator);
            prepared.finish((saved, operator), out)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(B::fused(Tensors(inputs), operator)),
    }
}
