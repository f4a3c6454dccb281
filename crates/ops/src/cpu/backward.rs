//! Backward pass of one pre-norm block over the ROI tokens of one segment.
//!
//! The forward pass is recomputed instead of stored: arithmetic in cache costs less than memory
//! traffic.

use pulp::Simd;

use super::block::{Block, Linear, Mixing, Pass};
use super::gemm::{Gemm, Rows, Start};
use super::rows;

/// Gradients of a linear map.
pub struct LinearGrad {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

impl LinearGrad {
    fn zeros(linear: &Linear<'_>) -> Self {
        Self {
            weight: vec![0.0; linear.weight.len()],
            bias: vec![0.0; linear.bias.len()],
        }
    }

    /// Adds the gradients from input rows `x` and the gradient of the output rows.
    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, x: &[f32], width: usize, grad: &[f32]) {
        add_weights(simd, x, width, grad, &mut self.weight, &mut self.bias);
    }
}

/// Adds the gradients of weight and bias of a linear map, from its input rows `x` and the gradient
/// of its output rows.
#[inline(always)]
pub fn add_weights<S: Simd>(
    simd: S,
    x: &[f32],
    width: usize,
    grad: &[f32],
    weight: &mut [f32],
    bias: &mut [f32],
) {
    let outputs = bias.len();
    rows::add_rows(simd, bias, grad);
    Gemm {
        shape: [width, outputs, x.len() / width],
        a: Rows::new(x, width).transposed(),
        b: Rows::new(grad, outputs),
        start: Start::Held,
        c: weight,
        c_stride: outputs,
    }
    .run(simd);
}

/// Gradients of a block's weights, summed over segments.
pub struct BlockGrad {
    pub norm1: [Vec<f32>; 2],
    /// Gradient of `alpha`, its rows [`Block::stride`] apart; empty in a block without `alpha`.
    pub alpha: Vec<f32>,
    /// Gradients of queries and keys; empty in a graph block.
    pub qk: Vec<LinearGrad>,
    pub v: LinearGrad,
    pub o: LinearGrad,
    pub norm2: [Vec<f32>; 2],
    pub fc1: LinearGrad,
    pub fc2: LinearGrad,
}

impl BlockGrad {
    pub fn zeros(block: &Block<'_>) -> Self {
        let norm = || [vec![0.0; block.width()], vec![0.0; block.width()]];
        let (alpha, qk) = match &block.mixing {
            Mixing::Graph { .. } => (block.heads * block.rois * block.stride(), Vec::new()),
            Mixing::Tokens { q, k } => (0, vec![LinearGrad::zeros(q), LinearGrad::zeros(k)]),
        };
        Self {
            norm1: norm(),
            alpha: vec![0.0; alpha],
            qk,
            v: LinearGrad::zeros(&block.v),
            o: LinearGrad::zeros(&block.o),
            norm2: norm(),
            fc1: LinearGrad::zeros(&block.fc1),
            fc2: LinearGrad::zeros(&block.fc2),
        }
    }

    /// All gradients, in a fixed order.
    fn all(&mut self) -> Vec<&mut Vec<f32>> {
        let mut all: Vec<&mut Vec<f32>> = Vec::new();
        all.extend(&mut self.norm1);
        all.push(&mut self.alpha);
        let linears =
            self.qk
                .iter_mut()
                .chain([&mut self.v, &mut self.o, &mut self.fc1, &mut self.fc2]);
        for linear in linears {
            all.extend([&mut linear.weight, &mut linear.bias]);
        }
        all.extend(&mut self.norm2);
        all
    }

    /// Adds the gradients of other segments.
    pub fn add(&mut self, mut other: Self) {
        for (sum, other) in self.all().into_iter().zip(other.all()) {
            for (sum, other) in sum.iter_mut().zip(other.iter()) {
                *sum += other;
            }
        }
    }
}

/// Transposed weights, computed once for all segments: `[outputs, inputs]`.
pub struct Transposed {
    qk: Vec<Vec<f32>>,
    v: Vec<f32>,
    o: Vec<f32>,
    fc1: Vec<f32>,
    fc2: Vec<f32>,
}

impl Transposed {
    pub fn new(block: &Block<'_>) -> Self {
        let transposed = |linear: &Linear<'_>| {
            let outputs = linear.bias.len();
            let inputs = linear.weight.len() / outputs;
            let mut out = vec![0.0; linear.weight.len()];
            rows::transpose(&mut out, inputs, linear.weight, outputs);
            out
        };
        Self {
            qk: match &block.mixing {
                Mixing::Graph { .. } => Vec::new(),
                Mixing::Tokens { q, k } => vec![transposed(q), transposed(k)],
            },
            v: transposed(&block.v),
            o: transposed(&block.o),
            fc1: transposed(&block.fc1),
            fc2: transposed(&block.fc2),
        }
    }
}

/// Gradients of a segment's intermediate values.
pub struct Scratch {
    hidden: Vec<f32>,
    activated: Vec<f32>,
    middle: Vec<f32>,
    mixed: Vec<f32>,
    normed: Vec<f32>,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    v_columns: Vec<f32>,
    weights: Vec<f32>,
}

impl Scratch {
    pub fn new(block: &Block<'_>) -> Self {
        let tokens = || vec![0.0; block.rois * block.width()];
        let inner = block.rois * block.fc1.bias.len();
        let own = |n: usize| vec![0.0; if block.is_graph() { 0 } else { n }];
        Self {
            hidden: vec![0.0; inner],
            activated: vec![0.0; inner],
            middle: tokens(),
            mixed: tokens(),
            normed: tokens(),
            q: own(block.rois * block.width()),
            k: own(block.rois * block.width()),
            v: tokens(),
            v_columns: vec![0.0; block.width() * block.stride()],
            weights: own(block.rois * block.stride()),
        }
    }
}

/// `out = start + grad weight^T`.
#[inline(always)]
pub fn to_inputs<S: Simd>(
    simd: S,
    grad: &[f32],
    transposed: &[f32],
    start: Start<'_>,
    out: &mut [f32],
    width: usize,
) {
    let outputs = transposed.len() / width;
    Gemm {
        shape: [out.len() / width, width, outputs],
        a: Rows::new(grad, outputs).left(),
        b: Rows::new(transposed, width),
        start,
        c: out,
        c_stride: width,
    }
    .run(simd);
}

impl Block<'_> {
    /// Backward pass of one segment: fills `grad_x` with the gradient of `x`, and adds the
    /// gradients of the weights to `sums`. All tokens are `[rois, width]`; `padded` is as in
    /// [`Block::forward`].
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub fn backward<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        padded: &[f32],
        grad_out: &[f32],
        transposed: &Transposed,
        pass: &mut Pass,
        scratch: &mut Scratch,
        grad_x: &mut [f32],
        sums: &mut BlockGrad,
    ) {
        self.until_hidden(simd, x, padded, pass);
        self.feed_backward(simd, grad_out, transposed, pass, scratch, sums);
        let width = self.width();
        let s = scratch;

        sums.o.add(simd, &pass.mixed, width, &s.middle);
        let start = Start::Zero;
        to_inputs(simd, &s.middle, &transposed.o, start, &mut s.mixed, width);
        self.mix_backward(simd, padded, pass, s, sums);
        sums.v.add(simd, &pass.normed1, width, &s.v);
        let normed = &mut s.normed;
        to_inputs(simd, &s.v, &transposed.v, Start::Zero, normed, width);
        let own = [&s.q, &s.k].into_iter().zip(&transposed.qk);
        for ((grad, transposed), sum) in own.zip(&mut sums.qk) {
            sum.add(simd, &pass.normed1, width, grad);
            to_inputs(simd, grad, transposed, Start::Held, normed, width);
        }
        grad_x.copy_from_slice(&s.middle);
        let [gamma, beta] = &mut sums.norm1;
        self.norm1
            .backward(simd, x, &pass.stats1, normed, grad_x, gamma, beta);
    }

    /// Backward pass of the feed-forward half: from the gradient of the output to that of the
    /// tokens in the middle.
    #[inline(always)]
    fn feed_backward<S: Simd>(
        &self,
        simd: S,
        grad_out: &[f32],
        transposed: &Transposed,
        pass: &mut Pass,
        s: &mut Scratch,
        sums: &mut BlockGrad,
    ) {
        let (width, inner) = (self.width(), self.fc1.bias.len());
        rows::gelu_and_slope(simd, &mut pass.hidden, &mut s.activated);
        sums.fc2.add(simd, &s.activated, inner, grad_out);
        let start = Start::Zero;
        to_inputs(simd, grad_out, &transposed.fc2, start, &mut s.hidden, inner);
        rows::multiply(simd, &mut s.hidden, &pass.hidden);
        sums.fc1.add(simd, &pass.normed2, width, &s.hidden);
        let normed = &mut s.normed;
        to_inputs(simd, &s.hidden, &transposed.fc1, start, normed, width);
        s.middle.copy_from_slice(grad_out);
        let [gamma, beta] = &mut sums.norm2;
        let (middle, stats) = (&pass.middle, &pass.stats2);
        self.norm2
            .backward(simd, middle, stats, normed, &mut s.middle, gamma, beta);
    }

    /// Backward pass of the attention: from the gradient of its output to those of the values and
    /// of the attention weights.
    #[inline(always)]
    fn mix_backward<S: Simd>(
        &self,
        simd: S,
        padded: &[f32],
        pass: &Pass,
        s: &mut Scratch,
        sums: &mut BlockGrad,
    ) {
        let (rois, width, stride) = (self.rois, self.width(), self.stride());
        let head_width = self.head_width();
        rows::transpose(&mut s.v_columns, stride, &pass.v, width);
        for head in 0..self.heads {
            let first = head * head_width;
            let mixed = Rows::new(&s.mixed, width).columns_from(first);
            Gemm {
                shape: [rois, head_width, rois],
                a: self.head_weights(&pass.weights, head).transposed(),
                b: mixed,
                start: Start::Zero,
                c: &mut s.v[first..],
                c_stride: width,
            }
            .run(simd);
            let at = head * rois * stride;
            let (start, weights) = match self.mixing {
                Mixing::Graph { .. } => (Start::Held, &mut sums.alpha[at..at + rois * stride]),
                Mixing::Tokens { .. } => (Start::Zero, &mut s.weights[..]),
            };
            Gemm {
                shape: [rois, stride, head_width],
                a: mixed.left(),
                b: Rows::new(&s.v_columns[first * stride..], stride),
                start,
                c: weights,
                c_stride: stride,
            }
            .run(simd);
            if self.is_graph() {
                continue;
            }
            let weights = &pass.weights[at..at + rois * stride];
            rows::softmax_backward(simd, weights, &mut s.weights, stride, self.scale());
            // The scores of padded tokens are constants.
            rows::fill_columns(&mut s.weights, stride, padded, 0.0);
            let scores = Rows::new(&s.weights, stride);
            for (a, other, grad) in [
                (scores.left(), &pass.k, &mut s.q),
                (scores.transposed(), &pass.q, &mut s.k),
            ] {
                Gemm {
                    shape: [rois, head_width, rois],
                    a,
                    b: Rows::new(other, width).columns_from(first),
                    start: Start::Zero,
                    c: &mut grad[first..],
                    c_stride: width,
                }
                .run(simd);
            }
        }
    }
}
