//! Custom layout: `<subject>/<session>.csv` becomes a prepared data set.
//!
//! `cargo run -p brainmae-data --example own_layout [FOLDER]`; without a folder, an example is
//! created.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use brainmae_data::pipeline::{PrepareOptions, quiet};
use brainmae_data::studies::{FoundScan, SignalFile};
use brainmae_data::{IngestSpec, PreparedDataset, ScanId, ingest};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let root = match std::env::args_os().nth(1) {
        Some(root) => PathBuf::from(root),
        None => made_up(folder.path())?,
    };
    let out = folder.path().join("prepared");

    let listing = tables(&root)?.into_iter().map(scan).collect();
    let mut spec = IngestSpec::new("own-layout", "columns");
    spec.tr_secs = Some(2.0);
    let options = PrepareOptions::default();
    let report = ingest(&root, listing, &out, &spec, &options, &mut quiet)?;
    let dataset = PreparedDataset::open(&out)?;

    println!("{} scans of {} ROIs", report.included, report.n_rois);
    for left_out in report.exclusions.iter().chain(&report.failures) {
        println!("left out: {}, {}", left_out.scan, left_out.reason);
    }
    for scan in dataset.included() {
        let series = dataset.bold(&scan.scan)?;
        println!("{}: {} volumes", scan.scan, series.n_volumes());
    }
    Ok(())
}

/// The scan in `<subject>/<session>.csv`.
fn scan(path: PathBuf) -> FoundScan {
    let name = |path: &Path| {
        let stem = path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    };
    let (session, subject) = (name(&path), path.parent().map(name).unwrap_or_default());
    let id = ScanId::new(format!("sub-{subject}_ses-{session}"));
    FoundScan {
        session: Some(session),
        ..FoundScan::new(id, subject.as_str(), SignalFile::Table(path))
    }
}

/// All tables two levels below `root`, sorted.
fn tables(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for subject in fs::read_dir(root)? {
        let subject = subject?.path();
        if subject.is_dir() {
            for file in fs::read_dir(subject)? {
                found.push(file?.path());
            }
        }
    }
    found.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    found.sort();
    Ok(found)
}

/// Writes two subjects with two sessions each; one scan is too short.
fn made_up(folder: &Path) -> std::io::Result<PathBuf> {
    let root = folder.join("raw");
    for (number, subject) in ["anna", "ben"].into_iter().enumerate() {
        fs::create_dir_all(root.join(subject))?;
        for (session, n_volumes) in [("first", 60), ("second", 60 - 58 * number)] {
            let mut text = String::from("V1,M1,PCC\n");
            for volume in 0..n_volumes {
                let wave = |period: f64| (volume as f64 / period + number as f64).sin();
                text += &format!("{:.4},{:.4},{:.4}\n", wave(2.0), wave(3.1), wave(5.3));
            }
            fs::write(root.join(subject).join(format!("{session}.csv")), text)?;
        }
    }
    Ok(root)
}
