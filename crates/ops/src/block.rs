//! Pre-norm block as one operator with a custom backward pass.

use burn::tensor::Tensor;

use crate::operator::{self, Operator};

/// Linear map.
pub struct Linear {
    /// Shape `[inputs, outputs]`.
    pub weight: Tensor<2>,
    /// Shape `[outputs]`.
    pub bias: Tensor<1>,
}

/// Learned parameters of a layer norm.
pub struct Norm {
    /// Scale, `[width]`.
    pub gamma: Tensor<1>,
    /// Offset, `[width]`.
    pub beta: Tensor<1>,
}

/// Source of the attention weights of a block.
#[allow(clippy::large_enum_variant)]
pub enum Mixing {
    /// The same weights for every sequence: `[heads, tokens, tokens]`; each row sums to 1.
    Graph(Tensor<3>),
    /// Weights computed from the tokens' queries and keys.
    Tokens {
        /// Projection to queries, `[width, width]`.
        q: Linear,
        /// Projection to keys, `[width, width]`.
        k: Linear,
        /// `[sequences, tokens]`, 1 where a token is padding, else 0; `None` if no token is.
        /// Nothing attends to padding. In a sequence that is padding throughout, tokens attend to
        /// all tokens alike, so that they stay finite.
        padded: Option<Tensor<2>>,
    },
}

/// Weights of a block.
pub struct Block {
    /// Layer norm before the attention.
    pub norm1: Norm,
    /// Source of the attention weights.
    pub mixing: Mixing,
    /// Projection to values, `[width, width]`.
    pub v: Linear,
    /// Output projection of the attention, `[width, width]`.
    pub o: Linear,
    /// Layer norm before the feed-forward half.
    pub norm2: Norm,
    /// First map of the feed-forward half.
    pub fc1: Linear,
    /// Second map of the feed-forward half.
    pub fc2: Linear,
    /// Number of heads.
    pub heads: usize,
    /// Epsilon added to the variance in a layer norm.
    pub eps: f64,
}

impl Block {
    /// Computes `y = x + attention(norm1(x))`, then `y + fc2(gelu(fc1(norm2(y))))`. Every token may
    /// attend to every other token of its sequence that is not padding.
    ///
    /// # Shapes
    /// - `x`: `[sequences, tokens, width]`
    /// - returns the same
    pub fn forward(self, x: Tensor<3>) -> Tensor<3> {
        let mut inputs = vec![x.into_dispatch()];
        let vectors = |norm: Norm| [norm.gamma.into_dispatch(), norm.beta.into_dispatch()];
        let linear = |linear: Linear| [linear.weight.into_dispatch(), linear.bias.into_dispatch()];
        inputs.extend(vectors(self.norm1));
        inputs.extend(linear(self.v));
        inputs.extend(linear(self.o));
        inputs.extend(vectors(self.norm2));
        inputs.extend(linear(self.fc1));
        inputs.extend(linear(self.fc2));
        match self.mixing {
            Mixing::Graph(alpha) => inputs.push(alpha.into_dispatch()),
            Mixing::Tokens { q, k, padded } => {
                inputs.extend(linear(q));
                inputs.extend(linear(k));
                inputs.extend(padded.map(Tensor::into_dispatch));
            }
        }
        let (heads, eps) = (self.heads, self.eps);
        operator::call(inputs, Operator::Block { heads, eps })
    }
}

/// Number of inputs of a graph block.
pub(crate) const GRAPH_INPUTS: usize = 14;

/// Place of the padding among the inputs of a block whose tokens have it.
pub(crate) const PADDED: usize = 17;

#[cfg(test)]
mod tests;
