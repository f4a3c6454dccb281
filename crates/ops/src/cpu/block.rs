//! Forward pass of one pre-norm block over the ROI tokens of one segment.
//!
//! The intermediate values of a segment fit into the level-2 cache: only its tokens before and
//! after the block cross the memory bus.

use pulp::Simd;

use super::gemm::{Gemm, Rows, Start};
use super::rows::{self, Norm, RowStats};

/// Linear map, its weight stored `[inputs, outputs]`.
#[derive(Clone, Copy)]
pub struct Linear<'a> {
    pub weight: &'a [f32],
    pub bias: &'a [f32],
}

impl Linear<'_> {
    /// `out = x weight + bias`, for rows of `width` numbers.
    #[inline(always)]
    pub fn forward<S: Simd>(&self, simd: S, x: &[f32], width: usize, out: &mut [f32]) {
        let outputs = self.bias.len();
        Gemm {
            shape: [x.len() / width, outputs, width],
            a: Rows::new(x, width).left(),
            b: Rows::new(self.weight, outputs),
            start: Start::Row(self.bias),
            c: out,
            c_stride: outputs,
        }
        .run(simd);
    }
}

/// Source of the attention weights.
#[derive(Clone, Copy)]
pub enum Mixing<'a> {
    /// The same for every segment: `alpha`, `[heads, rois, rois]`.
    Graph { alpha: &'a [f32] },
    /// Weights computed from the tokens' queries and keys.
    Tokens { q: Linear<'a>, k: Linear<'a> },
}

/// Shape and weights of a block.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    pub rois: usize,
    pub heads: usize,
    pub norm1: Norm<'a>,
    pub mixing: Mixing<'a>,
    pub v: Linear<'a>,
    pub o: Linear<'a>,
    pub norm2: Norm<'a>,
    pub fc1: Linear<'a>,
    pub fc2: Linear<'a>,
}

/// Intermediate values of a segment, kept for the backward pass.
pub struct Pass {
    pub stats1: Vec<RowStats>,
    pub normed1: Vec<f32>,
    pub q: Vec<f32>,
    pub k: Vec<f32>,
    pub v: Vec<f32>,
    /// `k` transposed, its rows [`Block::stride`] apart; 0 beyond the ROIs.
    pub k_columns: Vec<f32>,
    /// Attention weights, `[heads, rois, stride]`; 0 beyond the ROIs.
    pub weights: Vec<f32>,
    pub mixed: Vec<f32>,
    /// Tokens between attention and feed-forward.
    pub middle: Vec<f32>,
    pub stats2: Vec<RowStats>,
    pub normed2: Vec<f32>,
    /// Feed-forward values before the GELU.
    pub hidden: Vec<f32>,
}

impl Pass {
    pub fn new(block: &Block<'_>) -> Self {
        let tokens = || vec![0.0; block.rois * block.width()];
        let own = |n: usize| vec![0.0; if block.is_graph() { 0 } else { n }];
        Self {
            stats1: vec![[0.0; 2]; block.rois],
            normed1: tokens(),
            q: own(block.rois * block.width()),
            k: own(block.rois * block.width()),
            v: tokens(),
            k_columns: own(block.width() * block.stride()),
            weights: own(block.heads * block.rois * block.stride()),
            mixed: tokens(),
            middle: tokens(),
            stats2: vec![[0.0; 2]; block.rois],
            normed2: tokens(),
            hidden: vec![0.0; block.rois * block.fc1.bias.len()],
        }
    }
}

impl<'a> Block<'a> {
    /// Numbers in a token.
    pub fn width(&self) -> usize {
        self.norm1.gamma.len()
    }

    pub fn head_width(&self) -> usize {
        self.width() / self.heads
    }

    /// Length of a row of attention weights: the number of ROIs, rounded up to whole registers of
    /// any size.
    pub fn stride(&self) -> usize {
        self.rois.next_multiple_of(16)
    }

    pub fn is_graph(&self) -> bool {
        matches!(self.mixing, Mixing::Graph { .. })
    }

    /// Factor of the attention scores.
    pub fn scale(&self) -> f32 {
        (self.head_width() as f32).sqrt().recip()
    }

    /// Attention weights of a head, with the distance between their rows.
    pub fn head_weights<'b>(&self, pass: &'b [f32], head: usize) -> Rows<'b>
    where
        'a: 'b,
    {
        let (weights, stride) = match self.mixing {
            Mixing::Graph { alpha } => (alpha, self.rois),
            Mixing::Tokens { .. } => (pass, self.stride()),
        };
        Rows::new(&weights[head * self.rois * stride..], stride)
    }

    /// Flags of the padded tokens of segment `i`, from those of several segments; empty if there
    /// are none.
    pub fn padding<'b>(&self, padded: &'b [f32], i: usize) -> &'b [f32] {
        match padded.is_empty() {
            true => padded,
            false => &padded[i * self.rois..(i + 1) * self.rois],
        }
    }

    /// Forward pass of one segment: `x` and `out` are `[rois, width]`; `padded` is `[rois]`, or
    /// empty without padding.
    #[inline(always)]
    pub fn forward<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        padded: &[f32],
        pass: &mut Pass,
        out: &mut [f32],
    ) {
        self.until_hidden(simd, x, padded, pass);
        rows::gelu(simd, &mut pass.hidden);
        rows::with_row(simd, out, &pass.middle, self.fc2.bias);
        let (width, inner) = (self.width(), self.fc1.bias.len());
        Gemm {
            shape: [self.rois, width, inner],
            a: Rows::new(&pass.hidden, inner).left(),
            b: Rows::new(self.fc2.weight, width),
            start: Start::Held,
            c: out,
            c_stride: width,
        }
        .run(simd);
    }

    /// Computes every intermediate value up to the GELU.
    #[inline(always)]
    pub fn until_hidden<S: Simd>(&self, simd: S, x: &[f32], padded: &[f32], pass: &mut Pass) {
        let (rois, width) = (self.rois, self.width());
        self.norm1
            .forward(simd, x, &mut pass.normed1, &mut pass.stats1);
        self.v.forward(simd, &pass.normed1, width, &mut pass.v);
        if let Mixing::Tokens { q, k } = self.mixing {
            q.forward(simd, &pass.normed1, width, &mut pass.q);
            k.forward(simd, &pass.normed1, width, &mut pass.k);
            self.weigh(simd, padded, pass);
        }
        for head in 0..self.heads {
            let first = head * self.head_width();
            Gemm {
                shape: [rois, self.head_width(), rois],
                a: self.head_weights(&pass.weights, head).left(),
                b: Rows::new(&pass.v, width).columns_from(first),
                start: Start::Zero,
                c: &mut pass.mixed[first..],
                c_stride: width,
            }
            .run(simd);
        }
        rows::with_row(simd, &mut pass.middle, x, self.o.bias);
        Gemm {
            shape: [rois, width, width],
            a: Rows::new(&pass.mixed, width).left(),
            b: Rows::new(self.o.weight, width),
            start: Start::Held,
            c: &mut pass.middle,
            c_stride: width,
        }
        .run(simd);
        self.norm2
            .forward(simd, &pass.middle, &mut pass.normed2, &mut pass.stats2);
        self.fc1
            .forward(simd, &pass.normed2, width, &mut pass.hidden);
    }

    /// Computes the attention weights from queries and keys.
    #[inline(always)]
    fn weigh<S: Simd>(&self, simd: S, padded: &[f32], pass: &mut Pass) {
        let (rois, width, stride) = (self.rois, self.width(), self.stride());
        rows::transpose(&mut pass.k_columns, stride, &pass.k, width);
        for head in 0..self.heads {
            let first = head * self.head_width();
            let weights = &mut pass.weights[head * rois * stride..][..rois * stride];
            Gemm {
                shape: [rois, stride, self.head_width()],
                a: Rows::new(&pass.q, width).columns_from(first).left(),
                b: Rows::new(&pass.k_columns[first * stride..], stride),
                start: Start::Zero,
                c: weights,
                c_stride: stride,
            }
            .run(simd);
            rows::fill_columns(weights, stride, padded, f32::MIN);
            rows::softmax(simd, weights, stride, rois, self.scale());
            if padded.contains(&0.0) {
                // The exponential of the smallest number is not quite 0.
                rows::fill_columns(weights, stride, padded, 0.0);
            }
        }
    }
}
