//! Gates of some sequences in scratch memory.

use pulp::Simd;

use super::super::lanes;
use super::super::rows::update;
use super::{GATES, Recurrent};

/// Values of some sequences, in the order of the steps.
pub struct Gates {
    /// Sequences that are there.
    pub sequences: usize,
    /// Maps of the inputs, `[sequences, time, 3 lanes]`, by volume.
    pub inputs: Vec<f32>,
    /// Those of one step, `[sequences, 3 lanes]`.
    pub input: Vec<f32>,
    /// Maps of the states of one step, `[sequences, 3 lanes]`.
    pub of_states: Vec<f32>,
    /// State before each step, and after the last, `[time + 1, sequences, lanes]`.
    pub states: Vec<f32>,
    /// `[time, sequences, lanes]` for the backward pass, otherwise of one step alone.
    pub reset: Vec<f32>,
    pub keep: Vec<f32>,
    pub new: Vec<f32>,
    /// What the states add to the new one, before the reset.
    pub inner: Vec<f32>,
    /// Whether the gates of all steps are kept.
    keeps: bool,
}

impl Gates {
    /// Memory for `sequences`; `keeps` all gates for the backward pass.
    pub fn new(of: &Recurrent, sequences: usize, keeps: bool) -> Self {
        let (size, width) = (sequences * of.lanes, GATES * of.lanes);
        let held = if keeps { of.time * size } else { size };
        let gate = || vec![0.0; held];
        Self {
            sequences,
            inputs: vec![0.0; sequences * of.time * width],
            input: vec![0.0; sequences * width],
            of_states: vec![0.0; sequences * width],
            states: vec![0.0; (of.time + 1) * size],
            reset: gate(),
            keep: gate(),
            new: gate(),
            inner: gate(),
            keeps,
        }
    }

    /// Gates and next state of a sequence, from `input` and `of_states`.
    #[inline(always)]
    pub fn advance<S: Simd>(&mut self, simd: S, n: usize, sequence: usize, step: usize) {
        let size = self.sequences * n;
        let at = sequence * n + if self.keeps { step * size } else { 0 };
        let both = [&self.input, &self.of_states];
        let [input, of_states] = both.map(|x| &x[sequence * GATES * n..][..GATES * n]);
        let reset = &mut self.reset[at..at + n];
        update!(simd, reset, _old, [x in input, h in of_states] => {
            sigmoid(simd, simd.add_f32s(x, h))
        });
        let keep = &mut self.keep[at..at + n];
        update!(simd, keep, _old, [x in &input[n..], h in &of_states[n..]] => {
            sigmoid(simd, simd.add_f32s(x, h))
        });
        let inner = &of_states[2 * n..];
        if self.keeps {
            copy(inner, &mut self.inner[at..at + n]);
        }
        let new = &mut self.new[at..at + n];
        update!(simd, new, _old, [x in &input[2 * n..], r in reset, h in inner] => {
            tanh(simd, simd.mul_add_e_f32s(r, h, x))
        });
        let (before, after) = self.states.split_at_mut((step + 1) * size);
        let h = &before[step * size + sequence * n..];
        let after = &mut after[sequence * n..][..n];
        update!(simd, after, _old, [new in new, z in keep, h in h] => {
            simd.mul_add_e_f32s(z, simd.sub_f32s(h, new), new)
        });
    }
}

/// Copies a few numbers, eight at a time: a call of the C library takes longer.
#[inline(always)]
pub fn copy(x: &[f32], out: &mut [f32]) {
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

/// `tanh(x) = 2 sigmoid(2 x) - 1`, and the first terms of its series near 0, where the difference
/// loses digits: the next term is below 2^-23.
#[inline(always)]
fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let two = simd.splat_f32s(2.0);
    let s = sigmoid(simd, simd.mul_f32s(two, x));
    let far = simd.mul_add_e_f32s(two, s, simd.splat_f32s(-1.0));
    let square = simd.mul_f32s(x, x);
    let mut sum = simd.splat_f32s(62.0 / 2835.0);
    for factor in [-17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0, 1.0] {
        sum = simd.mul_add_e_f32s(sum, square, simd.splat_f32s(factor));
    }
    let near = simd.less_than_f32s(square, simd.splat_f32s(0.09));
    simd.select_f32s(near, simd.mul_f32s(sum, x), far)
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::super::super::instructions::{SETS, run_with};
    use super::*;

    struct All<'a>(&'a [f32]);

    impl WithSimd for All<'_> {
        type Output = Vec<f32>;

        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let of = |x: &f32| simd.reduce_max_f32s(tanh(simd, simd.splat_f32s(*x)));
            self.0.iter().map(of).collect()
        }
    }

    #[test]
    fn small_numbers_keep_their_digits() {
        let x: Vec<f32> = (1..400).map(|i| 1e-5 * 1.04f32.powi(i)).collect();
        for set in SETS {
            let found = run_with(set, All(&x)).unwrap_or_default();
            for (x, found) in x.iter().zip(found) {
                let expected = f64::from(*x).tanh();
                let off = (f64::from(found) - expected).abs() / expected;
                assert!(off < 6e-7, "{set}, at {x}: {found}, off by {off:e}");
            }
        }
    }
}
