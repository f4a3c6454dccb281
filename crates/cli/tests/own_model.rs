//! Test of a model and of features that are defined outside: an experiment with them, a frozen
//! probe, fine-tuning and `embed` need no change of any crate.

#[path = "../examples/own_model/main.rs"]
#[allow(dead_code, reason = "the test calls `run` in place of `main`")]
mod own_model;

use std::path::PathBuf;

use brainmae_run::table::read_table;

#[test]
fn a_model_and_features_from_outside_go_through_every_stage() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    own_model::run(folder.path()).expect("every stage knows the model");

    let runs = std::fs::read_dir(folder.path().join("runs/own-model")).expect("runs");
    let runs: Vec<PathBuf> = runs.flatten().map(|run| run.path()).collect();
    let of = |stage: &str| -> Vec<&PathBuf> {
        let is_of = |run: &&PathBuf| run.to_string_lossy().contains(stage);
        runs.iter().filter(is_of).collect()
    };
    assert_eq!(
        of("pretrain-model-").len(),
        2,
        "one for each fold: {runs:?}"
    );
    let downstream = of("downstream-");
    let predictions = read_table(downstream[0], "predictions").expect("written");
    let mut models = predictions.texts("model").expect("names").to_vec();
    models.sort_unstable();
    models.dedup();
    assert_eq!(
        models,
        [
            "FC + ridge",
            "Linear autoencoder",
            "Linear autoencoder from scratch",
            "Linear autoencoder frozen + ridge",
            "constant",
            "lag 1 + ridge",
        ]
    );
    let results = read_table(downstream[0], "results").expect("written");
    let of_results = results.texts("model").expect("names").to_vec();
    assert!(of_results.iter().any(|model| model == "lag 1 + ridge"));
    assert!(downstream[0].join("report.html").exists());

    let segments = read_table(&folder.path().join("embeddings"), "segments").expect("written");
    // 40 scans of 180 s have 12 segments each.
    assert_eq!(segments.height(), 480);
    assert!(
        !folder
            .path()
            .join("embeddings/roi_vectors.parquet")
            .exists()
    );
}
