//! The stages of an experiment: data, pretraining, reconstruction scores, report.

pub mod data;
pub mod downstream;
pub mod downstream_notes;
pub mod embed;
pub mod pretrain;
pub mod reconstruct;
pub mod report;
pub mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;

use brainmae_data::{PreparedDataset, SegmentLayout, Split, SplitUnit};
use brainmae_machine::devices::Devices;
use brainmae_machine::{interrupt, workspace};
use brainmae_run::card::DataCard;
use brainmae_run::{Manifest, RunFolder, Status};

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
    /// All scans of a data set, on no side yet.
    pub fn whole(dataset: PreparedDataset, layout: SegmentLayout) -> Self {
        Self {
            dataset: Arc::new(dataset),
            split: Split {
                unit: SplitUnit::Subject,
                train: Vec::new(),
                validation: Vec::new(),
                test: Vec::new(),
                train_subjects: Vec::new(),
            },
            layout,
        }
    }

    /// The same scans on other sides.
    pub fn with_split(&self, split: Split) -> Self {
        Self {
            dataset: Arc::clone(&self.dataset),
            split,
            layout: self.layout,
        }
    }

    /// What a checkpoint says of its data.
    pub fn card(&self) -> DataCard {
        let header = self.dataset.header();
        let atlas = self.dataset.atlas();
        DataCard {
            dataset: header.name.clone(),
            dataset_sha256: self.dataset.content_hash().to_string(),
            atlas: format!("{} {}", atlas.name, atlas.version),
            atlas_sha256: atlas.hash(),
            rois: atlas.rois.iter().map(|roi| roi.name.clone()).collect(),
            dt_secs: self.dataset.dt_secs(),
            segment_len_trs: self.layout.segment_len_trs,
            n_segments: self.layout.n_segments,
            cleaning: header
                .cleaning
                .iter()
                .map(|step| step.to_string())
                .collect(),
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

/// Sets a run to failed, or to interrupted if that is why; returns the error with the stage's name.
///
/// The error matters more than a manifest that could not be written, as on a full disk: that is a warning.
pub fn fail(run: &mut RunFolder, error: anyhow::Error) -> anyhow::Error {
    let (status, failure) = match interrupt::is_stopped(&error) {
        true => (Status::Interrupted, None),
        false => (Status::Failed, Some(format!("{error:#}"))),
    };
    if let Err(second) = run.set_status(status, failure) {
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
