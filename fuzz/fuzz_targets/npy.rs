#![no_main]
//! numpy arrays.

use brainmae_formats::npy;
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = npy::read(&file("a.npy", data));
});
