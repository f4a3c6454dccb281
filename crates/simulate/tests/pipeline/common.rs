//! Common streams and options of the tests.

use brainmae_data::PrepareOptions;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One stream per seed and name, as in the crate of runs.
pub fn streams(seed: u64, name: &str) -> Box<dyn Rng> {
    let named = name.bytes().fold(seed, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    Box::new(ChaCha8Rng::seed_from_u64(named))
}

pub const OPTIONS: PrepareOptions = PrepareOptions {
    overwrite: false,
    threads: 1,
};
