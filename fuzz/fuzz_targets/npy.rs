#![no_main]
//! Reader of numpy arrays.

use brainmae_formats::NpyFile;
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = NpyFile::open(&file("a.npy", data)).and_then(|file| file.read());
});
