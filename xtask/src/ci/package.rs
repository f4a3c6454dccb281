//! Gate `package`: every library crate can be packaged, though publishing is off.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo::cargo;
use crate::tool::succeed;
use crate::workspace;

/// Members that are no libraries.
const PROGRAMS: [&str; 5] = [
    "brainmae-cli",
    "brainmae-bench",
    "brainmae-one-build",
    "brainmae-tests",
    "xtask",
];

/// The line of the workspace that switches publishing off. Cargo resolves packages of one workspace
/// among one another only where publishing is allowed, so the clone does without it.
const PUBLISHING_OFF: &str = "\npublish = false\n";

/// Packages the library crates of a clone, as committed; compiles nothing.
pub fn gate() -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let clone = folder.path().join("clone");
    let mut git = Command::new("git");
    succeed(
        git.args(["clone", "--quiet"])
            .arg(workspace::root())
            .arg(&clone),
    )?;
    let manifest = clone.join("Cargo.toml");
    let text =
        std::fs::read_to_string(&manifest).with_context(|| format!("cannot read {manifest:?}"))?;
    ensure!(text.contains(PUBLISHING_OFF), "publishing is not off");
    let text = text.replace(PUBLISHING_OFF, "\npublish = true\n");
    std::fs::write(&manifest, text).with_context(|| format!("cannot write {manifest:?}"))?;
    let mut package = cargo(&[
        "package",
        "--workspace",
        "--no-verify",
        "--allow-dirty",
        "--quiet",
    ]);
    for program in PROGRAMS {
        package.args(["--exclude", program]);
    }
    package
        .arg("--target-dir")
        .arg(folder.path().join("target"));
    succeed(package.current_dir(&clone))
}
