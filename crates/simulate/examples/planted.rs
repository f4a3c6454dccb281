//! Planted data with a known answer: the pace of a subject is measured from the signals.
//!
//! `cargo run -p brainmae-simulate --example planted`

use std::error::Error;

use brainmae_data::files::sha256_bytes;
use brainmae_data::pipeline::{PrepareOptions, quiet};
use brainmae_data::{BoldSeries, PreparedDataset};
use brainmae_simulate::{PlantedSpec, PlantedTargets, Signs, prepare_planted};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("planted");
    let spec = PlantedSpec {
        n_subjects: 40,
        scans_per_subject: 1,
        n_networks: 2,
        n_states: 2,
        signs: Signs::Positive,
        activation: 1.5,
        ar1: 0.0,
        age_effect: 0.0,
        targets: Some(PlantedTargets::default()),
        ..PlantedSpec::default()
    };
    let report = prepare_planted(
        &spec,
        &out,
        &streams,
        &PrepareOptions::default(),
        &mut quiet,
    )?;
    println!("{} scans of {} ROIs", report.included, report.n_rois);

    let dataset = PreparedDataset::open(&out)?;
    let (mut memory, mut pace, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
    for (subject, scan) in dataset.subjects().iter().zip(dataset.included()) {
        memory.push(mean_lagged_product(&dataset.bold(&scan.scan)?));
        pace.push(subject.targets["dwell_score"]);
        nothing.push(subject.targets["null_score"]);
    }
    // In states with a long dwell time, consecutive volumes are similar; the null score has no
    // relation to the signals.
    println!(
        "correlation with dwell_score: {:.2}",
        correlation(&memory, &pace)
    );
    println!(
        "correlation with null_score:  {:.2}",
        correlation(&memory, &nothing)
    );
    Ok(())
}

/// One independent stream of random numbers for each seed and name.
fn streams(seed: u64, name: &str) -> Box<dyn Rng> {
    let hash = sha256_bytes(format!("{seed}/{name}").as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&hash.as_bytes()[..32]);
    Box::new(ChaCha8Rng::from_seed(bytes))
}

/// Mean over ROIs of the correlation of consecutive volumes; the signals are z-scored.
fn mean_lagged_product(series: &BoldSeries) -> f64 {
    let mut sum = 0.0;
    for volume in 1..series.n_volumes() {
        let pairs = series.row(volume).iter().zip(series.row(volume - 1));
        sum += pairs
            .map(|(now, before)| f64::from(now * before))
            .sum::<f64>();
    }
    sum / (series.n_rois() * series.n_volumes()) as f64
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |x: &[f64], of_x: f64, y: &[f64], of_y: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - of_x) * (y - of_y)).sum()
    };
    sum(a, mean_a, b, mean_b) / (sum(a, mean_a, a, mean_a) * sum(b, mean_b, b, mean_b)).sqrt()
}
