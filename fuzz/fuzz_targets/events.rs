#![no_main]
//! Event readers: EV files, designs, BIDS events.

use brainmae_studies::events::{read_bids_events, read_design, read_evs};
use brainmae_fuzz::folder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let folder = folder().join("EVs");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let path = folder.join("cue.txt");
    std::fs::write(&path, data).expect("inputs can be written");
    let _ = read_evs(&folder, &"a".into());
    let _ = read_design(&path, &"a".into(), 1.0);
    let _ = read_bids_events(&path, &"a".into());
});
