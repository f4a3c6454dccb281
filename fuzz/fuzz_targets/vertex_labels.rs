#![no_main]
//! Readers of vertex labels and ROI centroids.

use brainmae_atlas::centroids;
use brainmae_formats::vertex_labels;
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let path = file("labels.csv", data);
    let _ = vertex_labels::read(&path, 4);
    let _ = vertex_labels::read_sides(&path, &path, 4);
    let _ = centroids::read(&path);
});
