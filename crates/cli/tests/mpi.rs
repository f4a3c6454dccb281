//! Tests of two processes: killed, resumed, and separate. The gate `mpi` of `cargo ci` sets how
//! mpirun starts them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Enough steps that a kill comes before the end.
const TRAIN: [&str; 6] = [
    "pretrain",
    "loss-curve",
    "--variant",
    "sg",
    "--set",
    "train.steps=100",
];
/// All stages.
const RUN: [&str; 5] = ["experiment", "run", "loss-curve", "--set", "train.steps=4"];

/// A folder for runs and data.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Command line of one process that runs `what`, with its runs in the folder `runs` here.
    fn process(&self, what: &[&str], runs: &str) -> Vec<String> {
        let program = env!("CARGO_BIN_EXE_brainmae-mpi").to_string();
        let mut arguments = vec!["-n".to_string(), "1".to_string(), program];
        arguments.extend(what.iter().map(|word| word.to_string()));
        let folder = |name: &str| self.path().join(name).display().to_string();
        arguments.extend(["--processes=mpi", "--threads=1", "--runs"].map(String::from));
        arguments.extend([folder(runs), "--data".into(), folder("prepared")]);
        arguments
    }

    /// Two processes that run `what`, each with its folder of runs.
    fn processes(&self, what: &[&str], runs: [&str; 2]) -> Command {
        let mut command = Command::new("mpirun");
        command.args(self.process(what, runs[0])).arg(":");
        command.args(self.process(what, runs[1]));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Folder of the only run here.
    fn run(&self) -> Option<PathBuf> {
        let runs = fs::read_dir(self.path().join("runs/loss-curve")).ok()?;
        runs.filter_map(|entry| Some(entry.ok()?.path())).next()
    }

    fn log(&self) -> String {
        let log = self.run().map(|run| run.join("metrics.jsonl"));
        let text = log.and_then(|log| fs::read_to_string(log).ok());
        text.unwrap_or_default()
    }

    fn result(&self) -> (String, Vec<u8>) {
        let weights = self.run().expect("a run").join("checkpoints/last");
        let weights = fs::read(weights.join("model.safetensors"));
        (self.log(), weights.expect("a checkpoint"))
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).to_string()
}

fn succeed(mut command: Command) {
    let output = command.output().expect("mpirun starts");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn killed_and_resumed_equals_uninterrupted_to_the_last_bit() {
    let (straight, killed) = (Desk::new(), Desk::new());
    succeed(straight.processes(&TRAIN, ["runs"; 2]));

    let started = Instant::now();
    let mut child = killed
        .processes(&TRAIN, ["runs"; 2])
        .spawn()
        .expect("it starts");
    while killed.log().lines().count() < 200 {
        assert!(started.elapsed() < Duration::from_secs(120), "no records");
        std::thread::sleep(Duration::from_millis(2));
    }
    // This kills mpirun itself: its processes notice, and end.
    child.kill().expect("it runs");
    let status = child.wait().expect("it ends");
    assert!(!status.success(), "it was killed before its end");
    while started.elapsed() < Duration::from_secs(120) {
        let output = killed
            .processes(&TRAIN, ["runs"; 2])
            .output()
            .expect("it starts");
        // Killed processes may hold the run folder for a moment.
        if output.status.success() {
            break;
        }
        assert!(stderr(&output).contains("at work"), "{}", stderr(&output));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(straight.result(), killed.result());
}

#[test]
fn what_follows_the_training_is_done_by_the_first_process() {
    let output = Desk::new().processes(&RUN, ["runs"; 2]).output();
    let output = output.expect("mpirun starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(table.matches("report: ").count(), 1, "{table}");
}

#[test]
fn a_process_that_fails_ends_the_others() {
    let desk = Desk::new();
    let output = desk.processes(&TRAIN, ["runs", "elsewhere"]).output();
    let output = output.expect("mpirun starts");
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("error in process 1"),
        "{}",
        stderr(&output)
    );
}
