#![no_main]
//! Text tables of signals.

use brainmae_formats::signal_table::SignalTable;
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for name in ["a.tsv", "a.csv", "a.1D"] {
        let _ = SignalTable::read(&file(name, data));
    }
});
