#![no_main]
//! Recipe readers: source.toml, cohort recipes, split files.

use brainmae_data::ingest::IngestSpec;
use brainmae_data::recipe::Recipe;
use brainmae_fuzz::{file, folder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = IngestSpec::load(&file("source.toml", data));
    let _ = Recipe::load(folder());
});
