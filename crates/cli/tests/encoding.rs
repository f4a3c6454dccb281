//! Tests of the commands that encode the scans of a data set, on planted data: `reliability` and
//! `embed`.

use std::path::{Path, PathBuf};
use std::process::Command;

use brainmae_run::table::read_table;

/// Eight subjects in four families, three scans of each.
const EXPERIMENT: &str = r#"
about = "A small model, for a test."
[data.planted]
name = "small"
n_subjects = 8
scans_per_subject = 3
n_networks = 2
rois_per_network = 4
n_states = 2
dt_secs = 3.0
n_volumes = 60
[model]
d_model = 8
n_heads = 2
encoder_depth = 1
[train]
steps = 4
batch_size = 4
[variants.sg]
"#;

/// Standard output of the program if it succeeds, standard error if not.
fn brainmae(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brainmae"));
    let output = command.args(arguments).current_dir(folder).output();
    let output = output.expect("it starts");
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).to_string()),
        false => Err(String::from_utf8_lossy(&output.stderr).to_string()),
    }
}

/// Trains a model in the folder `at`; returns the folders of its checkpoint and of the data.
fn trained(at: &Path) -> (PathBuf, String) {
    std::fs::write(at.join("small.toml"), EXPERIMENT).expect("writable");
    let train = ["pretrain", "small.toml", "--variant", "sg"];
    let places = ["--runs", "runs", "--data", "prepared"];
    let told = brainmae(at, &[train, places].concat()).expect("it trains");
    let prepared = std::fs::read_dir(at.join("prepared")).expect("prepared data");
    let prepared: Vec<PathBuf> = prepared.flatten().map(|entry| entry.path()).collect();
    let data = prepared
        .iter()
        .find(|path| path.join("dataset.toml").exists());
    let data = data.expect("a data set").to_string_lossy().to_string();
    (at.join(told.trim()), data)
}

#[test]
fn rois_to_hide_are_named_and_told_in_the_tables() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let (checkpoint, data) = trained(at);
    let ckpt = checkpoint.to_string_lossy();
    let embed = |out: &str, more: &[&str]| {
        let words = ["embed", &data, "--ckpt", &ckpt, "--out", out];
        brainmae(at, &[&words[..], more].concat())
    };
    embed("full", &[]).expect("it runs");
    let full = read_table(&at.join("full"), "samples").expect("written");
    assert!(full.names().all(|name| name != "missing_rois"));
    let rois = read_table(&at.join("full"), "roi_vectors").expect("written");
    let rois = rois.texts("roi").expect("names");
    embed(
        "less",
        &["--hide-rois", &format!("{},{}", rois[0], rois[3])],
    )
    .expect("it runs");
    let less = read_table(&at.join("less"), "samples").expect("written");
    let missing = less.numbers("missing_rois").expect("numbers");
    assert!(missing.iter().all(|n| *n == 2.0), "{missing:?}");
    let vectors = less.without("missing_rois").expect("a column");
    assert_eq!(vectors.height(), full.height());
    assert_ne!(vectors, full);
    let refused = embed("none", &["--hide-rois", "V1"]).expect_err("no such ROI");
    assert!(refused.contains("has no ROI `V1`"), "{refused}");
}

#[test]
fn scans_of_a_subject_are_compared_by_encoder_and_connectivity() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let (checkpoint, data) = trained(at);
    let ckpt = checkpoint.to_string_lossy();
    let reliability = |more: &[&str]| {
        let words = [&["reliability", &data, "--ckpt", &ckpt][..], more].concat();
        brainmae(at, &words)
    };

    let told = reliability(&["--out", "found", "--resamples", "50"]).expect("it runs");
    assert!(
        told.contains("2 scans of each of 8 subjects in 4 families"),
        "{told}"
    );
    assert!(
        told.contains("left out: 8 further scans of subjects with more"),
        "{told}"
    );
    assert!(told.contains("identification_rate"), "{told}");
    let table = read_table(&at.join("found"), "reliability").expect("written");
    assert_eq!(table.texts("vectors").expect("names")[0], "BrainMAE");
    assert_eq!(table.texts("vectors").expect("names")[6], "FC");
    let chance = table.optional_numbers("chance").expect("numbers");
    // One other scan of the same subject among fifteen.
    assert!((chance[0].expect("known") - 1.0 / 15.0).abs() < 1e-12);
    let low = table.optional_numbers("low").expect("numbers");
    assert!(low.iter().all(Option::is_some), "four families");
    let icc = read_table(&at.join("found"), "icc").expect("written");
    // CLS and the mean state, and 28 pairs of 8 ROIs.
    assert_eq!(icc.height(), 16 + 28);
    let pairs = icc.optional_texts("first_roi").expect("names");
    assert!(pairs[15].is_none() && pairs[16].is_some());
    assert!(at.join("found/reliability.csv").exists());

    let refused = reliability(&["--out", "found"]).expect_err("it is there");
    assert!(refused.contains("is there already"), "{refused}");
    let refused = reliability(&["--scans", "4"]).expect_err("three scans at most");
    let expected = "0 of 8 subjects with 24 scans in all have 4 scans or more";
    assert!(refused.contains(expected), "{refused}");
    let refused = reliability(&["--task", "rest"]).expect_err("another task");
    let expected = "no scan has the task `rest`, expected one of `planted`";
    assert!(refused.contains(expected), "{refused}");

    let card = checkpoint.join("card.json");
    let text = std::fs::read_to_string(&card).expect("a card");
    let roi = &pairs[16].as_deref().expect("a name");
    std::fs::write(&card, text.replace(*roi, "V1")).expect("writable");
    let refused = reliability(&["--out", "other"]).expect_err("another atlas");
    assert!(refused.contains("ROI"), "{refused}");
    assert!(!at.join("other").exists());
}
