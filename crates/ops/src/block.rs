//! A pre-norm block as one operator with its own backward.

use burn::tensor::Tensor;

use crate::operator::{self, Operator};

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
#[allow(clippy::large_enum_variant)]
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
    /// `x + attention(norm1(x))`, and of that, `y + fc2(gelu(fc1(norm2(y))))`; every token may
    /// attend to every other of its sequence.
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
            Mixing::Tokens { q, k } => {
                inputs.extend(linear(q));
                inputs.extend(linear(k));
            }
        }
        let (heads, eps) = (self.heads, self.eps);
        operator::call(inputs, Operator::Block { heads, eps })
    }
}

/// Number of inputs of a graph block.
pub(crate) const GRAPH_INPUTS: usize = 14;

#[cfg(test)]
mod tests;
