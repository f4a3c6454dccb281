//! Tests of four targets with known answers, and of duplicate subjects, through the program as a
//! user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use brainmae_run::Seeds;
use brainmae_run::table::read_table;
use brainmae_table::Table;
use rand::RngExt;

/// Experiment as it is committed.
const EXPERIMENT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/experiments/planted-targets.toml"
);

fn brainmae(words: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brainmae"));
    command.args(words).current_dir(folder);
    command.output().expect("it starts")
}

fn run(experiment: &str, folder: &Path) -> Output {
    let words = ["experiment", "run", experiment];
    brainmae(
        &[&words[..], &["--runs", "runs", "--data", "data"]].concat(),
        folder,
    )
}

fn succeed(output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// Rows of `results.parquet` that cover all folds together.
struct Results(Table);

impl Results {
    fn of(runs: &Path) -> Self {
        let folders = fs::read_dir(runs).expect("runs").flatten();
        let mut folders = folders.map(|entry| entry.path());
        let is_downstream = |path: &PathBuf| path.to_string_lossy().contains("downstream-");
        let folder = folders.find(is_downstream).expect("the stage has run");
        Self(read_table(&folder, "results").expect("a table"))
    }

    /// Row index of a target's score, one of `of`, over all folds.
    fn row(&self, target: &str, model: &str, of: &[&str]) -> usize {
        let column = |name: &str| self.0.texts(name).expect("words");
        let [targets, models, scores, folds] = ["target", "model", "score", "fold"].map(column);
        let mut rows = (0..self.0.height()).filter(|&i| {
            (targets[i].as_str(), models[i].as_str()) == (target, model)
                && folds[i] == "pooled"
                && of.contains(&scores[i].as_str())
        });
        rows.next()
            .unwrap_or_else(|| panic!("no row of {model} for {target}"))
    }

    fn number(&self, what: &str, target: &str, model: &str) -> f64 {
        self.of_score(&["r2", "balanced_accuracy"], what, target, model)
    }

    fn of_score(&self, of: &[&str], what: &str, target: &str, model: &str) -> f64 {
        let column = self.0.optional_numbers(what).expect("numbers");
        column[self.row(target, model, of)]
            .unwrap_or_else(|| panic!("{what} of {model} for {target} is undefined"))
    }
}

/// Range of R² that ridge regression of `p` features can reach if the best R² of a linear model is
/// `best`: from its expected value without a penalty to the best itself, widened by the sampling
/// error.
///
/// A model of `n` subjects without a penalty has an error of
/// `(1 - best) (1 + 1/n) (n - 2) / (n - p - 2)` of the variance, for normal features with any
/// covariance; the best penalty makes it smaller. With `tested` subjects, the standard deviation of
/// R² is `2 (1 - R²) √(R² / tested)`; the range is widened by three of them.
fn reachable(best: f64, p: f64, n: f64, tested: f64) -> [f64; 2] {
    let least = 1.0 - (1.0 - best) * (1.0 + 1.0 / n) * (n - 2.0) / (n - p - 2.0);
    let sd = |r2: f64| 2.0 * (1.0 - r2) * (r2 / tested).sqrt();
    [least - 3.0 * sd(least), best + 3.0 * sd(best)]
}

#[test]
fn what_a_linear_model_of_people_can_reach() {
    // .2 · 161/160 · 158/130 = .24460: least .75540, with a standard deviation of 2 · .24460 ·
    // √(.75540/240) = .02745.
    let [low, high] = reachable(0.8, 28.0, 160.0, 240.0);
    assert!((low - (0.75540 - 3.0 * 0.02745)).abs() < 1e-4, "{low}");
    // 2 · .2 · √(.8/240) = .02309.
    assert!((high - (0.8 + 3.0 * 0.02309)).abs() < 1e-4, "{high}");
}

/// All models of the experiment for numeric targets.
const MODELS: [&str; 12] = [
    "constant",
    "confounds + ridge",
    "autocorrelation + ridge",
    "FC + ridge",
    "log-Euclidean FC + ridge",
    "tangent space + ridge",
    "FC + linear SVR",
    "FC + kernel ridge",
    "mean-mlp",
    "BrainMAE from scratch",
    "BrainMAE frozen + ridge",
    "BrainMAE",
];

/// Models that do not depend on the order of volumes.
const BLIND_TO_ORDER: [&str; 8] = [
    "constant",
    "confounds + ridge",
    "FC + ridge",
    "log-Euclidean FC + ridge",
    "tangent space + ridge",
    "FC + linear SVR",
    "FC + kernel ridge",
    "mean-mlp",
];

/// Probability that at least one of the models without any signal is called better than chance.
const FALSE_ALARMS: f64 = 0.01;

#[test]
fn what_is_there_is_found_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let told = succeed(run(EXPERIMENT, folder.path()));
    let results = Results::of(&folder.path().join("runs/planted-targets"));

    let plan = fs::read_to_string(EXPERIMENT).expect("it is there");
    let plan: toml::Table = plan.parse().expect("TOML");
    let planted = &plan["data"]["planted"];
    let count = |key: &str| planted[key].as_integer().expect("a count") as f64;
    let n_rois = count("n_networks") * count("rois_per_network");
    let n_subjects = count("n_subjects");
    let folds = plan["downstream"]["folds"]["folds"].as_integer();
    let learned_from = n_subjects * (1.0 - 1.0 / folds.expect("a count") as f64);
    let best = planted["targets"]["fc_r2"].as_float().expect("a share");
    let [low, high] = reachable(
        best,
        n_rois * (n_rois - 1.0) / 2.0,
        learned_from,
        n_subjects,
    );

    // 1. A linear model of FC predicts a target that is linear in FC as well as possible.
    let fc = results.number("value", "fc", "FC + ridge");
    assert!(
        (low..=high).contains(&fc),
        "{fc} of {low} to {high}\n{told}"
    );

    assert!(told.contains("### fc by subgroup"), "{told}");

    // 2. BrainMAE predicts most of the dwell time of states, and more than FC does.
    let least = results.number("low", "dwell", "BrainMAE");
    assert!(least > 0.5, "{told}");
    assert!(
        results.number("linear_low", "dwell", "BrainMAE") > 0.5,
        "{told}"
    );

    // Predictions of those who find something have the size of the truth, no less and no more.
    for (target, model) in [
        ("fc", "FC + ridge"),
        ("dwell", "BrainMAE"),
        ("dwell", "BrainMAE from scratch"),
        ("dwell", "BrainMAE frozen + ridge"),
    ] {
        let slope = results.of_score(&["calibration_slope"], "value", target, model);
        assert!((slope - 1.0).abs() < 0.15, "{model}: {slope}\n{told}");
    }

    // 3. No model predicts a target without signal.
    let mut chances = BLIND_TO_ORDER
        .map(|model| ("dwell", model.to_string()))
        .to_vec();
    for model in MODELS {
        chances.push(("null", model.to_string()));
        let of_classes = model.replace("+ ridge", "+ logistic");
        chances.push(("null-class", of_classes.replace("SVR", "SVM")));
    }
    let level = FALSE_ALARMS / chances.len() as f64;
    for (target, model) in &chances {
        let p = results.number("p_chance", target, model);
        assert!(p > level, "{model} for {target}: p {p}\n{told}");
    }
    // The same p value separates models with skill from models without.
    for (target, model) in [("fc", "FC + ridge"), ("dwell", "BrainMAE")] {
        let p = results.number("p_chance", target, model);
        assert!(p < level, "{model} for {target}: p {p}\n{told}");
    }
}

/// Subjects with family and signals: `[volume][ROI]`.
struct Cohort(Vec<(String, String, Vec<[f64; 4]>)>);

impl Cohort {
    /// Twelve subjects of twelve families.
    fn new() -> Self {
        let people = (0..12u64).map(|i| {
            let rng = &mut Seeds::new(8).stream_at("signals", &[i]);
            let volume = |_| [0; 4].map(|_| rng.random_range(-2.0..2.0));
            (
                format!("p{i:02}"),
                format!("f{i:02}"),
                (0..80).map(volume).collect(),
            )
        });
        Self(people.collect())
    }

    /// Adds the third subject again under another name.
    fn and_again(mut self, family: &str, change: impl Fn(usize, [f64; 4]) -> [f64; 4]) -> Self {
        let again = self.0[2].2.iter().enumerate();
        let again = again
            .map(|(volume, values)| change(volume, *values))
            .collect();
        self.0.push(("another".into(), family.into(), again));
        self
    }

    /// Prepares these subjects from files, and predicts a score from FC, with as many folds as
    /// families.
    fn predict(&self, folder: &Path) -> Output {
        let raw = folder.join("raw");
        fs::create_dir(&raw).expect("writable");
        let mut manifest = "subject\tpath\ttask\n".to_string();
        let mut table = "participant_id\tfamily\tscore\n".to_string();
        let mut families = std::collections::BTreeSet::new();
        for (number, (name, family, volumes)) in self.0.iter().enumerate() {
            let rows = volumes
                .iter()
                .map(|v| v.map(|x| format!("{x:.5}")).join("\t"));
            let text = std::iter::once("a\tb\tc\td".to_string()).chain(rows);
            let text = text.collect::<Vec<_>>().join("\n") + "\n";
            fs::write(raw.join(format!("{name}.tsv")), text).expect("writable");
            manifest += &format!("{name}\t{name}.tsv\trest\n");
            table += &format!("{name}\t{family}\t{}\n", number * 7 % 13);
            families.insert(family);
        }
        fs::write(raw.join("manifest.tsv"), manifest).expect("writable");
        fs::write(raw.join("people.tsv"), table).expect("writable");
        let prepare = [
            "data",
            "prepare",
            "raw",
            "--layout",
            "manifest",
            "--atlas",
            "columns",
            "--tr",
            "1.5",
            "--phenotype",
            "raw/people.tsv",
            "--target",
            "score",
            "--out",
            "prepared",
        ];
        succeed(brainmae(&prepare, folder));
        let experiment = format!(
            r#"
            data.prepared = "{}"
            segments.sample_secs = 60.0
            reconstruction.mask_ratios = [0.5]
            [downstream]
            models = ["constant", "fc"]
            folds = {{ folds = {}, validation_fraction = 0.2 }}
            targets.score.column = "score"
            "#,
            folder.join("prepared").display(),
            families.len()
        );
        fs::write(folder.join("who.toml"), experiment).expect("writable");
        run("who.toml", folder)
    }
}

#[test]
fn who_is_there_twice_is_not_tested_by_those_who_learned_from_them() {
    let scaled_and_noisy = |volume: usize, values: [f64; 4]| {
        let rng = &mut Seeds::new(9).stream_at("noise", &[volume as u64]);
        values.map(|x| 5.0 + 3.0 * (x + rng.random_range(-0.1..0.1)))
    };
    for cohort in [
        Cohort::new().and_again("another", |_, values| values),
        Cohort::new().and_again("another", scaled_and_noisy),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = cohort.predict(folder.path());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{errors}");
        assert!(errors.contains("hold the same signal"), "{errors}");
        assert!(
            errors.contains("p02") && errors.contains("another"),
            "{errors}"
        );
        assert!(errors.contains("give both subjects one family"), "{errors}");
        assert!(!folder.path().join("runs").exists(), "nothing was begun");
    }
    // The hint's advice works, and so does a cohort without duplicates.
    for cohort in [
        Cohort::new().and_again("f02", |_, values| values),
        Cohort::new(),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let told = succeed(cohort.predict(folder.path()));
        assert!(told.contains("FC + ridge"), "{told}");
    }
}
