//! Random numbers of a run: named streams of one seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// One seed, from which streams are drawn by name and number.
///
/// A stream depends only on the seed, its name and its number: not on earlier draws, not on the
/// machine. Step 700 of a resumed run therefore draws the same numbers as step 700 of an
/// uninterrupted run, and no generator's state is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds(u64);

impl Seeds {
    /// Creates the streams of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Seeds for a part of the work, with separate streams.
    pub fn within(&self, name: &str, place: &[u64]) -> Self {
        Self(self.stream_at(name, place).random())
    }

    /// The stream called `name`.
    pub fn stream(&self, name: &str) -> ChaCha8Rng {
        self.stream_at(name, &[])
    }

    /// The stream called `name` at a place: a step, or an epoch and a scan.
    pub fn stream_at(&self, name: &str, place: &[u64]) -> ChaCha8Rng {
        let mut hash = Sha256::new();
        hash.update(b"brainmae stream v1\0");
        hash.update(self.0.to_le_bytes());
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        for number in place {
            hash.update(number.to_le_bytes());
        }
        ChaCha8Rng::from_seed(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    fn first(seed: u64, name: &str, place: &[u64]) -> u64 {
        Seeds::new(seed).stream_at(name, place).random()
    }

    #[test]
    fn seed_name_and_place_each_make_another_stream() {
        let all = [
            first(1, "masks", &[0]),
            first(2, "masks", &[0]),
            first(1, "crops", &[0]),
            first(1, "masks", &[1]),
            first(1, "masks", &[0, 0]),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| other != one));
        }
    }

    #[test]
    fn a_stream_is_the_same_in_every_version() {
        assert_eq!(first(7, "masks", &[3]), 17_666_530_600_574_206_843);
    }
}
