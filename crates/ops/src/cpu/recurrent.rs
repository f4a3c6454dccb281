//! Gated recurrent unit over whole sequences, in one direction or in both at once.

mod back;
mod gates;

use pulp::Simd;

use super::block::Linear;
use super::gemm::{Gemm, Rows, Start};
use super::parallel::{self, PerRun};
use super::rows;
use gates::{Gates, copy};

/// Sequences that are computed together: their gates stay in the cache.
const SEQUENCES: usize = 16;

/// Registers hold this many numbers at most.
const LANES: usize = 16;

/// Number of gates: reset, keep and new.
const GATES: usize = 3;

/// Maps of a direction to its gates, of inputs and of states.
pub struct Unit<'a> {
    pub input: Linear<'a>,
    pub states: Linear<'a>,
}

/// States of a recurrent layer.
///
/// In scratch memory, a state has the `n` numbers of the first direction, those of the second, and
/// zeros up to `lanes`, so that no register is cut; so has each gate. Both directions are computed
/// in the same registers, the second from the last volume on.
pub struct Recurrent {
    n: usize,
    directions: usize,
    lanes: usize,
    n_in: usize,
    time: usize,
    /// `[n_in, 3 lanes]`, its bias, and transposed.
    input: Vec<f32>,
    input_bias: Vec<f32>,
    input_transposed: Vec<f32>,
    /// `[lanes, 3 lanes]`, 0 from one direction to the other; its bias, and transposed.
    states: Vec<f32>,
    states_bias: Vec<f32>,
    states_transposed: Vec<f32>,
}

impl Recurrent {
    /// One unit for each direction.
    pub fn new(units: &[Unit<'_>], time: usize) -> Self {
        let (n, directions) = (units[0].states.bias.len() / GATES, units.len());
        let lanes = (directions * n).next_multiple_of(LANES);
        let (n_in, width) = (units[0].input.weight.len() / (GATES * n), GATES * lanes);
        let mut all = Self {
            n,
            directions,
            lanes,
            n_in,
            time,
            input: vec![0.0; n_in * width],
            input_bias: vec![0.0; width],
            input_transposed: vec![0.0; n_in * width],
            states: vec![0.0; lanes * width],
            states_bias: vec![0.0; width],
            states_transposed: vec![0.0; lanes * width],
        };
        for (direction, unit) in units.iter().enumerate() {
            let spread = |x: &[f32], out: &mut [f32]| {
                let rows = x.chunks_exact(GATES * n);
                for (x, out) in rows.zip(out.chunks_exact_mut(width)) {
                    for gate in 0..GATES {
                        let x = &x[gate * n..(gate + 1) * n];
                        out[gate * lanes + direction * n..][..n].copy_from_slice(x);
                    }
                }
            };
            spread(unit.input.weight, &mut all.input);
            spread(unit.input.bias, &mut all.input_bias);
            let own = &mut all.states[direction * n * width..];
            spread(unit.states.weight, own);
            spread(unit.states.bias, &mut all.states_bias);
        }
        rows::transpose(&mut all.input_transposed, n_in, &all.input, width);
        rows::transpose(&mut all.states_transposed, lanes, &all.states, width);
        all
    }

    /// Numbers of all gates, with padding.
    fn width(&self) -> usize {
        GATES * self.lanes
    }

    /// Sequences of a run that are computed together.
    fn at_once(&self, x: &[f32]) -> usize {
        SEQUENCES.min(x.len() / (self.time * self.n_in))
    }

    /// Numbers of the states of a step, without padding.
    fn outputs(&self) -> usize {
        self.directions * self.n
    }

    /// Volume that a direction reads in a step.
    #[inline(always)]
    fn place(&self, direction: usize, step: usize) -> usize {
        match direction {
            0 => step,
            _ => self.time - 1 - step,
        }
    }

    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        parallel::map(self, [(x, self.time * self.n_in)], out);
    }

    /// Computes the states of some sequences after every step in `gates`, from inputs
    /// `[sequences, time, n_in]`.
    #[inline(always)]
    fn states<S: Simd>(&self, simd: S, x: &[f32], gates: &mut Gates) {
        let (lanes, width) = (self.lanes, self.width());
        let places = x.len() / self.n_in;
        let sequences = places / self.time;
        gates.sequences = sequences;
        Gemm {
            shape: [places, width, self.n_in],
            a: Rows::new(x, self.n_in).left(),
            b: Rows::new(&self.input, width),
            start: Start::Row(&self.input_bias),
            c: &mut gates.inputs,
            c_stride: width,
        }
        .run(simd);
        let size = sequences * lanes;
        gates.states[..size].fill(0.0);
        for step in 0..self.time {
            Gemm {
                shape: [sequences, width, lanes],
                a: Rows::new(&gates.states[step * size..], lanes).left(),
                b: Rows::new(&self.states, width),
                start: Start::Row(&self.states_bias),
                c: &mut gates.of_states,
                c_stride: width,
            }
            .run(simd);
            // In a loop of its own: a register cannot be read at once from two parts that were just
            // written.
            for (sequence, input) in gates
                .input
                .chunks_exact_mut(width)
                .enumerate()
                .take(sequences)
            {
                self.gather(&gates.inputs, sequence, step, input);
            }
            for sequence in 0..sequences {
                gates.advance(simd, lanes, sequence, step);
            }
        }
    }

    /// Gates of the inputs that both directions read in a step.
    #[inline(always)]
    fn gather(&self, inputs: &[f32], sequence: usize, step: usize, out: &mut [f32]) {
        for direction in 0..self.directions {
            let place = sequence * self.time + self.place(direction, step);
            for gate in 0..GATES {
                let at = gate * self.lanes + direction * self.n;
                let input = &inputs[place * self.width() + at..][..self.n];
                copy(input, &mut out[at..at + self.n]);
            }
        }
    }
}

impl PerRun<1> for Recurrent {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [x]: [&[f32]; 1], out: &mut [f32], _: &mut [Vec<f32>]) {
        let (n, time, outputs) = (self.n, self.time, self.outputs());
        let mut gates = Gates::new(self, self.at_once(x), false);
        let blocks = x.chunks(SEQUENCES * time * self.n_in);
        for (x, out) in blocks.zip(out.chunks_mut(SEQUENCES * time * outputs)) {
            self.states(simd, x, &mut gates);
            for (sequence, out) in out.chunks_exact_mut(time * outputs).enumerate() {
                for step in 0..time {
                    let row = (step + 1) * gates.sequences + sequence;
                    let state = &gates.states[row * self.lanes..][..outputs];
                    for (direction, state) in state.chunks_exact(n).enumerate() {
                        let place = self.place(direction, step);
                        copy(state, &mut out[place * outputs + direction * n..][..n]);
                    }
                }
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
        let (n, n_in, time, sequences) = (5, 7, 4, 19);
        let [input, bias, states, states_bias] = [n_in * 3 * n, 3 * n, n * 3 * n, 3 * n].map(draw);
        let linear = |weight, bias| Linear { weight, bias };
        let unit = || Unit {
            input: linear(&input, &bias),
            states: linear(&states, &states_bias),
        };
        let both = Recurrent::new(&[unit(), unit()], time);
        let x = draw(sequences * time * n_in);
        let grad = draw(sequences * time * 2 * n);
        agree(&both, [&x], grad.len(), &[]);
        agree(&both, [&x, &grad], x.len(), &both.sum_lens());
    }
}
