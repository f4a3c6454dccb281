//! Manifest of a run: its config, inputs, versions and status.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use crate::{Identity, RunError, write_atomic};

/// Progress of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// At work, or killed: the lock of the folder distinguishes the two.
    Running,
    /// Stopped on request, to be resumed.
    Interrupted,
    /// Stopped by an error.
    Failed,
    /// Done; nothing is written to it any more.
    Finished,
}

/// `manifest.json` of a run folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the stage, with its variant: `pretrain-sg`.
    pub stage: String,
    /// Hash of config and inputs.
    pub identity: Identity,
    /// Resolved config, with every default written out.
    pub config: serde_json::Value,
    /// Hashes of data and of earlier stages.
    pub inputs: BTreeMap<String, String>,
    /// Seed of all streams.
    pub seed: u64,
    /// Device, as named on the command line.
    pub device: String,
    /// Versions of the program and of the libraries that its numbers depend on.
    pub versions: BTreeMap<String, String>,
    /// Versions of an earlier part of the run, if they differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_versions: Vec<BTreeMap<String, String>>,
    /// Progress of the run.
    pub status: Status,
    /// Error text of a failed run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Time of the first start, in seconds since 1970 UTC.
    pub started_unix_secs: u64,
    /// Time of the last change of status, in seconds since 1970 UTC.
    pub changed_unix_secs: u64,
}

impl Manifest {
    /// Creates the manifest of a run that is about to start.
    pub fn new(
        experiment: &str,
        stage: &str,
        config: serde_json::Value,
        inputs: BTreeMap<String, String>,
        seed: u64,
        device: &str,
    ) -> Self {
        let hashes: Vec<&str> = inputs.values().map(String::as_str).collect();
        let seeded = serde_json::json!({ "config": config, "seed": seed });
        let now = unix_secs();
        Self {
            experiment: experiment.to_string(),
            stage: stage.to_string(),
            identity: Identity::of(stage, &seeded, &hashes),
            config,
            inputs,
            seed,
            device: device.to_string(),
            versions: [(
                "brainmae".to_string(),
                env!("CARGO_PKG_VERSION").to_string(),
            )]
            .into(),
            earlier_versions: Vec::new(),
            status: Status::Running,
            failure: None,
            started_unix_secs: now,
            changed_unix_secs: now,
        }
    }

    /// # Errors
    /// [`RunError::Files`] or [`RunError::Damaged`].
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let text = std::fs::read_to_string(path).map_err(RunError::io("read", path))?;
        serde_json::from_str(&text).map_err(|e| RunError::damaged(path, e))
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), RunError> {
        let text = serde_json::to_string_pretty(self).map_err(|e| RunError::damaged(path, e))?;
        Ok(write_atomic(path, text.as_bytes())?)
    }

    pub(crate) fn set(&mut self, status: Status, failure: Option<String>) {
        (self.status, self.failure) = (status, failure);
        self.changed_unix_secs = unix_secs();
    }
}

fn unix_secs() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}
