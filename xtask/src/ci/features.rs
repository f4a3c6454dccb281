//! Gate of features: every crate alone asks for the same features of its dependencies as all crates
//! together, so that nothing is compiled twice.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use crate::cargo::cargo;

/// Checks the libraries one by one.
///
/// # Errors
/// Names the first crate with other features, and the packages.
pub fn gate() -> Result<()> {
    let together = packages(&["--workspace"])?;
    let members = output(&["tree", "--workspace", "--depth", "0", "--prefix", "none"])?;
    let members: BTreeSet<&str> = (members.lines())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    ensure!(!members.is_empty(), "cargo tree lists no member");
    for member in members {
        let alone = packages(&["--package", member])?;
        let other: Vec<&String> = alone.difference(&together).collect();
        ensure!(
            other.is_empty(),
            "`cargo test -p {member}` compiles anew, with other features than `--workspace`: {other:?}\nhint: name their features in one-build/Cargo.toml"
        );
    }
    Ok(())
}

/// Packages with their features, one line each.
fn packages(which: &[&str]) -> Result<BTreeSet<String>> {
    let format = ["tree", "--prefix", "none", "--format", "{p} {f}"];
    let text = output(&[&format[..], which].concat())?;
    // A package that was listed before has a mark.
    let line = |line: &str| line.trim_end_matches("(*)").trim_end().to_string();
    Ok(text.lines().map(line).collect())
}

/// What a command of cargo prints.
fn output(arguments: &[&str]) -> Result<String> {
    let output = cargo(arguments).output().context("cannot start cargo")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {arguments:?}: {errors}");
    String::from_utf8(output.stdout).context("cargo prints text")
}
