#![no_main]
//! Parquet and Arrow.

use brainmae_formats::columnar;
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

// The reader turns panics of the Parquet decoder into errors; the hook of the fuzzer would take
// them for crashes. One that leaves the reader still ends the run.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |data: &[u8]| {
    for name in ["a.parquet", "a.arrow"] {
        let path = file(name, data);
        let _ = columnar::scans(&path);
        let _ = columnar::read(&path, None);
    }
});
