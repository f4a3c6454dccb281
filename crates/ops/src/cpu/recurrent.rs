//! Gated recurrent unit over whole sequences.

use pulp::Simd;

use super::gemm::{Gemm, Rows, Start};
use super::lanes;
use super::parallel::{self, PerRun};
use super::rows::{self, update};

/// Sequences that are computed together: their gates stay in the cache.
const SEQUENCES: usize = 16;

/// Registers hold this many numbers at most.
const LANES: usize = 16;

/// States of a recurrent layer from inputs that are already mapped to its three gates.
///
/// In scratch memory, states and gates have `lanes` numbers, 0 beyond the `n` of the layer, so that
/// no register is cut.
pub struct Recurrent {
    n: usize,
    lanes: usize,
    /// Weight of the states, `[lanes, 3 lanes]`, and its bias.
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// Weight, transposed.
    transposed: Vec<f32>,
    time: usize,
    /// Sequences are read from their end.
    backwards: bool,
}

/// Values of a run, `[time, sequences, n]` each, in the order of the steps.
struct Gates {
    /// State before each step, and after the last.
    states: Vec<f32>,
    reset: Vec<f32>,
    keep: Vec<f32>,
    new: Vec<f32>,
    /// What the states add to the new one, before the reset.
    inner: Vec<f32>,
}

impl Recurrent {
    pub fn new(weight: &[f32], bias: &[f32], time: usize, backwards: bool) -> Self {
        let n = bias.len() / 3;
        let lanes = n.next_multiple_of(LANES);
        let mut padded = vec![0.0; 3 * lanes * lanes];
        let mut padded_bias = vec![0.0; 3 * lanes];
        let rows = padded.chunks_exact_mut(3 * lanes);
        for (row, weight) in rows.zip(weight.chunks_exact(3 * n)) {
            pad(weight, n, row, lanes);
        }
        pad(bias, n, &mut padded_bias, lanes);
        let mut transposed = vec![0.0; padded.len()];
        rows::transpose(&mut transposed, lanes, &padded, 3 * lanes);
        Self {
            n,
            lanes,
            weight: padded,
            bias: padded_bias,
            transposed,
            time,
            backwards,
        }
    }

    pub fn forward(&self, inputs: &[f32], out: &mut [f32]) {
        parallel::map(self, [(inputs, self.time * 3 * self.n)], out);
    }

    /// Computes the gradients of weight and bias; that of the inputs fills `grad_inputs`.
    pub fn backward(&self, inputs: &[f32], grad: &[f32], grad_inputs: &mut [f32]) -> Vec<Vec<f32>> {
        let (n, lanes) = (self.n, self.lanes);
        let items = [(inputs, self.time * 3 * n), (grad, self.time * n)];
        let sums = [self.weight.len(), self.bias.len()];
        let sums = parallel::map_summing(self, items, grad_inputs, &sums);
        let unpadded = |x: &[f32]| -> Vec<f32> {
            let gates = x.chunks_exact(lanes);
            gates.flat_map(|gate| &gate[..n]).copied().collect()
        };
        vec![unpadded(&sums[0][..3 * n * lanes]), unpadded(&sums[1])]
    }

    /// Volume of a step.
    fn place(&self, step: usize) -> usize {
        if self.backwards {
            self.time - 1 - step
        } else {
            step
        }
    }

    #[inline(always)]
    fn states<S: Simd>(&self, simd: S, inputs: &[f32]) -> Gates {
        let (n, time) = (self.lanes, self.time);
        let sequences = inputs.len() / (time * 3 * self.n);
        let size = sequences * n;
        let mut input = vec![0.0; 3 * n];
        let mut gates = Gates {
            states: vec![0.0; (time + 1) * size],
            reset: vec![0.0; time * size],
            keep: vec![0.0; time * size],
            new: vec![0.0; time * size],
            inner: vec![0.0; time * size],
        };
        let mut of_states = vec![0.0; 3 * size];
        for step in 0..time {
            let (before, after) = gates.states.split_at_mut((step + 1) * size);
            let before = &before[step * size..];
            Gemm {
                shape: [sequences, 3 * n, n],
                a: Rows::new(before, n).left(),
                b: Rows::new(&self.weight, 3 * n),
                start: Start::Row(&self.bias),
                c: &mut of_states,
                c_stride: 3 * n,
            }
            .run(simd);
            for sequence in 0..sequences {
                let at = step * size + sequence * n..step * size + (sequence + 1) * n;
                let place = sequence * time + self.place(step);
                let of_step = &inputs[place * 3 * self.n..][..3 * self.n];
                pad(of_step, self.n, &mut input, n);
                let of_states = &of_states[sequence * 3 * n..][..3 * n];
                let reset = &mut gates.reset[at.clone()];
                update!(simd, reset, _old, [x in &input[..n], h in &of_states[..n]] => {
                    sigmoid(simd, simd.add_f32s(x, h))
                });
                let keep = &mut gates.keep[at.clone()];
                update!(simd, keep, _old, [x in &input[n..2 * n], h in &of_states[n..2 * n]] => {
                    sigmoid(simd, simd.add_f32s(x, h))
                });
                let inner = &of_states[2 * n..];
                gates.inner[at.clone()].copy_from_slice(inner);
                let new = &mut gates.new[at];
                update!(simd, new, _old, [x in &input[2 * n..], r in reset, h in inner] => {
                    tanh(simd, simd.mul_add_e_f32s(r, h, x))
                });
                let h = &before[sequence * n..][..n];
                let after = &mut after[sequence * n..][..n];
                update!(simd, after, _old, [new in new, z in keep, h in h] => {
                    simd.mul_add_e_f32s(z, simd.sub_f32s(h, new), new)
                });
            }
        }
        gates
    }
}

/// Copies three gates of `n` numbers to gates of `lanes`.
#[inline(always)]
fn pad(x: &[f32], n: usize, out: &mut [f32], lanes: usize) {
    for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(lanes)) {
        copy(x, &mut out[..n]);
    }
}

/// Copies three gates of `lanes` numbers to gates of `n`.
#[inline(always)]
fn unpad(x: &[f32], lanes: usize, out: &mut [f32], n: usize) {
    for (x, out) in x.chunks_exact(lanes).zip(out.chunks_exact_mut(n)) {
        copy(&x[..n], out);
    }
}

/// Copies a few numbers, eight at a time: a call of the C library takes longer.
#[inline(always)]
fn copy(x: &[f32], out: &mut [f32]) {
    let (x, x_tail) = x.as_chunks::<8>();
    let (out, out_tail) = out.as_chunks_mut::<8>();
    for (x, out) in x.iter().zip(out) {
        *out = *x;
    }
    for (x, out) in x_tail.iter().zip(out_tail) {
        *out = *x;
    }
}

/// `1 / (1 + e^-x)`
#[inline(always)]
fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let e = lanes::exp(simd, simd.neg_f32s(x));
    simd.div_f32s(one, simd.add_f32s(one, e))
}

/// `tanh(x) = 2 sigmoid(2 x) - 1`
#[inline(always)]
fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let two = simd.splat_f32s(2.0);
    let s = sigmoid(simd, simd.mul_f32s(two, x));
    simd.mul_add_e_f32s(two, s, simd.splat_f32s(-1.0))
}

impl PerRun<1> for Recurrent {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [inputs]: [&[f32]; 1], out: &mut [f32], _: &mut [Vec<f32>]) {
        let (n, time) = (self.n, self.time);
        let blocks = inputs.chunks(SEQUENCES * time * 3 * n);
        for (inputs, out) in blocks.zip(out.chunks_mut(SEQUENCES * time * n)) {
            let states = self.states(simd, inputs).states;
            let size = states.len() / (time + 1);
            for (sequence, out) in out.chunks_exact_mut(time * n).enumerate() {
                for step in 0..time {
                    let state = &states[(step + 1) * size + sequence * self.lanes..][..n];
                    copy(state, &mut out[self.place(step) * n..][..n]);
                }
            }
        }
    }
}

impl PerRun<2> for Recurrent {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [inputs, grad]: [&[f32]; 2],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let (n, time) = (self.n, self.time);
        let blocks = inputs.chunks(SEQUENCES * time * 3 * n);
        let blocks = blocks.zip(grad.chunks(SEQUENCES * time * n));
        for ((inputs, grad), out) in blocks.zip(out.chunks_mut(SEQUENCES * time * 3 * n)) {
            self.backward_of(simd, inputs, grad, out, sums);
        }
    }
}

impl Recurrent {
    /// Gradients of some sequences; adds those of weight and bias to `sums`.
    #[inline(always)]
    fn backward_of<S: Simd>(
        &self,
        simd: S,
        inputs: &[f32],
        grad: &[f32],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let [weight, bias] = sums else { return };
        let (n, time) = (self.lanes, self.time);
        let gates = self.states(simd, inputs);
        let size = gates.states.len() / (time + 1);
        let one = simd.splat_f32s(1.0);
        // Gradients of the states, and of what they add to the gates, `[time, sequences, 3 n]`.
        let mut carried = vec![0.0; size];
        let mut of_states = vec![0.0; 3 * time * size];
        for step in (0..time).rev() {
            let of_states = &mut of_states[3 * step * size..][..3 * size];
            for sequence in 0..size / n {
                let from = step * size + sequence * n;
                let h = &gates.states[from..][..n];
                let r = &gates.reset[from..][..n];
                let z = &gates.keep[from..][..n];
                let new = &gates.new[from..][..n];
                let inner = &gates.inner[from..][..n];
                let place = sequence * time + self.place(step);
                let carried = &mut carried[sequence * n..][..n];
                let of_output = &grad[place * self.n..][..self.n];
                for (carried, grad) in carried.iter_mut().zip(of_output) {
                    *carried += grad;
                }
                let of_states = &mut of_states[sequence * 3 * n..][..3 * n];
                let (of_r, rest) = of_states.split_at_mut(n);
                let (of_z, of_new) = rest.split_at_mut(n);
                update!(simd, of_new, _old, [g in carried, z in z, new in new] => {
                    let slope = simd.sub_f32s(one, simd.mul_f32s(new, new));
                    simd.mul_f32s(simd.mul_f32s(g, simd.sub_f32s(one, z)), slope)
                });
                update!(simd, of_z, _old, [g in carried, z in z, h in h, new in new] => {
                    let slope = simd.mul_f32s(z, simd.sub_f32s(one, z));
                    simd.mul_f32s(simd.mul_f32s(g, simd.sub_f32s(h, new)), slope)
                });
                update!(simd, of_r, _old, [g in of_new, r in r, inner in inner] => {
                    let slope = simd.mul_f32s(r, simd.sub_f32s(one, r));
                    simd.mul_f32s(simd.mul_f32s(g, inner), slope)
                });
                rows::multiply(simd, carried, z);
                let out = &mut out[place * 3 * self.n..][..3 * self.n];
                unpad(of_states, n, out, self.n);
                // What comes before the reset is multiplied with it.
                rows::multiply(simd, &mut of_states[2 * n..], r);
            }
            Gemm {
                shape: [size / n, n, 3 * n],
                a: Rows::new(of_states, 3 * n).left(),
                b: Rows::new(&self.transposed, n),
                start: Start::Held,
                c: &mut carried,
                c_stride: n,
            }
            .run(simd);
        }
        rows::add_rows(simd, bias, &of_states);
        Gemm {
            shape: [n, 3 * n, time * size / n],
            a: Rows::new(&gates.states, n).transposed(),
            b: Rows::new(&of_states, 3 * n),
            start: Start::Held,
            c: weight,
            c_stride: 3 * n,
        }
        .run(simd);
    }
}
