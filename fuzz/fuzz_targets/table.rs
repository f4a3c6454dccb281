#![no_main]
//! Reader of text tables of signals.

use brainmae_formats::TextFile;
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for name in ["a.tsv", "a.csv", "a.1D"] {
        let _ = TextFile::open(&file(name, data)).and_then(|file| file.read());
    }
});
