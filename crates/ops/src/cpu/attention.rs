//! Attention between short sequences: scores stay in cache, and the backward pass computes them
//! again.

use pulp::Simd;

use super::dropout::Dropout;
use super::gemm::{Gemm, Rows, Start};
use super::parallel::{self, Items, PerRun};
use super::rows;

/// Queries that are computed together.
const ROWS: usize = 48;

/// Rows in scratch memory are this many numbers apart, or a multiple, so that no register is cut.
const LANES: usize = 16;

/// Shape and settings of an attention; see [`crate::attention`].
pub struct Attention<'a> {
    pub heads: usize,
    /// Queries and keys of a sequence, and the width of all heads.
    pub queries: usize,
    pub keys: usize,
    pub width: usize,
    /// `[heads, queries, keys]`; the scores of a sequence get a row of `hidden` too.
    pub bias: Option<&'a [f32]>,
    pub dropout: Dropout,
}

/// Inputs: queries, keys, values, and what is added to the scores of all queries of a sequence.
pub struct Sequences<'a> {
    pub q: &'a [f32],
    pub k: &'a [f32],
    pub v: &'a [f32],
    pub hidden: &'a [f32],
}

/// One head of a sequence in scratch memory.
struct Head {
    /// `[keys, lanes]`, 0 beyond the width of a head.
    k: Vec<f32>,
    v: Vec<f32>,
    /// `[head width, stride]`, 0 beyond the keys.
    k_columns: Vec<f32>,
    v_columns: Vec<f32>,
    /// `[ROWS, lanes]`
    q: Vec<f32>,
    out: Vec<f32>,
    /// `[ROWS, stride]`, 0 beyond the keys.
    weights: Vec<f32>,
    kept: Vec<f32>,
}

impl Attention<'_> {
    fn d_head(&self) -> usize {
        self.width / self.heads
    }

    /// Distance of the rows of a head.
    fn lanes(&self) -> usize {
        self.d_head().next_multiple_of(LANES)
    }

    /// Distance of the rows of scores.
    fn stride(&self) -> usize {
        self.keys.next_multiple_of(LANES)
    }

    fn scale(&self) -> f32 {
        (self.d_head() as f32).sqrt().recip()
    }

    fn items<'b>(&self, of: &Sequences<'b>, numbers: &'b [f32]) -> Items<'b, 5> {
        [
            (of.q, self.queries * self.width),
            (of.k, self.keys * self.width),
            (of.v, self.keys * self.width),
            (of.hidden, if of.hidden.is_empty() { 0 } else { self.keys }),
            (numbers, 1),
        ]
    }

    /// Numbers of the sequences, for dropout; they are exact up to 2^24.
    fn numbers(&self, of: &Sequences<'_>) -> Vec<f32> {
        let n = of.q.len() / (self.queries * self.width);
        (0..n).map(|i| i as f32).collect()
    }

    pub fn forward(&self, of: &Sequences<'_>, out: &mut [f32]) {
        let numbers = self.numbers(of);
        parallel::map(self, self.items(of, &numbers), out);
    }

    /// Gradients of keys, values and bias; that of the queries fills `grad_q`.
    pub fn backward(&self, of: &Sequences<'_>, grad: &[f32], grad_q: &mut [f32]) -> [Vec<f32>; 3] {
        let numbers = self.numbers(of);
        let [q, k, v, hidden, number] = self.items(of, &numbers);
        let inputs = [q, k, v, hidden, number, (grad, q.1)];
        // Those of a sequence lie one after the other.
        let mut all = vec![0.0; of.q.len() + 2 * of.k.len()];
        let bias = self.bias.map_or(0, <[f32]>::len);
        let mut sums = parallel::map_summing(self, inputs, &mut all, &[bias]);
        let mut grads = [of.k, of.k].map(|x| Vec::with_capacity(x.len()));
        let sequences = all.chunks_exact(q.1 + 2 * k.1);
        for (all, grad_q) in sequences.zip(grad_q.chunks_exact_mut(q.1)) {
            let (of_q, rest) = all.split_at(q.1);
            grad_q.copy_from_slice(of_q);
            grads[0].extend_from_slice(&rest[..k.1]);
            grads[1].extend_from_slice(&rest[k.1..]);
        }
        let [k, v] = grads;
        [k, v, sums.remove(0)]
    }

    fn head(&self) -> Head {
        let (lanes, stride, d_head) = (self.lanes(), self.stride(), self.d_head());
        Head {
            k: vec![0.0; self.keys * lanes],
            v: vec![0.0; self.keys * lanes],
            k_columns: vec![0.0; d_head * stride],
            v_columns: vec![0.0; d_head * stride],
            q: vec![0.0; ROWS * lanes],
            out: vec![0.0; ROWS * lanes],
            weights: vec![0.0; ROWS * stride],
            kept: vec![0.0; ROWS * stride],
        }
    }

    /// Copies a head of `x`, rows of `width`, to rows of `lanes`.
    #[inline(always)]
    fn pick(&self, head: usize, x: &[f32], out: &mut [f32]) {
        let d_head = self.d_head();
        let rows = x
            .chunks_exact(self.width)
            .zip(out.chunks_exact_mut(self.lanes()));
        for (x, out) in rows {
            out[..d_head].copy_from_slice(&x[head * d_head..][..d_head]);
        }
    }

    /// Copies keys and values of a head.
    #[inline(always)]
    fn load(&self, head: usize, k: &[f32], v: &[f32], to: &mut Head) {
        self.pick(head, k, &mut to.k);
        self.pick(head, v, &mut to.v);
        for (x, columns) in [(&to.k, &mut to.k_columns), (&to.v, &mut to.v_columns)] {
            for (i, x) in x.chunks_exact(self.lanes()).enumerate() {
                for (d, x) in x[..self.d_head()].iter().enumerate() {
                    columns[d * self.stride() + i] = *x;
                }
            }
        }
    }

    /// Attention weights of the queries `first..` in `q`, and what dropout multiplies them with.
    #[inline(always)]
    fn weigh<S: Simd>(
        &self,
        simd: S,
        [sequence, head, first]: [usize; 3],
        q: &[f32],
        hidden: &[f32],
        with: &mut Head,
    ) {
        let (n, stride, keys) = (q.len() / self.width, self.stride(), self.keys);
        self.pick(head, q, &mut with.q);
        let scale = self.scale();
        with.q.iter_mut().for_each(|q| *q *= scale);
        with.weights.fill(0.0);
        if let Some(bias) = self.bias {
            let bias = &bias[(head * self.queries + first) * keys..][..n * keys];
            let rows = with
                .weights
                .chunks_exact_mut(stride)
                .zip(bias.chunks_exact(keys));
            for (row, bias) in rows {
                rows::with_row(simd, &mut row[..keys], bias, hidden);
            }
        }
        Gemm {
            shape: [n, stride, self.d_head()],
            a: Rows::new(&with.q, self.lanes()).left(),
            b: Rows::new(&with.k_columns, stride),
            start: Start::Held,
            c: &mut with.weights,
            c_stride: stride,
        }
        .run(simd);
        rows::softmax(simd, &mut with.weights[..n * stride], stride, keys, 1.0);
        if self.dropout.is_on() {
            for (i, kept) in with.kept.chunks_exact_mut(stride).take(n).enumerate() {
                let row = (sequence * self.heads + head) * self.queries + first + i;
                self.dropout.row(row as u64, kept);
            }
        }
    }
}

impl PerRun<5> for Attention<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [q, k, v, hidden, numbers]: [&[f32]; 5],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let (width, d_head, stride) = (self.width, self.d_head(), self.stride());
        let mut with = self.head();
        for (i, number) in numbers.iter().enumerate() {
            let of_keys = self.keys * width;
            let (k, v) = (&k[i * of_keys..][..of_keys], &v[i * of_keys..][..of_keys]);
            let hidden = hidden
                .get(i * self.keys..(i + 1) * self.keys)
                .unwrap_or(&[]);
            for head in 0..self.heads {
                self.load(head, k, v, &mut with);
                for first in (0..self.queries).step_by(ROWS) {
                    let n = ROWS.min(self.queries - first);
                    let at = (i * self.queries + first) * width;
                    let place = [*number as usize, head, first];
                    self.weigh(simd, place, &q[at..at + n * width], hidden, &mut with);
                    if self.dropout.is_on() {
                        rows::multiply(simd, &mut with.weights, &with.kept);
                    }
                    Gemm {
                        shape: [n, self.lanes(), self.keys],
                        a: Rows::new(&with.weights, stride).left(),
                        b: Rows::new(&with.v, self.lanes()),
                        start: Start::Zero,
                        c: &mut with.out,
                        c_stride: self.lanes(),
                    }
                    .run(simd);
                    let rows = out[at..at + n * width].chunks_exact_mut(width);
                    for (out, row) in rows.zip(with.out.chunks_exact(self.lanes())) {
                        out[head * d_head..][..d_head].copy_from_slice(&row[..d_head]);
                    }
                }
            }
        }
    }
}

/// Fills `out` with the gradients of queries, keys and values of each sequence.
impl PerRun<6> for Attention<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [q, k, v, hidden, numbers, grad]: [&[f32]; 6],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let (width, d_head, stride, lanes) =
            (self.width, self.d_head(), self.stride(), self.lanes());
        let (of_queries, of_keys) = (self.queries * width, self.keys * width);
        let mut with = self.head();
        let mut grad_rows = vec![0.0; ROWS * lanes];
        let mut grad_weights = vec![0.0; ROWS * stride];
        let mut grad_k = vec![0.0; self.keys * lanes];
        let mut grad_v = vec![0.0; self.keys * lanes];
        let outs = out.chunks_exact_mut(of_queries + 2 * of_keys);
        for (i, (number, out)) in numbers.iter().zip(outs).enumerate() {
            let (k, v) = (&k[i * of_keys..][..of_keys], &v[i * of_keys..][..of_keys]);
            let hidden = hidden
                .get(i * self.keys..(i + 1) * self.keys)
                .unwrap_or(&[]);
            for head in 0..self.heads {
                self.load(head, k, v, &mut with);
                grad_k.fill(0.0);
                grad_v.fill(0.0);
                for first in (0..self.queries).step_by(ROWS) {
                    let n = ROWS.min(self.queries - first);
                    let at = (i * self.queries + first) * width;
                    let place = [*number as usize, head, first];
                    self.weigh(simd, place, &q[at..at + n * width], hidden, &mut with);
                    self.pick(head, &grad[at..at + n * width], &mut grad_rows);
                    Gemm {
                        shape: [n, stride, d_head],
                        a: Rows::new(&grad_rows, lanes).left(),
                        b: Rows::new(&with.v_columns, stride),
                        start: Start::Zero,
                        c: &mut grad_weights,
                        c_stride: stride,
                    }
                    .run(simd);
                    let dropped = &mut with.kept[..n * stride];
                    if self.dropout.is_on() {
                        rows::multiply(simd, &mut grad_weights[..n * stride], dropped);
                        rows::multiply(simd, dropped, &with.weights);
                    } else {
                        dropped.copy_from_slice(&with.weights[..n * stride]);
                    }
                    // Gradients of values, scores, bias, queries and keys, in this order.
                    Gemm {
                        shape: [self.keys, lanes, n],
                        a: Rows::new(dropped, stride).transposed(),
                        b: Rows::new(&grad_rows, lanes),
                        start: Start::Held,
                        c: &mut grad_v,
                        c_stride: lanes,
                    }
                    .run(simd);
                    let scores = &mut grad_weights[..n * stride];
                    rows::softmax_backward(simd, &with.weights[..n * stride], scores, stride, 1.0);
                    if self.bias.is_some() {
                        let rows = sums[0][(head * self.queries + first) * self.keys..]
                            .chunks_exact_mut(self.keys);
                        for (bias, scores) in rows.zip(scores.chunks_exact(stride)) {
                            rows::add(simd, bias, &scores[..self.keys]);
                        }
                    }
                    Gemm {
                        shape: [n, lanes, self.keys],
                        a: Rows::new(scores, stride).left(),
                        b: Rows::new(&with.k, lanes),
                        start: Start::Zero,
                        c: &mut with.out,
                        c_stride: lanes,
                    }
                    .run(simd);
                    let rows = out[first * width..].chunks_exact_mut(width).take(n);
                    for (out, row) in rows.zip(with.out.chunks_exact(lanes)) {
                        for (out, x) in out[head * d_head..][..d_head].iter_mut().zip(row) {
                            *out = x * self.scale();
                        }
                    }
                    // The queries in scratch memory are scaled already.
                    Gemm {
                        shape: [self.keys, lanes, n],
                        a: Rows::new(scores, stride).transposed(),
                        b: Rows::new(&with.q, lanes),
                        start: Start::Held,
                        c: &mut grad_k,
                        c_stride: lanes,
                    }
                    .run(simd);
                }
                for (from, grads) in [(of_queries, &grad_k), (of_queries + of_keys, &grad_v)] {
                    let rows = out[from..from + of_keys].chunks_exact_mut(width);
                    for (out, row) in rows.zip(grads.chunks_exact(lanes)) {
                        out[head * d_head..][..d_head].copy_from_slice(&row[..d_head]);
                    }
                }
            }
        }
    }
}
