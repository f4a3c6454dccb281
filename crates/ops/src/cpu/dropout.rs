//! Dropout without stored masks: whether a value is dropped follows from a seed and its place.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::rows;

/// Values that are dropped as one row, in a tensor of any shape.
const CHUNK: usize = 4096;

/// Dropout of an operator.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Seed of this call.
    pub seed: u64,
    /// Share of the values that become 0.
    pub rate: f64,
}

impl Dropout {
    /// Whether anything is dropped.
    pub fn is_on(&self) -> bool {
        self.rate > 0.0
    }

    /// Factors of a row, by its number: 0 for a share of the values, `1 / (1 - rate)` for the
    /// others.
    #[inline(always)]
    pub fn row(&self, number: u64, out: &mut [f32]) {
        self.row_from(number, 0, out);
    }

    /// As [`Self::row`], for the values of the row from `first` on.
    #[inline(always)]
    fn row_from(&self, number: u64, first: usize, out: &mut [f32]) {
        let key = mixed(self.seed ^ mixed(number.wrapping_add(0x9e37_79b9_7f4a_7c15)));
        let (low, high) = (key as u32, (key >> 32) as u32);
        let threshold = (self.rate * f64::from(u32::MAX)) as u32;
        let kept = (1.0 - self.rate).recip() as f32;
        for (i, out) in out.iter_mut().enumerate() {
            // The finalizer of MurmurHash3 for 32 bits, twice keyed.
            let mut x = ((first + i) as u32).wrapping_mul(0x9e37_79b9) ^ low;
            x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
            x = ((x ^ high) ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
            x ^= x >> 16;
            *out = if x < threshold { 0.0 } else { kept };
        }
    }
}

impl Dropout {
    /// Factors of the values from `place` on in a tensor whose values [`Self::apply`] drops.
    #[inline(always)]
    pub fn places(&self, mut place: usize, mut out: &mut [f32]) {
        while !out.is_empty() {
            let first = place % CHUNK;
            let (head, rest) = out.split_at_mut(out.len().min(CHUNK - first));
            self.row_from((place / CHUNK) as u64, first, head);
            place += head.len();
            out = rest;
        }
    }

    /// `out` becomes `x` with its values dropped; for the backward pass, `x` is the gradient.
    pub fn apply(&self, x: &[f32], out: &mut [f32]) {
        let chunks = out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK));
        chunks.enumerate().for_each(|(number, (out, x))| {
            Arch::new().dispatch(Chunk {
                dropout: *self,
                number,
                x,
                out,
            });
        });
    }
}

struct Chunk<'a> {
    dropout: Dropout,
    number: usize,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.dropout.row(self.number as u64, self.out);
        rows::multiply(simd, self.out, self.x);
    }
}

/// The finalizer of SplitMix64.
#[inline(always)]
fn mixed(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the values of some rows are dropped.
    fn dropped(seed: u64) -> Vec<bool> {
        let dropout = Dropout { seed, rate: 0.25 };
        let row = |number| {
            let mut row = vec![0.0; 1000];
            dropout.row(number, &mut row);
            row
        };
        let values = (0..64).flat_map(row);
        values.map(|x| x == 0.0).collect()
    }

    #[test]
    fn a_share_is_dropped_whatever_the_row_and_the_column() {
        let all = dropped(1);
        let share = |of: &mut dyn Iterator<Item = &bool>| {
            let of: Vec<_> = of.collect();
            of.iter().filter(|x| ***x).count() as f64 / of.len() as f64
        };
        assert!((share(&mut all.iter()) - 0.25).abs() < 0.01);
        for row in all.chunks_exact(1000) {
            assert!((share(&mut row.iter()) - 0.25).abs() < 0.06);
        }
        for column in 0..1000 {
            let share = share(&mut all.iter().skip(column).step_by(1000));
            assert!((share - 0.25).abs() < 0.26, "{column}: {share}");
        }
    }

    #[test]
    fn neighbours_and_seeds_are_independent() {
        let all = dropped(1);
        let pairs = all.windows(2).filter(|pair| pair[0] && pair[1]).count();
        assert!((pairs as f64 / all.len() as f64 - 0.0625).abs() < 0.005);
        let other = dropped(2);
        let both = all.iter().zip(&other).filter(|(a, b)| **a && **b).count();
        assert!((both as f64 / all.len() as f64 - 0.0625).abs() < 0.005);
        assert_eq!(all, dropped(1));
    }
}
