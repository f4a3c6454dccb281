#![no_main]
//! Confound readers: head motion and other confounds, censored volumes.

use brainmae_studies::{read_confounds, read_outliers};
use brainmae_studies::ConfoundFile;
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let path = file("confounds.tsv", data);
    for kind in [ConfoundFile::Hcp, ConfoundFile::Fmriprep, ConfoundFile::Xcpd] {
        for n_volumes in [1, 3] {
            let _ = read_confounds(&kind(path.clone()), n_volumes);
        }
    }
    let _ = read_outliers(&path);
});
