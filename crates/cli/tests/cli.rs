//! Tests of the program as a user runs it: real processes and files, kills and full disks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A small model on the raw haxby2001 files: a step takes some milliseconds.
const EXPERIMENT: &str = r#"
about = "A small model, for tests."
[data]
source = "datasets/haxby2001"
[split]
validation_scans = ["sub-1_task-objects_run-10"]
test_scans = ["sub-1_task-objects_run-11", "sub-1_task-objects_run-12"]
[model]
d_model = 8
n_heads = 2
encoder_depth = 1
[train]
steps = 60
batch_size = 4
validate_every = 6
checkpoint_every = 4
[train.schedule]
base_lr = 0.05
[reconstruction]
mask_ratios = [0.3, 0.5, 0.7]
draws = 1
[variants.sg]
[variants.ag]
model.tse = "adaptive"
"#;

/// A folder with the experiment, its runs and its data.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::write(desk.path().join("small.toml"), EXPERIMENT).expect("writable");
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brainmae"));
        command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn pretrain(&self, more: &[&str]) -> Command {
        let mut command = self.command(&["pretrain", "--variant", "sg"]);
        command.arg(self.path().join("small.toml")).args(more);
        self.places(command)
    }

    fn places(&self, mut command: Command) -> Command {
        command.arg("--runs").arg(self.path().join("runs"));
        command.arg("--data").arg(self.path().join("prepared"));
        command
    }

    /// Folder of the only pretraining run here.
    fn run_folder(&self) -> Option<PathBuf> {
        let runs = fs::read_dir(self.path().join("runs/small")).ok()?;
        let mut folders = runs.filter_map(|entry| Some(entry.ok()?.path()));
        folders.find(|path| path.to_string_lossy().contains("pretrain-sg"))
    }

    /// Waits until the run has logged `n` records.
    fn wait_for_records(&self, n: usize) {
        let started = Instant::now();
        loop {
            let log = self.run_folder().map(|run| run.join("metrics.jsonl"));
            let text = log
                .and_then(|log| fs::read_to_string(log).ok())
                .unwrap_or_default();
            if text.lines().count() >= n {
                return;
            }
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "no {n} records in two minutes"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn result(&self) -> (String, [Vec<u8>; 2]) {
        let run = self.run_folder().expect("a run");
        let log = fs::read_to_string(run.join("metrics.jsonl")).expect("a log");
        let weights = |name| {
            let file = run.join("checkpoints").join(name).join("model.safetensors");
            fs::read(file).expect("weights")
        };
        (log, ["last", "best"].map(weights))
    }
}

fn succeed(mut command: Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// As [`succeed`], but in a folder.
fn succeed_in(mut command: Command, folder: &Path) -> String {
    command.current_dir(folder);
    succeed(command)
}

fn fail(mut command: Command) -> String {
    let output = command.output().expect("it starts");
    assert!(!output.status.success());
    stderr(&output)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).to_string()
}

fn kill_nine(mut child: Child) {
    child.kill().expect("it runs");
    let status = child.wait().expect("it ends");
    assert!(!status.success(), "it was killed before its end");
}

#[test]
fn killed_and_resumed_equals_uninterrupted_to_the_last_bit() {
    // Enough steps that a kill comes before the end.
    const STEPS: [&str; 2] = ["--set", "train.steps=150"];
    let straight = Desk::new();
    succeed(straight.pretrain(&STEPS));

    let killed = Desk::new();
    for records in [3, 40, 130] {
        let child = killed.pretrain(&STEPS).spawn().expect("it starts");
        killed.wait_for_records(records);
        kill_nine(child);
    }
    // On one thread, because the result of a step must not depend on the threads either.
    succeed(killed.pretrain(&[&STEPS[..], &["--resume", "--threads", "1"]].concat()));
    assert_eq!(straight.result(), killed.result());
}

#[test]
fn there_must_be_something_to_resume() {
    let message = fail(Desk::new().pretrain(&["--resume"]));
    assert!(message.contains("to resume"), "{message}");
}

#[test]
fn two_processes_do_not_share_a_run_folder() {
    let desk = Desk::new();
    let first = desk
        .pretrain(&["--set", "train.steps=100000"])
        .spawn()
        .expect("it starts");
    desk.wait_for_records(1);
    let message = fail(desk.pretrain(&["--set", "train.steps=100000"]));
    assert!(
        message.contains("another process is at work in this folder"),
        "{message}"
    );
    kill_nine(first);
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_leaves_no_half_checkpoint() {
    let desk = Desk::new();
    succeed(desk.pretrain(&["--set", "train.steps=4"]));
    fs::remove_dir_all(desk.path().join("runs")).expect("removable");

    // Files are limited to 16 blocks of 1024 bytes: the manifest and the first log lines fit, the
    // weights do not.
    let inner = desk.pretrain(&[]);
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\""]);
    command.arg(inner.get_program()).args(inner.get_args());
    let message = fail(command);
    assert!(
        message.contains("cannot write") && message.contains("checkpoints/last"),
        "{message}"
    );
    let checkpoints = desk.run_folder().expect("a run").join("checkpoints");
    let left = fs::read_dir(checkpoints).map_or(0, |entries| entries.count());
    assert_eq!(left, 0, "nothing half-written is left");
    succeed(desk.pretrain(&["--resume"]));
}

#[test]
fn a_checkpoint_of_other_data_is_refused() {
    let desk = Desk::new();
    let checkpoint = succeed(desk.pretrain(&["--set", "train.steps=4"]));
    let checkpoint = PathBuf::from(checkpoint.trim());
    let card = checkpoint.join("card.json");
    let text = fs::read_to_string(&card).expect("a card");
    let from = |change: &str, to: &str| {
        assert!(text.contains(change));
        fs::write(&card, text.replace(change, to)).expect("writable");
        fail(desk.pretrain(&["--ckpt", &checkpoint.to_string_lossy()]))
    };
    let slower = from("\"dt_secs\": 2.5", "\"dt_secs\": 2.0");
    assert!(
        slower.contains("dt_secs is 2.5 s here, 2 s in the checkpoint"),
        "{slower}"
    );
    let other = from("\"spatial_007\"", "\"V1\"");
    assert!(
        other.contains("the first differing ROI is spatial_007"),
        "{other}"
    );
    let adaptive = from("\"tse\": \"static\"", "\"tse\": \"adaptive\"");
    assert!(
        adaptive.contains("model.tse is \"static\" here"),
        "{adaptive}"
    );
    let seen = from(
        "\"sub-1_task-objects_run-01\"",
        "\"sub-1_task-objects_run-11\"",
    );
    assert!(seen.contains("held out in this split"), "{seen}");
}

#[test]
fn an_unknown_key_is_named_with_the_closest_known_one() {
    let message = fail(Desk::new().pretrain(&["--set", "train.stesp=3"]));
    assert!(message.contains("unknown field `stesp`"), "{message}");
    assert!(message.contains("did you mean `steps`?"), "{message}");
}

#[test]
fn the_command_line_is_what_the_guide_says() {
    let help = succeed(Desk::new().command(&["experiment", "run", "--help"]));
    insta::assert_snapshot!("experiment_run_help", help);
    let help = succeed(Desk::new().command(&["--help"]));
    insta::assert_snapshot!("help", help);
}

#[test]
fn an_experiment_runs_from_raw_files_to_its_report() {
    let desk = Desk::new();
    let run = || {
        let mut command = desk.command(&["experiment", "run", "--set", "train.steps=12"]);
        command.arg(desk.path().join("small.toml"));
        succeed(desk.places(command))
    };
    let table = run();
    for predictor in [
        "BrainMAE sg",
        "BrainMAE ag",
        "linear",
        "linear, 8 numbers",
        "neighbouring segments",
        "visible mean",
        "zero",
    ] {
        assert!(
            table.lines().any(|line| line.starts_with(predictor)),
            "{table}"
        );
    }
    let page = table
        .lines()
        .find_map(|line| line.strip_prefix("report: "))
        .expect("a path");
    let html = fs::read_to_string(page).expect("a page");
    for word in ["<svg", "BrainMAE ag", "spatial_", "linear, 8 numbers"] {
        assert!(html.contains(word), "no {word} in the report");
    }
    assert!(
        !html.contains("src=\"http") && !html.contains("href=\"http"),
        "it needs no network"
    );
    // The gate `browser` of `cargo ci` looks for it here.
    fs::write(
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("report.html"),
        &html,
    )
    .expect("writable");

    assert_eq!(run(), table, "a finished experiment is not done again");
}

#[test]
fn experiments_are_listed_and_planned() {
    let desk = Desk::new();
    let list = succeed(desk.command(&["experiment", "list"]));
    insta::assert_snapshot!("experiment_list", list);
    let place = desk.path().display().to_string();
    let plan = desk.command(&["experiment", "plan", "haxby2001", "--data", &place]);
    insta::assert_snapshot!("experiment_plan", succeed(plan).replace(&place, "PREPARED"));
}

#[test]
fn a_shipped_experiment_runs_in_any_folder() {
    let desk = Desk::new();
    let mut command = desk.command(&["pretrain", "haxby2001", "--variant", "sg"]);
    command.args(["--set", "train.steps=1"]);
    let printed = succeed_in(command, desk.path());
    assert!(
        printed.starts_with("runs/haxby2001/pretrain-sg-"),
        "{printed}"
    );
    for made in [
        "prepared/haxby2001/dataset.toml",
        "prepared/.sources/haxby2001/source.toml",
    ] {
        assert!(desk.path().join(made).exists(), "{made}");
    }

    // A user's own file, made from a shipped one.
    let text = succeed(desk.command(&["experiment", "show", "haxby2001"]));
    fs::write(desk.path().join("mine.toml"), text).expect("writable");
    let plan = desk.command(&["experiment", "plan", "mine.toml"]);
    let plan = succeed_in(plan, desk.path());
    assert!(
        plan.contains("data           prepared/haxby2001: "),
        "{plan}"
    );
}

#[test]
fn hints_name_the_program_that_was_started() {
    let desk = Desk::new();
    let mut command = desk.command(&["data", "simulate", "--layout", "nsd", "--volumes", "20"]);
    command.args(["--subjects", "2", "--out"]).arg("raw");
    let told = succeed_in(command, desk.path());
    assert!(
        told.contains("to prepare it: brainmae data prepare raw"),
        "{told}"
    );
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_ends_with_its_own_status_and_is_told() {
    let desk = Desk::new();
    let mut command = desk.pretrain(&["--set", "train.steps=100000"]);
    let mut child = command.spawn().expect("it starts");
    desk.wait_for_records(1);
    let id = child.id().to_string();
    let signalled = Command::new("kill").args(["-INT", &id]).status();
    assert!(signalled.expect("there is kill").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let run = desk.run_folder().expect("a run");
    let manifest = fs::read_to_string(run.join("manifest.json")).expect("a manifest");
    assert!(manifest.contains("\"interrupted\""), "{manifest}");
    let mut status = desk.command(&["experiment", "status", "--set", "train.steps=100000"]);
    status.arg(desk.path().join("small.toml"));
    let status = succeed(desk.places(status));
    assert!(
        status.contains("pretrain-sg    interrupted, in "),
        "{status}"
    );
    assert!(status.contains("pretrain-ag    not begun, "), "{status}");
}

/// Files of finished scans in the folder of prepared data.
fn finished_scans(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let folders = paths.filter(|path| path.is_dir());
    folders
        .map(|path| match path.ends_with("parts") {
            true => fs::read_dir(&path).map_or(0, |files| files.count()),
            false => finished_scans(&path),
        })
        .sum()
}

#[test]
#[cfg(unix)]
fn preparing_that_is_interrupted_keeps_finished_scans() {
    let desk = Desk::new();
    let planted = "[data.planted]\nn_subjects = 400\nn_volumes = 2000\n";
    fs::write(desk.path().join("planted.toml"), planted).expect("writable");
    let mut command = desk.command(&["experiment", "run"]);
    command.arg(desk.path().join("planted.toml"));
    let mut child = desk.places(command).spawn().expect("it starts");
    let started = Instant::now();
    while finished_scans(&desk.path().join("prepared")) < 3 {
        assert!(started.elapsed() < Duration::from_secs(120), "no scan");
        std::thread::sleep(Duration::from_millis(2));
    }
    let id = child.id().to_string();
    let signalled = Command::new("kill").args(["-INT", &id]).status();
    assert!(signalled.expect("there is kill").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(finished_scans(&desk.path().join("prepared")) >= 3);
    assert!(!desk.path().join("runs").exists(), "nothing was begun");
}

#[test]
#[cfg(target_os = "linux")]
fn a_batch_that_does_not_fit_into_memory_is_refused_with_one_that_does() {
    let desk = Desk::new();
    // About 2 TiB.
    let refusal = fail(desk.pretrain(&["--set", "train.batch_size=4000000"]));
    assert!(
        refusal.contains("a batch of 4000000 in 2 parts"),
        "{refusal}"
    );
    assert!(
        refusal.contains("hint: lower train.batch_size"),
        "{refusal}"
    );
    let (_, fits) = refusal.split_once("a batch of ").expect("it was refused");
    let (_, fits) = fits.split_once("a batch of ").expect("another one fits");
    let fits: u64 = (fits.split_whitespace().next())
        .and_then(|size| size.parse().ok())
        .expect("a number");
    assert!((2..4_000_000).contains(&fits), "{refusal}");
    let steps = fs::read_to_string(desk.run_folder().expect("begun").join("metrics.jsonl"));
    assert_eq!(steps.unwrap_or_default(), "", "no step was taken");
}
