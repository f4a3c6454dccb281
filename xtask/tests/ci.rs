//! Tests of `cargo ci` on machines that have only a part of what a gate needs.

#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Row of a gate in the table, and whether `ci` succeeded.
fn ci(gate: &str, variables: &[(&str, &Path)]) -> (String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["ci", "--only", gate]).env_remove("LIBTORCH");
    let output = command.envs(variables.iter().copied()).output();
    let output = output.expect("it starts");
    let table = String::from_utf8_lossy(&output.stdout);
    let row = table.lines().find(|row| row.starts_with(gate));
    (row.expect("a row").to_string(), output.status.success())
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A folder with a program of this name that always fails.
fn failing(program: &str) -> TempDir {
    let folder = folder();
    std::os::unix::fs::symlink("/bin/false", folder.path().join(program)).expect("writable");
    folder
}

fn assert_skipped(gate: &str, variables: &[(&str, &Path)], why: &str) {
    let (row, ended_well) = ci(gate, variables);
    assert!(row.contains("skipped: ") && row.contains(why), "{row}");
    assert!(ended_well, "a skipped gate is no failure");
}

#[test]
fn mpi_without_libclang_is_skipped() {
    let empty = folder();
    let compiler = Path::new("true");
    let variables = [("MPICC", compiler), ("LIBCLANG_PATH", empty.path())];
    assert_skipped("mpi", &variables, "made with libclang, and there is none");
    let failing = failing("mpicc");
    let variables = [("PATH", failing.path())];
    assert_skipped("mpi", &variables, "there is no MPI to build with: no mpicc");
}

#[test]
fn a_chromium_that_does_not_start_is_skipped() {
    let failing = failing("chromium");
    let variables = [("PATH", failing.path())];
    assert_skipped("browser", &variables, "chromium ended with exit status: 1");
    let empty = folder();
    assert_skipped("browser", &[("PATH", empty.path())], "no Chromium here");
}

#[test]
fn a_libtorch_of_another_version_and_no_pip_are_skipped() {
    if (std::env::consts::OS, std::env::consts::ARCH) != ("linux", "x86_64") {
        return;
    }
    let old = folder();
    std::fs::write(old.path().join("build-version"), "2.4.1").expect("writable");
    assert_skipped(
        "libtorch",
        &[("LIBTORCH", old.path())],
        "it is version 2.4.1",
    );
    let (failing, cache) = (failing("python3"), folder());
    let variables = [
        ("PATH", failing.path()),
        ("BRAINMAE_LIBTORCH", cache.path()),
    ];
    assert_skipped("libtorch", &variables, "`python3` has no pip");
}

#[test]
fn a_toolchain_without_rustfmt_or_clippy_is_skipped() {
    let cargo = [("CARGO", Path::new("false"))];
    assert_skipped("fmt", &cargo, "this toolchain has no rustfmt");
    assert_skipped("clippy", &cargo, "this toolchain has no clippy");
}

#[test]
fn a_tool_that_does_not_build_is_a_failure() {
    let cache = folder();
    let variables = [
        ("CARGO", Path::new("false")),
        ("BRAINMAE_TOOLS", cache.path()),
    ];
    let (row, ended_well) = ci("typos", &variables);
    assert!(row.contains("FAILED: typos-cli") && !ended_well, "{row}");
}
