//! Tests of benchmarks as a user runs them.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs;
use std::process::Command;

#[test]
fn the_whole_set_is_measured_case_by_case() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_brainmae"))
        .args(["bench", "all", "--size", "quick", "--tse", "static"])
        .args(["--work", "inference", "--steps", "1", "--rounds", "1"])
        .arg("--out")
        .arg(folder.path())
        .output()
        .expect("it starts");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(
        table.contains("| quick SG, 32, inference on cpu |"),
        "{table}"
    );
    let written = |name: &str| fs::read_to_string(folder.path().join(name)).expect("written");
    assert_eq!(written("bench.md"), table);
    let json: serde_json::Value = serde_json::from_str(&written("bench.json")).expect("JSON");
    let case = &json["measurements"][0];
    for field in ["gb_per_step", "fraction_of_copy", "fraction_of_roofline"] {
        assert!(case[field].as_f64().is_some_and(|n| n > 0.0), "{case}");
    }
}

#[test]
fn a_case_that_fails_is_in_the_table_and_in_the_exit_status() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_brainmae"))
        .args(["bench", "all", "--size", "quick", "--tse", "static"])
        .args(["--work", "inference", "--steps", "1", "--rounds", "1"])
        .args([
            "--reference",
            "no-such-program.py",
            "--python",
            "/nowhere/python",
        ])
        .arg("--out")
        .arg(folder.path())
        .output()
        .expect("it starts");
    assert!(!output.status.success());
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(table.contains("| FAILED |"), "{table}");
    assert!(
        table.contains("cannot start \"/nowhere/python\""),
        "{table}"
    );
}

#[test]
fn functional_connectivity_is_timed_without_a_peer_and_a_peer_that_is_not_there_is_named() {
    let bench = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_brainmae"))
            .args(["bench", "fc", "--scans", "3", "--volumes", "20"])
            .args(["--rois", "5", "--rounds", "1"])
            .args(more)
            .output()
            .expect("it starts")
    };
    let output = bench(&[]);
    assert!(output.status.success(), "{output:?}");
    let table = String::from_utf8_lossy(&output.stdout);
    let title = "correlations of 3 scans, 5 ROIs x 20 volumes, 2 threads";
    assert_eq!(table.lines().next(), Some(title));
    assert!(table.contains("ours takes 1.00 x"), "{table}");
    let output = bench(&["--python", "/nowhere/python"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot start \"/nowhere/python\""), "{said}");
}
