//! Tests of `cargo xtask` as a contributor uses it: the commands of `brainmae`, in the clone.

use std::process::Command;

fn told(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(words).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// Content of a snapshot from the tests of `brainmae`.
fn snapshot(file: &str) -> &str {
    let parts = file.splitn(3, "---\n");
    parts.last().expect("a head and a text").trim_end()
}

#[test]
fn experiments_are_listed_and_planned_as_brainmae_does() {
    let list = include_str!("../../crates/cli/tests/snapshots/cli__experiment_list.snap");
    assert_eq!(told(&["experiment", "list"]).trim_end(), snapshot(list));

    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().display().to_string();
    let words = ["experiment", "plan", "haxby2001", "--data", &place];
    let plan = include_str!("../../crates/cli/tests/snapshots/cli__experiment_plan.snap");
    let found = told(&words).replace(&place, "PREPARED");
    assert_eq!(found.trim_end(), snapshot(plan));
}

#[test]
fn runs_and_prepared_data_lie_in_the_clone() {
    let clone = concat!(env!("CARGO_MANIFEST_DIR"), "/../prepared/haxby2001");
    let clone = std::path::Path::new(clone);
    let clone = std::path::absolute(clone).expect("a path");
    let plan = told(&["experiment", "plan", "haxby2001"]);
    let shown = clone.display().to_string().replace("/xtask/..", "");
    assert!(plan.contains(&shown), "{plan}");
}

#[test]
fn the_commands_are_those_of_brainmae_and_the_gates() {
    let help = told(&["--help"]);
    let mut commands = [
        "data",
        "experiment",
        "pretrain",
        "embed",
        "report",
        "bench",
        "ci",
        "loss-curve",
    ]
    .iter();
    assert!(
        commands.all(|name| help.contains(&format!("\n  {name} "))),
        "{help}"
    );
    assert!(told(&["bench", "--help"]).contains("\n  pack "));
}

#[test]
fn the_loss_curve_is_the_committed_one() {
    // If the curve has changed, the message contains a table of expected and found values.
    let said = told(&["loss-curve"]);
    assert!(
        said.contains("the loss curve on cpu is the committed one"),
        "{said}"
    );
}
