//! Tools of gates: components of the toolchain, and programs installed from the registry.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::cargo;
use crate::unavailable::unavailable;
use crate::workspace;

const TYPOS: &str = "1.52.0";
const DENY: &str = "0.20.2";

/// Checks spelling with typos.
///
/// # Errors
/// [`Unavailable`](crate::unavailable::Unavailable) if it cannot be installed without a network;
/// otherwise what it finds.
pub fn typos() -> Result<()> {
    run("typos-cli", "typos", TYPOS, &[])
}

/// Checks licences and sources of dependencies with cargo-deny.
///
/// # Errors
/// As [`typos`].
pub fn deny() -> Result<()> {
    // The tool reads the manifests of all crates, including those for other systems.
    let mut metadata = cargo(&["metadata", "--format-version", "1"]);
    let what = "dependencies for all systems cannot be downloaded";
    attempt(metadata.stdout(Stdio::null()), what, NO_NETWORK)?;
    let what = ["check", "bans", "licenses", "sources"];
    run("cargo-deny", "cargo-deny", DENY, &what)
}

/// Requires a part of the toolchain that a minimal installation lacks.
///
/// # Errors
/// [`Unavailable`](crate::unavailable::Unavailable) without it.
pub fn require_component(command: &str, component: &str) -> Result<()> {
    let probe = cargo(&[command, "--version"]).output();
    if probe.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    Err(unavailable(format!(
        "this toolchain has no {component} (`rustup component add {component}`)"
    )))
}

/// Runs a tool, which is built from the registry on first use into a folder of the user's cache.
fn run(package: &str, binary: &str, version: &str, arguments: &[&str]) -> Result<()> {
    let home = workspace::cache_folder("BRAINMAE_TOOLS", "tools")?;
    let home = home.join(format!("{package}-{version}"));
    let path = home.join("bin").join(binary);
    if !path.exists() {
        eprintln!("installing {package} {version} (once)");
        // Unoptimised, because it is built once and runs for a second.
        let mut install = cargo(&["install", package, "--version", version, "--locked"]);
        install.args(["--debug", "--root"]).arg(&home);
        install.env("CARGO_PROFILE_DEV_DEBUG", "false");
        let what = format!("{package} {version} cannot be installed");
        attempt(&mut install, &what, NO_NETWORK)?;
    }
    let mut tool = Command::new(path);
    succeed(tool.args(arguments).current_dir(workspace::root()))
}

/// Requires the crates that a build of `xtask` with `features` is made of.
///
/// # Errors
/// [`Unavailable`](crate::unavailable::Unavailable) if they cannot be downloaded.
pub fn require_crates(features: &str) -> Result<()> {
    let mut tree = cargo(&["tree", "--package", "xtask", "--features", features]);
    let what = format!("dependencies of the feature {features} cannot be downloaded");
    attempt(tree.stdout(Stdio::null()), &what, NO_NETWORK)
}

/// Runs a command that must succeed.
///
/// # Errors
/// If it does not start, or ends with a failure.
pub fn succeed(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{:?} ended with {status}", command.get_program());
    }
    Ok(())
}

/// How cargo tells that it cannot reach a registry.
const NO_NETWORK: &[&str] = &[
    "network error",
    "Could not resolve",
    "Could not connect",
    "Timeout was reached",
    "download of config.json failed",
    "using offline mode",
];

/// Runs a cargo command, and shows its log.
///
/// # Errors
/// [`Unavailable`](crate::unavailable::Unavailable) if it fails and its log contains one of
/// `excuses`.
pub fn attempt(command: &mut Command, what: &str, excuses: &[&str]) -> Result<()> {
    let child = command.stderr(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot start {command:?}"))?;
    let log = child.stderr.take().map(BufReader::new);
    let mut excuse = None;
    for line in log.into_iter().flat_map(|log| log.lines()) {
        let line = line.context("cannot read what cargo says")?;
        eprintln!("{line}");
        let is_excuse = excuses.iter().any(|excuse| line.contains(excuse));
        excuse = excuse.or(is_excuse.then_some(line));
    }
    let status = child.wait()?;
    match excuse {
        _ if status.success() => Ok(()),
        Some(line) => Err(unavailable(format!("{what}: {}", line.trim()))),
        None => bail!("{what}: cargo ended with {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unavailable::Unavailable;

    fn attempted(script: &str) -> Result<()> {
        let mut command = Command::new("sh");
        attempt(command.args(["-c", script]), "no tool", NO_NETWORK)
    }

    #[test]
    fn only_a_missing_network_is_no_failure() {
        let warning = "echo 'warning: spurious network error (3 tries remaining)' >&2";
        attempted(warning).expect("it went well in the end");
        let error = attempted(&format!("{warning}; exit 101")).expect_err("it fails");
        assert!(error.is::<Unavailable>());
        assert!(
            error
                .to_string()
                .contains("no tool: warning: spurious network error")
        );
        for fault in [
            "could not find `typo` in registry",
            "[E0308]: mismatched types",
        ] {
            let error = attempted(&format!("echo 'error: {fault}' >&2; exit 101"));
            assert!(!error.expect_err("it fails").is::<Unavailable>(), "{fault}");
        }
    }
}
