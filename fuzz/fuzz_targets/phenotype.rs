#![no_main]
//! Reader of tables of subjects.

use brainmae_studies::phenotype::{PhenotypeOptions, Phenotypes};
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for name in ["subjects.csv", "subjects.tsv"] {
        let path = file(name, data);
        let _ = Phenotypes::read(&[path.clone(), path], &PhenotypeOptions::default());
    }
});
