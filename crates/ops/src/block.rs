//! A pre-norm block as one operator with its own backward.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, ExtensionType, backend_extension};
use burn::tensor::Tensor;

/// A linear map, its weight `[inputs, outputs]`.
pub struct Linear {
    /// `[inputs, outputs]`
    pub weight: Tensor<2>,
    /// `[outputs]`
    pub bias: Tensor<1>,
}

/// The learned part of a layer norm, each `[width]`.
pub struct Norm {
    /// Factor.
    pub gamma: Tensor<1>,
    /// What is added.
    pub beta: Tensor<1>,
}

/// Where the attention weights of a block come from.
pub enum Mixing {
    /// The same for every sequence: `[heads, tokens, tokens]`, rows summing to 1.
    Graph(Tensor<3>),
    /// The tokens' own queries and keys.
    Tokens {
        /// Queries.
        q: Linear,
        /// Keys.
        k: Linear,
    },
}

/// The weights of a block.
pub struct Block {
    /// Before the attention.
    pub norm1: Norm,
    /// Who listens to whom.
    pub mixing: Mixing,
    /// Values.
    pub v: Linear,
    /// Back from the heads.
    pub o: Linear,
    /// Before the feed-forward half.
    pub norm2: Norm,
    /// First map of the feed-forward half.
    pub fc1: Linear,
    /// Second map of the feed-forward half.
    pub fc2: Linear,
    /// Number of heads.
    pub heads: usize,
    /// What is added to a variance.
    pub eps: f64,
}

impl Block {
    /// `x + attention(norm1(x))`, and of that, `y + fc2(gelu(fc1(norm2(y))))`; every token may attend
    /// to every other of its sequence.
    ///
    /// # Shapes
    /// - `x`: `[sequences, tokens, width]`, 32-bit
    /// - returns the same
    pub fn forward(self, x: Tensor<3>) -> Tensor<3> {
        let spec = BlockSpec {
            heads: self.heads,
            eps: self.eps,
        };
        let mixing = match self.mixing {
            Mixing::Graph(alpha) => MixingInputs::Graph {
                alpha: alpha.into_dispatch(),
            },
            Mixing::Tokens { q, k } => MixingInputs::Tokens {
                q_weight: q.weight.into_dispatch(),
                q_bias: q.bias.into_dispatch(),
                k_weight: k.weight.into_dispatch(),
                k_bias: k.bias.into_dispatch(),
            },
        };
        let inputs = BlockInputs {
            x: x.into_dispatch(),
            norm1_gamma: self.norm1.gamma.into_dispatch(),
            norm1_beta: self.norm1.beta.into_dispatch(),
            v_weight: self.v.weight.into_dispatch(),
            v_bias: self.v.bias.into_dispatch(),
            o_weight: self.o.weight.into_dispatch(),
            o_bias: self.o.bias.into_dispatch(),
            norm2_gamma: self.norm2.gamma.into_dispatch(),
            norm2_beta: self.norm2.beta.into_dispatch(),
            fc1_weight: self.fc1.weight.into_dispatch(),
            fc1_bias: self.fc1.bias.into_dispatch(),
            fc2_weight: self.fc2.weight.into_dispatch(),
            fc2_bias: self.fc2.bias.into_dispatch(),
            mixing,
        };
        Tensor::from_dispatch(<Dispatch as BlockOp>::block(inputs, spec))
    }
}

/// What a block is besides its tensors.
#[derive(Clone, Copy, Debug)]
pub struct BlockSpec {
    /// Number of heads.
    pub heads: usize,
    /// What is added to a variance.
    pub eps: f64,
}

/// Number of inputs besides those of the mixing.
const COMMON: usize = 13;
/// Number of inputs of a graph block.
pub const GRAPH_INPUTS: usize = COMMON + 1;
/// Number of inputs of a block with self-attention.
pub const TOKEN_INPUTS: usize = COMMON + 4;

/// The tensors of a block, as backends see them.
#[allow(missing_docs)]
#[derive(ExtensionType)]
pub struct BlockInputs<B: Backend> {
    pub x: FloatTensor<B>,
    pub norm1_gamma: FloatTensor<B>,
    pub norm1_beta: FloatTensor<B>,
    pub v_weight: FloatTensor<B>,
    pub v_bias: FloatTensor<B>,
    pub o_weight: FloatTensor<B>,
    pub o_bias: FloatTensor<B>,
    pub norm2_gamma: FloatTensor<B>,
    pub norm2_beta: FloatTensor<B>,
    pub fc1_weight: FloatTensor<B>,
    pub fc1_bias: FloatTensor<B>,
    pub fc2_weight: FloatTensor<B>,
    pub fc2_bias: FloatTensor<B>,
    #[extension_type]
    pub mixing: MixingInputs<B>,
}

/// The tensors that attention weights come from, as backends see them.
#[allow(missing_docs)]
#[derive(ExtensionType)]
pub enum MixingInputs<B: Backend> {
    Graph {
        alpha: FloatTensor<B>,
    },
    Tokens {
        q_weight: FloatTensor<B>,
        q_bias: FloatTensor<B>,
        k_weight: FloatTensor<B>,
        k_bias: FloatTensor<B>,
    },
}

impl<B: Backend> BlockInputs<B> {
    /// All tensors in one order, which gradients keep too: those of the struct, then the mixing's.
    pub(crate) fn into_list(self) -> Vec<FloatTensor<B>> {
        let mut list = vec![
            self.x,
            self.norm1_gamma,
            self.norm1_beta,
            self.v_weight,
            self.v_bias,
            self.o_weight,
            self.o_bias,
            self.norm2_gamma,
            self.norm2_beta,
            self.fc1_weight,
            self.fc1_bias,
            self.fc2_weight,
            self.fc2_bias,
        ];
        match self.mixing {
            MixingInputs::Graph { alpha } => list.push(alpha),
            MixingInputs::Tokens {
                q_weight,
                q_bias,
                k_weight,
                k_bias,
            } => list.extend([q_weight, q_bias, k_weight, k_bias]),
        }
        list
    }
}

/// The operator, for every backend that has it and for autodiff around them.
#[backend_extension(Flex, Autodiff)]
pub trait BlockOp: Backend {
    /// See [`Block::forward`].
    fn block(#[extension_type] inputs: BlockInputs<Self>, spec: BlockSpec) -> FloatTensor<Self>;
}

/// A backend's way forwards and back; lists of tensors are in the order of [`BlockInputs`].
pub trait BlockKernel: BlockOp {
    /// What the way back needs.
    type Saved: Clone + Send + std::fmt::Debug + 'static;

    /// The output, and what the way back needs.
    fn block_saving(
        inputs: Vec<FloatTensor<Self>>,
        spec: BlockSpec,
    ) -> (FloatTensor<Self>, Self::Saved);

    /// The gradients of all inputs from that of the output.
    fn block_backward(
        saved: Self::Saved,
        grad: FloatTensor<Self>,
        spec: BlockSpec,
    ) -> Vec<FloatTensor<Self>>;
}

impl<B: BlockKernel, C: CheckpointStrategy> BlockOp for Autodiff<B, C> {
    fn block(inputs: BlockInputs<Self>, spec: BlockSpec) -> FloatTensor<Self> {
        let list = inputs.into_list();
        if list.len() == GRAPH_INPUTS {
            tracked::<B, C, GRAPH_INPUTS>(list, spec)
        } else {
            tracked::<B, C, TOKEN_INPUTS>(list, spec)
        }
    }
}

#[derive(Debug)]
struct BlockBackward;

impl<B: BlockKernel, const N: usize> Backward<B, N> for BlockBackward {
    type State = (B::Saved, BlockSpec);

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (saved, spec) = ops.state;
        let all = B::block_backward(saved, grad, spec);
        for (parent, grad) in ops.parents.into_iter().zip(all) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, grad);
            }
        }
    }
}

fn tracked<B: BlockKernel, C: CheckpointStrategy, const N: usize>(
    list: Vec<FloatTensor<Autodiff<B, C>>>,
    spec: BlockSpec,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = std::array::from_fn(|i| list[i].node());
    let inputs: Vec<FloatTensor<B>> = list
        .into_iter()
        .map(|tensor| tensor.into_parts().0)
        .collect();
    let prepared = <BlockBackward as Backward<B, N>>::prepare::<C>(BlockBackward, nodes);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (out, saved) = B::block_saving(inputs, spec);
            prepared.finish((saved, spec), out)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(B::block_saving(inputs, spec).0),
    }
}

#[cfg(test)]
mod tests;
