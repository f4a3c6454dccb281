//! Two linear maps of every row, with ReLU and dropout between them.
//!
//! The units between the maps are computed in blocks, with the part of both weights that belongs to
//! a block in cache; their values are never stored, and the backward pass computes them again.

use pulp::Simd;

use super::block::Linear;
use super::dropout::Dropout;
use super::gemm::{Gemm, Rows, Start};
use super::parallel::{self, PerRun};
use super::rows::{self, update};

/// Number of rows that are computed together.
const ROWS: usize = 48;

/// Number of units in a block.
const UNITS: usize = 128;

/// `dropout(relu(x W_1 + b_1)) W_2 + b_2`
pub struct FeedForward<'a> {
    pub first: Linear<'a>,
    pub second: Linear<'a>,
    pub dropout: Dropout,
}

/// Parts of the weights that belong to a block of units, one row after the other.
struct Block {
    from: usize,
    n: usize,
    /// `[width, n]`, and transposed.
    first: Vec<f32>,
    first_transposed: Vec<f32>,
    /// Transposed, `[outputs, n]`.
    second_transposed: Vec<f32>,
}

impl FeedForward<'_> {
    fn inner(&self) -> usize {
        self.first.bias.len()
    }

    fn width(&self) -> usize {
        self.first.weight.len() / self.inner()
    }

    fn outputs(&self) -> usize {
        self.second.bias.len()
    }

    /// Numbers of the rows, for dropout; they are exact up to 2^24.
    fn numbers(&self, x: &[f32]) -> Vec<f32> {
        (0..x.len() / self.width()).map(|i| i as f32).collect()
    }

    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        let numbers = self.numbers(x);
        parallel::map(self, [(x, self.width()), (&numbers, 1)], out);
    }

    /// Computes the gradients of weights and biases; that of `x` fills `grad_x`.
    pub fn backward(&self, x: &[f32], grad: &[f32], grad_x: &mut [f32]) -> Vec<Vec<f32>> {
        let numbers = self.numbers(x);
        let inputs = [(x, self.width()), (&numbers, 1), (grad, self.outputs())];
        let linears = [self.first, self.second];
        let lens = linears.map(|linear| [linear.weight.len(), linear.bias.len()]);
        parallel::map_summing(self, inputs, grad_x, &lens.concat())
    }

    fn blocks(&self) -> impl Iterator<Item = usize> {
        (0..self.inner()).step_by(UNITS)
    }

    /// The part of the weights from unit `from` on; the transposed parts for the backward pass
    /// alone.
    #[inline(always)]
    fn load(&self, from: usize, back: bool, to: &mut Block) {
        let (inner, width, outputs) = (self.inner(), self.width(), self.outputs());
        let n = UNITS.min(inner - from);
        (to.from, to.n) = (from, n);
        let rows = self.first.weight.chunks_exact(inner);
        for (row, to) in rows.zip(to.first.chunks_exact_mut(n)) {
            to.copy_from_slice(&row[from..from + n]);
        }
        if back {
            let first = &to.first[..width * n];
            rows::transpose(&mut to.first_transposed, width, first, n);
            let second = &self.second.weight[from * outputs..][..n * outputs];
            rows::transpose(&mut to.second_transposed, n, second, outputs);
        }
    }

    fn block(&self) -> Block {
        let (first, second) = (self.width() * UNITS, self.outputs() * UNITS);
        Block {
            from: 0,
            n: 0,
            first: vec![0.0; first],
            first_transposed: vec![0.0; first],
            second_transposed: vec![0.0; second],
        }
    }

    /// Units of a block before the ReLU.
    #[inline(always)]
    fn units<S: Simd>(&self, simd: S, x: &[f32], block: &Block, hidden: &mut [f32]) {
        let width = self.width();
        Gemm {
            shape: [x.len() / width, block.n, width],
            a: Rows::new(x, width).left(),
            b: Rows::new(&block.first, block.n),
            start: Start::Row(&self.first.bias[block.from..][..block.n]),
            c: hidden,
            c_stride: block.n,
        }
        .run(simd);
    }

    /// Factors of dropout for the units of a block, in the rows from `first` on.
    #[inline(always)]
    fn factors(&self, first: usize, block: &Block, kept: &mut [f32]) {
        for (i, kept) in kept.chunks_exact_mut(block.n).enumerate() {
            let place = (first + i) * self.inner() + block.from;
            self.dropout.places(place, kept);
        }
    }
}

impl PerRun<2> for FeedForward<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, numbers]: [&[f32]; 2],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let (width, outputs) = (self.width(), self.outputs());
        let zero = simd.splat_f32s(0.0);
        let mut block = self.block();
        let mut hidden = vec![0.0; ROWS * UNITS];
        let mut kept = vec![1.0; ROWS * UNITS];
        for out in out.chunks_exact_mut(outputs) {
            out.copy_from_slice(self.second.bias);
        }
        for from in self.blocks() {
            self.load(from, false, &mut block);
            let chunks = x.chunks(ROWS * width).zip(numbers.chunks(ROWS));
            for ((x, numbers), out) in chunks.zip(out.chunks_mut(ROWS * outputs)) {
                let size = numbers.len() * block.n;
                let (hidden, kept) = (&mut hidden[..size], &mut kept[..size]);
                self.units(simd, x, &block, hidden);
                update!(simd, hidden, old, [] => simd.max_f32s(old, zero));
                if self.dropout.is_on() {
                    self.factors(numbers[0] as usize, &block, kept);
                    rows::multiply(simd, hidden, kept);
                }
                Gemm {
                    shape: [numbers.len(), outputs, block.n],
                    a: Rows::new(hidden, block.n).left(),
                    b: Rows::new(&self.second.weight[from * outputs..], outputs),
                    start: Start::Held,
                    c: out,
                    c_stride: outputs,
                }
                .run(simd);
            }
        }
    }
}

/// Gradient of the input, and sums for weights and biases.
impl PerRun<3> for FeedForward<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, numbers, grad]: [&[f32]; 3],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let [weight1, bias1, weight2, bias2] = sums else {
            return;
        };
        let (width, outputs, inner) = (self.width(), self.outputs(), self.inner());
        let zero = simd.splat_f32s(0.0);
        let mut block = self.block();
        let mut hidden = vec![0.0; ROWS * UNITS];
        let mut of_hidden = vec![0.0; ROWS * UNITS];
        let mut kept = vec![0.0; ROWS * UNITS];
        rows::add_rows(simd, bias2, grad);
        for from in self.blocks() {
            self.load(from, true, &mut block);
            let n = block.n;
            let chunks = x.chunks(ROWS * width).zip(numbers.chunks(ROWS));
            let chunks = chunks.zip(grad.chunks(ROWS * outputs));
            for (((x, numbers), grad), out) in chunks.zip(out.chunks_mut(ROWS * width)) {
                let rows = numbers.len();
                let (hidden, kept) = (&mut hidden[..rows * n], &mut kept[..rows * n]);
                let of_hidden = &mut of_hidden[..rows * n];
                self.units(simd, x, &block, hidden);
                // What the gradient of a unit is multiplied with: 0 if its ReLU is closed.
                match self.dropout.is_on() {
                    true => self.factors(numbers[0] as usize, &block, kept),
                    false => kept.fill(1.0),
                }
                update!(simd, kept, old, [x in hidden] => {
                    simd.select_f32s(simd.greater_than_f32s(x, zero), old, zero)
                });
                rows::multiply(simd, hidden, kept);
                Gemm {
                    shape: [n, outputs, rows],
                    a: Rows::new(hidden, n).transposed(),
                    b: Rows::new(grad, outputs),
                    start: Start::Held,
                    c: &mut weight2[from * outputs..],
                    c_stride: outputs,
                }
                .run(simd);
                Gemm {
                    shape: [rows, n, outputs],
                    a: Rows::new(grad, outputs).left(),
                    b: Rows::new(&block.second_transposed, n),
                    start: Start::Zero,
                    c: of_hidden,
                    c_stride: n,
                }
                .run(simd);
                rows::multiply(simd, of_hidden, kept);
                rows::add_rows(simd, &mut bias1[from..from + n], of_hidden);
                Gemm {
                    shape: [width, n, rows],
                    a: Rows::new(x, width).transposed(),
                    b: Rows::new(of_hidden, n),
                    start: Start::Held,
                    c: &mut weight1[from..],
                    c_stride: inner,
                }
                .run(simd);
                Gemm {
                    shape: [rows, width, n],
                    a: Rows::new(of_hidden, n).left(),
                    b: Rows::new(&block.first_transposed, width),
                    start: Start::Held,
                    c: out,
                    c_stride: width,
                }
                .run(simd);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::instructions::{agree, draw};
    use super::*;

    #[test]
    fn every_set_of_instructions_gives_the_same() {
        let (n, width, inner, outputs) = (70, 18, 150, 21);
        let [first, bias, second, bias2] =
            [width * inner, inner, inner * outputs, outputs].map(draw);
        let both = FeedForward {
            first: Linear {
                weight: &first,
                bias: &bias,
            },
            second: Linear {
                weight: &second,
                bias: &bias2,
            },
            dropout: Dropout { seed: 4, rate: 0.3 },
        };
        let (x, grad) = (draw(n * width), draw(n * outputs));
        let numbers = both.numbers(&x);
        agree(&both, [&x, &numbers], n * outputs, &[]);
        let lens = [width * inner, inner, inner * outputs, outputs];
        agree(&both, [&x, &numbers, &grad], n * width, &lens);
    }
}
