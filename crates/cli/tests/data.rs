//! Tests of the path of a cohort: simulate, inspect, prepare, split, check.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder in which the program runs.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `data` with these words; a word that starts with `@` is a path in this folder.
    fn data(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brainmae"));
        command.arg("data");
        for word in words {
            match word.strip_prefix('@') {
                Some(name) => command.arg(self.path(name)),
                None => command.arg(word),
            };
        }
        command.output().expect("it starts")
    }

    /// Standard output of a command that must end with exit status `status`.
    fn told(&self, words: &[&str], status: i32) -> String {
        let output = self.data(words);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{words:?}: {errors}");
        // Names of subjects are printed only on request: they never reach the log.
        assert!(!errors.contains("99000"), "{words:?}: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }
}

#[test]
fn a_cohort_goes_from_raw_files_to_a_proven_split() {
    let desk = Desk::new();
    let simulate = [
        "simulate",
        "--layout",
        "hcp",
        "--task",
        "rest",
        "--volumes",
        "100",
        "--out",
        "@raw",
    ];
    let told = desk.told(&simulate, 0);
    assert!(told.contains("planted fault"), "{told}");
    let tables = [
        "--phenotype",
        "@raw/unrestricted.csv",
        "--phenotype",
        "@raw/restricted.csv",
    ];
    let options = [
        "--layout",
        "hcp",
        "--atlas",
        "schaefer-100-7",
        "--min-coverage",
        "0",
    ];
    let prepare = [&["prepare", "@raw", "--out", "@out"][..], &options, &tables].concat();

    let told = desk.told(&[&prepare[..], &["--dry-run"]].concat(), 0);
    assert!(told.contains("found 47 scans of 12 subjects"), "{told}");
    assert!(!desk.path("out").exists());

    // One planted file is truncated: the other scans are prepared, and the exit status reports it.
    let told = desk.told(&prepare, 3);
    assert!(told.contains("46 scans of 100 ROIs, prepared"), "{told}");
    assert!(told.contains("failed 1: the file ends too early"), "{told}");
    let told = desk.told(&prepare, 3);
    assert!(told.contains("up to date"), "{told}");
    let told = desk.told(&["list", "@out"], 0);
    assert!(told.contains("failed: the file ends too early"), "{told}");

    let split = [
        "split",
        "@out",
        "--folds",
        "3",
        "--stratify",
        "sex",
        "--out",
        "@s.json",
    ];
    assert!(desk.told(&split, 0).contains("fold 3"));
    assert_eq!(
        desk.data(&split).status.code(),
        Some(1),
        "it is there already"
    );
    let told = desk.told(&["check", "@out", "--split", "@s.json"], 0);
    assert!(told.contains("split 3: nobody in two sets"), "{told}");
    let text = fs::read_to_string(desk.path("s.json")).expect("a split file");
    fs::write(desk.path("s.json"), text.replacen("990001", "990002", 1)).expect("writable");
    assert_eq!(
        desk.data(&["check", "@out", "--split", "@s.json"])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn options_change_a_recipe_step_by_step_and_nothing_else() {
    let desk = Desk::new();
    desk.told(
        &[
            "simulate",
            "--layout",
            "xcpd",
            "--volumes",
            "100",
            "--out",
            "@raw",
        ],
        0,
    );
    let recipe = r#"
        name = "cohort"
        layout = "xcpd"
        cleaning = [{ censor = { fd_mm = 0.4, after = 2 } }, { band-pass = { low_pass_hz = 0.1, order = 3 } }, "z-score"]
        [atlas]
        name = "schaefer-100-7"
    "#;
    fs::write(desk.path("recipe.toml"), recipe).expect("writable");
    let prepare = [
        "prepare",
        "@raw",
        "--recipe",
        "@recipe.toml",
        "--out",
        "@out",
    ];
    desk.told(
        &[&prepare[..], &["--censor-fd", "0.5", "--drop-dummies", "2"]].concat(),
        0,
    );
    let card = fs::read_to_string(desk.path("out/dataset.toml")).expect("a card");
    let card: toml::Table = toml::from_str(&card).expect("TOML");
    let steps = card["dataset"]["cleaning"].to_string();
    for part in [
        "volumes = 2",
        "fd_mm = 0.5",
        "after = 2",
        "order = 3",
        "z-score",
    ] {
        assert!(steps.contains(part), "{part} in {steps}");
    }
    assert!(!steps.contains("detrend"), "{steps}");
}

#[test]
fn options_that_would_be_ignored_are_refused() {
    let desk = Desk::new();
    fs::create_dir(desk.path("raw")).expect("writable");
    for option in [
        &["--tr", "2"][..],
        &["--confounds", "motion-6"],
        &["--dry-run"],
    ] {
        let output = desk.data(&[&["prepare", "@raw"][..], option].concat());
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(errors.contains("need --layout"), "{errors}");
    }
}
