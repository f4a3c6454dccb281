//! Processes that measure one network once: of this program, and of Python.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Sizes;
use super::measured::Round;
use super::network::Network;

/// One round of ours.
///
/// # Errors
/// If the process fails.
pub fn ours(network: Network, sizes: &Sizes) -> Result<Round> {
    let program = std::env::current_exe().context("where this program lies")?;
    let mut command = Command::new(program);
    command.args(["bench", "baselines", "--once", "--network", network.name()]);
    round(command, network, sizes, sizes.volumes)
}

/// The peer: networks in PyTorch.
pub struct Peer<'a> {
    /// Python with torch.
    pub python: &'a Path,
    /// Folder of the networks.
    pub folder: &'a Path,
}

impl Peer<'_> {
    /// One round of the peer.
    ///
    /// # Errors
    /// If its program cannot be started, or fails.
    pub fn round(&self, network: Network, sizes: &Sizes) -> Result<Round> {
        let mut command = Command::new(self.python);
        command
            .arg(self.folder.join("bench.py"))
            .arg(network.name())
            // This variable is for our program only: the peer's threads use their own default.
            .env_remove("OMP_WAIT_POLICY");
        round(command, network, sizes, network.volumes(sizes))
    }
}

/// Runs a process that prints a round as a JSON line.
fn round(mut command: Command, network: Network, sizes: &Sizes, volumes: u32) -> Result<Round> {
    let numbers = [
        ("--batch", network.batch(sizes) as usize),
        ("--scans", sizes.scans as usize),
        ("--volumes", volumes as usize),
        ("--rois", sizes.rois as usize),
        ("--steps", sizes.steps as usize),
        ("--threads", sizes.threads),
    ];
    for (flag, number) in numbers {
        command.args([flag, &number.to_string()]);
    }
    let output = (command.output()).with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed: {}\n{said}", network.name(), output.status);
    }
    serde_json::from_slice(&output.stdout).context("the process printed no measurement")
}
