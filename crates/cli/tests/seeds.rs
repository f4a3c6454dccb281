//! Test of an experiment with several seeds, as a user runs it: one table over the seeds, a page,
//! and nothing done twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use brainmae_run::table::read_table;
use tempfile::TempDir;

/// Eight planted scans, and a model that is trained for two steps.
const EXPERIMENT: &str = r#"
about = "A small experiment, for tests."
seed = 3
[data.planted]
n_subjects = 8
scans_per_subject = 1
n_networks = 2
rois_per_network = 2
n_volumes = 60
[segments]
sample_secs = 30.0
[model]
d_model = 8
n_heads = 2
encoder_depth = 1
[train]
steps = 2
batch_size = 2
validate_every = 1
checkpoint_every = 1
[reconstruction]
mask_ratios = [0.5]
draws = 1
resamples = 100
"#;

fn brainmae(folder: &Path, command: &str, more: &[&str]) -> Output {
    let mut brainmae = Command::new(env!("CARGO_BIN_EXE_brainmae"));
    brainmae.args(["experiment", command]);
    brainmae.arg(folder.join("small.toml"));
    brainmae.arg("--runs").arg(folder.join("runs"));
    brainmae.arg("--data").arg(folder.join("prepared"));
    brainmae.args(more).output().expect("it starts")
}

fn succeed(folder: &Path, command: &str, more: &[&str]) -> String {
    let output = brainmae(folder, command, more);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).expect("text")
}

fn folders(folder: &Path, stage: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder.join("runs/small")).expect("there are runs");
    let all = all.map(|entry| entry.expect("readable").path());
    let starts = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(stage))
    };
    all.filter(starts).collect()
}

fn desk(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("small.toml"), text).expect("writable");
    folder
}

#[test]
fn reconstruction_is_repeated_with_each_seed_and_summed_up() {
    let folder = desk(EXPERIMENT);
    let folder = folder.path();
    let seeds = ["--set", "seeds=[3, 5]"];
    let plan = succeed(folder, "plan", &seeds);
    assert!(
        plan.contains("seed 3\n") && plan.contains("seed 5\n"),
        "{plan}"
    );

    // One seed first: its run is that of the experiment without seeds.
    succeed(folder, "run", &[]);
    assert_eq!(folders(folder, "pretrain-model").len(), 1);
    let said = succeed(folder, "run", &seeds);
    assert_eq!(folders(folder, "pretrain-model").len(), 2);
    assert!(said.contains("### hidden ROIs, 2 seeds"), "{said}");

    let [summary] = &folders(folder, "seeds")[..] else {
        panic!("one folder over seeds")
    };
    let table = read_table(summary, "seeds").expect("a table");
    let (names, deviations) = (
        table.texts("predictor").expect("names"),
        table.optional_numbers("std").expect("deviations"),
    );
    let model = names.iter().position(|name| name == "BrainMAE model");
    let deviation = deviations[model.expect("a row")];
    assert!(deviation.expect("two seeds") > 0.0, "another training");
    let page = fs::read_to_string(summary.join("report.html")).expect("a page");
    assert!(page.contains("<th scope=\"col\">Seed 5</th>"), "{page}");

    let again = succeed(folder, "run", &seeds);
    assert_eq!(folders(folder, "seeds").len(), 1);
    assert_eq!(said, again);
}

#[test]
fn predictions_have_a_deviation_where_something_is_random_and_none_elsewhere() {
    let text = format!(
        r#"{EXPERIMENT}
[downstream]
models = ["constant", "fc", "mean-mlp"]
[downstream.folds]
folds = 2
validation_fraction = 0.3
[downstream.neural]
max_epochs = 1
[downstream.results]
resamples = 100
permutations = 100
[downstream.targets.age]
column = "age_years"
"#
    );
    let folder = desk(&text.replace("seed = 3", "seeds = [3, 5]"));
    let folder = folder.path();
    let said = succeed(folder, "run", &[]);
    assert!(said.contains("### age, 2 seeds"), "{said}");
    let [summary] = &folders(folder, "seeds")[..] else {
        panic!("one folder over seeds")
    };
    let table = read_table(summary, "seeds").expect("a table");
    let (models, scores) = (table.texts("model"), table.texts("score"));
    let deviations = table.optional_numbers("std").expect("deviations");
    let (models, scores) = (models.expect("models"), scores.expect("scores"));
    let of = |model: &str| {
        let rows = models.iter().zip(&scores);
        let at = (rows.into_iter()).position(|row| row == (&model.into(), &"r2".to_string()));
        deviations[at.expect("a row")].expect("two seeds")
    };
    assert_eq!(of("FC + ridge"), 0.0);
    assert!(of("mean-mlp") > 0.0);
}

#[test]
fn one_training_has_one_seed() {
    let folder = desk(&EXPERIMENT.replace("seed = 3", "seeds = [3, 5]"));
    let output = Command::new(env!("CARGO_BIN_EXE_brainmae"))
        .arg("pretrain")
        .arg(folder.path().join("small.toml"))
        .args(["--variant", "model"])
        .output()
        .expect("it starts");
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("--set seeds=[] --set seed=N"), "{stderr}");
}
