//! Backward pass of a gated recurrent unit; the states are computed again.

use pulp::Simd;

use super::super::backward::{add_weights, to_inputs};
use super::super::gemm::Start;
use super::super::parallel::{self, PerRun};
use super::super::rows::{self, update};
use super::gates::{Gates, copy};
use super::{GATES, Recurrent, SEQUENCES};

/// Gradients in scratch memory.
struct Back {
    /// Of the states after a step, `[sequences, lanes]`.
    carried: Vec<f32>,
    /// Of what the states add to the gates, `[time, sequences, 3 lanes]`.
    of_states: Vec<f32>,
}

impl Recurrent {
    /// Numbers of the sums of a backward pass: weight and bias of inputs, and of states.
    pub(super) fn sum_lens(&self) -> [usize; 4] {
        let width = self.width();
        [self.input.len(), width, self.states.len(), width]
    }

    /// Computes the gradients of the maps of each direction; that of `x` fills `grad_x`, unless it
    /// is empty.
    pub fn backward(&self, x: &[f32], grad: &[f32], grad_x: &mut [f32]) -> Vec<Vec<f32>> {
        let (n, lanes, width) = (self.n, self.lanes, self.width());
        let items = [
            (x, self.time * self.n_in),
            (grad, self.time * self.outputs()),
        ];
        let sums = parallel::map_summing(self, items, grad_x, &self.sum_lens());
        // The gates of a direction, from rows of those of both.
        let own = |direction: usize, x: &[f32]| -> Vec<f32> {
            let gates = x.chunks_exact(lanes);
            let gates = gates.flat_map(|gate| &gate[direction * n..][..n]);
            gates.copied().collect()
        };
        let of = |direction: usize| {
            let states = &sums[2][direction * n * width..][..n * width];
            let all = [&sums[0], &sums[1], states, &sums[3]];
            all.map(|x| own(direction, x))
        };
        (0..self.directions).flat_map(of).collect()
    }

    /// Gradients of some sequences; adds those of weights and biases to `sums`.
    #[inline(always)]
    fn backward_of<S: Simd>(
        &self,
        simd: S,
        [x, grad]: [&[f32]; 2],
        gates: &mut Gates,
        back: &mut Back,
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let [input, input_bias, states, states_bias] = sums else {
            return;
        };
        let (n, width, time) = (self.lanes, self.width(), self.time);
        self.states(simd, x, gates);
        let sequences = gates.sequences;
        let size = sequences * n;
        let carried = &mut back.carried[..size];
        carried.fill(0.0);
        for step in (0..time).rev() {
            let of_states = &mut back.of_states[step * sequences * width..][..sequences * width];
            for (sequence, carried) in carried.chunks_exact_mut(n).enumerate() {
                self.add_outputs(grad, sequence, step, carried);
            }
            let rows = carried.chunks_exact_mut(n);
            let rows = rows.zip(of_states.chunks_exact_mut(width));
            for (sequence, (carried, of_states)) in rows.enumerate() {
                let at = step * size + sequence * n;
                gates.backward(simd, n, at, carried, of_states);
                // The maps of the inputs are not needed any more: their gradients replace them.
                self.scatter(of_states, sequence, step, &mut gates.inputs);
                // What comes before the reset is multiplied with it.
                rows::multiply(simd, &mut of_states[2 * n..], &gates.reset[at..at + n]);
            }
            to_inputs(
                simd,
                of_states,
                &self.states_transposed,
                Start::Held,
                carried,
                n,
            );
        }
        let of_states = &back.of_states[..time * sequences * width];
        let of_inputs = &gates.inputs[..time * sequences * width];
        let states_before = &gates.states[..time * sequences * n];
        add_weights(simd, states_before, n, of_states, states, states_bias);
        add_weights(simd, x, self.n_in, of_inputs, input, input_bias);
        if !out.is_empty() {
            to_inputs(
                simd,
                of_inputs,
                &self.input_transposed,
                Start::Zero,
                out,
                self.n_in,
            );
        }
    }
}

impl Recurrent {
    /// Adds the gradients of the outputs of both directions in a step.
    #[inline(always)]
    fn add_outputs(&self, grad: &[f32], sequence: usize, step: usize, carried: &mut [f32]) {
        let n = self.n;
        for direction in 0..self.directions {
            let place = sequence * self.time + self.place(direction, step);
            let grad = &grad[place * self.outputs() + direction * n..][..n];
            for (carried, grad) in carried[direction * n..][..n].iter_mut().zip(grad) {
                *carried += grad;
            }
        }
    }

    /// Copies the gradients of the gates in a step to the volumes that both directions read.
    #[inline(always)]
    fn scatter(&self, grads: &[f32], sequence: usize, step: usize, of_inputs: &mut [f32]) {
        for direction in 0..self.directions {
            let place = sequence * self.time + self.place(direction, step);
            for gate in 0..GATES {
                let at = gate * self.lanes + direction * self.n;
                let out = &mut of_inputs[place * self.width() + at..][..self.n];
                copy(&grads[at..at + self.n], out);
            }
        }
    }
}

impl Gates {
    /// Gradients of the maps of the inputs in a step, from that of the state after it, which
    /// becomes that of the state before it, without what passes through the gates.
    #[inline(always)]
    fn backward<S: Simd>(
        &self,
        simd: S,
        n: usize,
        at: usize,
        carried: &mut [f32],
        of_inputs: &mut [f32],
    ) {
        let one = simd.splat_f32s(1.0);
        let (h, r, z) = (&self.states[at..], &self.reset[at..], &self.keep[at..]);
        let (new, inner) = (&self.new[at..], &self.inner[at..]);
        let (of_r, rest) = of_inputs.split_at_mut(n);
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
        rows::multiply(simd, carried, &z[..n]);
    }
}

impl PerRun<2> for Recurrent {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, grad]: [&[f32]; 2],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let (of_x, of_grad) = (self.time * self.n_in, self.time * self.outputs());
        let sequences = self.at_once(x);
        let mut gates = Gates::new(self, sequences, true);
        let mut back = Back {
            carried: vec![0.0; sequences * self.lanes],
            of_states: vec![0.0; sequences * self.time * self.width()],
        };
        let blocks = x.chunks(SEQUENCES * of_x);
        let blocks = blocks.zip(grad.chunks(SEQUENCES * of_grad));
        for (number, (x, grad)) in blocks.enumerate() {
            let out = out.chunks_mut(SEQUENCES * of_x).nth(number);
            let out = out.unwrap_or_default();
            self.backward_of(simd, [x, grad], &mut gates, &mut back, out, sums);
        }
    }
}
