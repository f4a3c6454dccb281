#![no_main]
//! Parquet and Arrow readers.

use brainmae_formats::ColumnarFile;
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

// The reader turns panics of the Parquet decoder into errors, but the hook of the fuzzer would
// report them as crashes. A panic that leaves the reader still ends the run.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |data: &[u8]| {
    for name in ["a.parquet", "a.arrow"] {
        if let Ok(file) = ColumnarFile::open(&file(name, data)) {
            let _ = file.scans();
            let _ = (file.names(None), file.tr_secs(None), file.n_volumes(None));
            let _ = file.read(None);
        }
    }
});
