//! The stages of an experiment: data, pretraining, reconstruction scores, report.

pub mod data;
pub mod downstream;
pub mod downstream_notes;
pub mod downstream_report;
pub mod embed;
pub mod pretrain;
pub mod reconstruct;
pub mod refusal;
pub mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use brainmae_data::{PreparedDataset, SegmentLayout, Split};
use brainmae_run::{Manifest, RunFolder, Status};

use crate::devices::Devices;
use crate::workspace;

/// What every stage after the first works on.
pub struct Scans {
    /// The prepared data set.
    pub dataset: Arc<PreparedDataset>,
    /// Its sides.
    pub split: Split,
    /// Lengths in volumes.
    pub layout: SegmentLayout,
}

impl Scans {
    /// The same scans on other sides.
    pub fn with_split(&self, split: Split) -> Self {
        Self {
            dataset: Arc::clone(&self.dataset),
            split,
            layout: self.layout,
        }
    }

    /// The inputs that identify a stage on these scans.
    pub fn inputs(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("data".to_string(), self.dataset.content_hash().to_string()),
            ("split".to_string(), self.split.hash()),
        ])
    }
}

/// Writes the report of a finished run, of whichever stage, into its folder. Returns the page's path.
///
/// # Errors
/// If this is no run folder, or something is missing in it.
pub fn write_report(run: &Path) -> Result<PathBuf> {
    let stage = Manifest::read(&run.join("manifest.json"))?.stage;
    if stage.starts_with("downstream") {
        return downstream_report::write(run);
    }
    let runs = run.parent().and_then(|p| p.parent()).unwrap_or(run);
    report::write(run, runs)
}

/// Sets a run to failed; returns the error with the stage's name.
///
/// The error matters more than a manifest that could not be written, as on a full disk: that is a warning.
pub fn fail(run: &mut RunFolder, error: anyhow::Error) -> anyhow::Error {
    if let Err(second) = run.set_status(Status::Failed, Some(format!("{error:#}"))) {
        tracing::warn!("{second}");
    }
    let stage = run.manifest().stage.clone();
    error.context(stage)
}

/// A manifest with the versions of this program.
pub fn manifest(
    experiment: &str,
    stage: &str,
    config: serde_json::Value,
    inputs: BTreeMap<String, String>,
    seed: u64,
    device: &Devices,
) -> Manifest {
    let mut manifest = Manifest::new(experiment, stage, config, inputs, seed, &device.to_string());
    let mut version = |name: &str, version: String| {
        manifest.versions.insert(name.to_string(), version);
    };
    version("burn", "0.22.1".to_string());
    if let Some(libtorch) = device.libtorch_version() {
        version("libtorch", libtorch.to_string());
    }
    if let Some(code) = workspace::code_version() {
        version("code", code);
    }
    manifest
}
