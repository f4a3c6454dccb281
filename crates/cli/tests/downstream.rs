//! Tests of predictions as a user requests them: from a simulated release to a table, with given
//! weights, which are refused if they would leak.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use brainmae_run::table::read_table;
use tempfile::TempDir;

/// Twelve subjects with scans of rest and one task; a small model.
const EXPERIMENT: &str = r#"
about = "A small release, for tests."
seed = 1
split_seed = 3
[data.cohort]
layout = "hcp"
seed = 4
n_subjects = 16
n_volumes = 90
tasks = ["rest", "wm"]
file = "ptseries"
defects = false
[data.recipe]
name = "small"
layout = "hcp"
atlas.name = "schaefer-100-7"
phenotypes = ["unrestricted.csv", "restricted.csv"]
targets = ["PMAT24_A_CR"]
[segments]
sample_secs = 30.0
[model]
d_model = 8
n_heads = 2
encoder_depth = 1
[train]
steps = 4
batch_size = 4
validate_every = 2
checkpoint_every = 2
[downstream]
models = ["constant", "confounds", "fc", "brainmae-probe", "brainmae-attention-probe"]
confounds = ["pmat24_a_cr", "phase_encoding"]
[downstream.folds]
folds = 2
validation_fraction = 0.2
[downstream.results]
resamples = 200
permutations = 200
[downstream.targets.age]
column = "age_years"
tasks = ["rest"]
[downstream.targets.task]
task = true
"#;

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::write(desk.path().join("small.toml"), EXPERIMENT).expect("writable");
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, words: &[&str], more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brainmae"));
        command.args(words).arg(self.path().join("small.toml"));
        command.arg("--runs").arg(self.path().join("runs"));
        command.arg("--data").arg(self.path().join("prepared"));
        command.args(more).output().expect("it starts")
    }

    fn succeed(&self, words: &[&str], more: &[&str]) -> String {
        let output = self.run(words, more);
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Folder of the first run of a stage.
    fn stage(&self, name: &str) -> PathBuf {
        let stages = fs::read_dir(self.path().join("runs/small")).expect("runs");
        let stages = stages.map(|entry| entry.expect("readable").path());
        let mut stages = stages.filter(|path| path.to_string_lossy().contains(name));
        stages.next().expect("a run")
    }

    fn fail(&self, more: &[&str]) -> String {
        let output = self.run(&["experiment", "run"], more);
        assert!(!output.status.success());
        stderr(&output)
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).to_string()
}

#[test]
fn a_release_goes_from_its_files_to_a_table_of_predictions() {
    let desk = Desk::new();
    let plan = desk.succeed(&["experiment", "plan"], &[]);
    assert!(plan.contains("to be prepared"), "{plan}");
    assert!(plan.contains("for each of 2 folds"), "{plan}");
    let said = desk.succeed(&["experiment", "run"], &[]);
    for model in [
        "constant",
        "confounds + ridge",
        "FC + ridge",
        "BrainMAE frozen + ridge",
        "FC + logistic",
        "BrainMAE frozen + attention",
    ] {
        assert!(said.contains(model), "no {model} in {said}");
    }
    let csv = |name: &str| {
        let path = desk.stage("downstream-").join(name);
        fs::read_to_string(path).expect("a table")
    };
    // Sixteen subjects with one age each, for any number of scans; 4 + 2 scans of each for the
    // task; five models.
    let predictions = csv("predictions.csv");
    let of = |target: &str| {
        let rows = predictions.lines();
        rows.filter(|row| row.starts_with(target)).count()
    };
    assert_eq!((of("age,"), of("task,")), (5 * 16, 5 * 16 * 6));
    for name in ["mean_fd_mm", "pmat24_a_cr", "phase_encoding=RL"] {
        let column = format!("confound_{name}");
        assert!(
            predictions
                .lines()
                .next()
                .expect("a head")
                .contains(&column),
            "{column}"
        );
        assert!(csv("motion.csv").contains(&format!(",{name},")), "{name}");
    }
    assert!(csv("results_without_motion.csv").contains("FC + ridge"));

    let plan = desk.succeed(&["experiment", "plan"], &[]);
    assert!(plan.contains("downstream     finished"), "{plan}");
    assert_eq!(desk.succeed(&["experiment", "run"], &[]), said);
}

/// Linear models alone are fitted on further partitions, and each fit is kept.
#[test]
fn linear_models_are_fitted_again_on_other_folds() {
    let desk = Desk::new();
    let words = [
        "--set",
        "downstream.repeats=2",
        "--set",
        "downstream.models=[\"constant\", \"fc\", \"brainmae-scratch\"]",
        "--set",
        "downstream.finetune.max_epochs=1",
    ];
    let said = desk.succeed(&["experiment", "run"], &words);
    let head = "### Linear models on 2 more partitions into 2 folds";
    let (_, repeated) = said.split_once(head).expect("a table");
    for row in ["| age | FC + ridge | r2 |", "| task | constant |"] {
        assert!(repeated.contains(row), "{row}: {repeated}");
    }
    assert!(!repeated.contains("| BrainMAE"), "{repeated}");

    let run = desk.stage("downstream-");
    let table = read_table(&run, "repeated").expect("a table");
    let [model, score] = ["model", "score"].map(|name| table.texts(name).expect("words"));
    let sd = table.optional_numbers("sd_of_repeats").expect("numbers");
    let mut rows = (0..table.height()).filter(|i| model[*i] == "FC + ridge" && score[*i] == "r2");
    let fc = rows.next().expect("a row");
    assert!(
        sd[fc] > Some(0.0),
        "the partitions are the same: {:?}",
        sd[fc]
    );
    // Two folds and two targets: three models, and two models on two more partitions.
    let parts = || fs::read_dir(run.join("parts")).expect("parts").flatten();
    let parts = parts().filter(|part| part.path().extension().is_some_and(|e| e == "parquet"));
    let parts: Vec<_> = parts.map(|part| part.path()).collect();
    assert_eq!(parts.len(), 2 * 2 * (3 + 2 * 2));
}

/// All scans show the conditions in one order, and the signals say nothing of them.
#[test]
fn a_state_that_the_clock_tells_is_warned_of() {
    let desk = Desk::new();
    // 90 volumes have the first two blocks.
    let state = "downstream.targets.memory={ tasks = [\"wm\"], state = { conditions = [\"0bk_places\", \"2bk_body\"] } }";
    let mut words = Vec::new();
    for set in [
        "data.cohort.block_order=\"task\"",
        "data.cohort.effects.task_response=0.0",
        "downstream.models=[\"constant\", \"fc\"]",
        state,
    ] {
        words.extend(["--set", set]);
    }
    let output = desk.run(&["experiment", "run"], &words);
    let (said, log) = (String::from_utf8_lossy(&output.stdout), stderr(&output));
    assert!(output.status.success(), "{log}");
    let warning = "the place in the run alone tells the state";
    assert!(said.contains(&format!("**Warning:** {warning}")), "{said}");
    assert!(log.contains(warning), "{log}");
    // The target of whole scans goes without it.
    let rows = said.lines();
    let rows = rows.filter(|line| line.starts_with("| place in the scan + logistic |"));
    assert_eq!(rows.count(), 1, "{said}");
}

/// A share in which a class is missing is reported at once, not after hours.
#[test]
fn folds_that_cannot_be_learned_from_are_refused_before_anything_is_trained() {
    let desk = Desk::new();
    let sex = "downstream.targets={ sex = { column = \"sex\", tasks = [\"rest\"] } }";
    let shares = "downstream.train_shares=[0.01, 1.0]";
    let refused = desk.fail(&["--set", sex, "--set", shares]);
    assert!(
        refused.contains("nobody in the training set is of class"),
        "{refused}"
    );
    let stages = fs::read_dir(desk.path().join("runs")).map(Iterator::count);
    assert_eq!(stages.unwrap_or(0), 0, "nothing was begun");
}

/// A checkpoint may be used only for subjects that it has not seen.
#[test]
fn weights_from_elsewhere_are_not_measured_on_those_whom_they_have_seen() {
    let desk = Desk::new();
    let checkpoint = desk.succeed(&["pretrain", "--variant", "model"], &[]);
    let checkpoint = Path::new(checkpoint.trim());
    let given = format!(
        "downstream.pretrain={{ checkpoint = {:?} }}",
        checkpoint.display().to_string()
    );
    let refused = desk.fail(&["--set", &given]);
    assert!(
        refused.contains("the checkpoint was trained on scan"),
        "{refused}"
    );
    assert!(refused.contains("per-fold"), "{refused}");

    // The same weights, as if they had been learned from other subjects.
    let card = checkpoint.join("card.json");
    let mut text: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&card).expect("a card")).expect("JSON");
    text["pretraining_subjects"] = serde_json::json!(["somebody else"]);
    fs::write(&card, text.to_string()).expect("writable");
    let said = desk.succeed(&["experiment", "run"], &["--set", &given]);
    assert!(said.contains("BrainMAE frozen + ridge"), "{said}");
}
