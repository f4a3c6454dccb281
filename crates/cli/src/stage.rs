//! Stages of an experiment: the inputs, runs, costs and actions of each.
//!
//! A stage is one file here that implements [`Stage`], and one line in [`KINDS`]; the [`graph`]
//! does everything else.

pub mod data;
mod desk;
pub mod downstream;
pub mod graph;
pub mod pretrain;
pub mod reconstruct;
pub mod refusal;
pub mod report;
mod scans;

use std::collections::BTreeMap;

use anyhow::Result;
use brainmae_data::DataError;
use brainmae_downstream::DownstreamError;
use brainmae_machine::devices::Devices;
use brainmae_machine::interrupt::Stopped;
use brainmae_machine::{code_version, interrupt};
use brainmae_pretrain::PretrainError;
use brainmae_run::{Manifest, RunFolder, Status};
use brainmae_simulate::SimulateError;

pub use desk::Desk;
pub use graph::Graph;
pub use scans::{Material, Scans};

use crate::experiment::Resolved;

/// One stage of an experiment.
pub trait Stage {
    /// Name in plans and in the inputs of other stages: `pretrain-sg`.
    fn name(&self) -> String;

    /// Names of the stages whose results this one reads. A stage that reads none is a source: it is
    /// done first, because the identities of all others depend on it.
    fn inputs(&self) -> Vec<String>;

    /// Cost in a few words: steps, models, pages.
    ///
    /// # Errors
    /// If a setting is invalid.
    fn cost(&self, desk: &Desk) -> Result<String>;

    /// Puts results of an earlier execution on the desk, if a source can do so without work.
    ///
    /// # Errors
    /// If the earlier results are damaged.
    fn open(&self, desk: &Desk) -> Result<()> {
        let _ = desk;
        Ok(())
    }

    /// Runs of the stage on the data of this desk, with their identities: one, or one for each
    /// fold. A stage without a run folder has none and is done every time.
    ///
    /// # Errors
    /// If an input cannot be read.
    fn runs(&self, desk: &Desk) -> Result<Vec<PlannedRun>>;

    /// Whether all processes that train together work on the stage. Otherwise the first one does it
    /// alone, and the others end.
    fn is_shared(&self) -> bool {
        false
    }

    /// Checks every setting and scan before anything is trained.
    ///
    /// # Errors
    /// Names the first invalid setting or scan.
    fn check(&self, desk: &Desk) -> Result<()> {
        let _ = desk;
        Ok(())
    }

    /// Does the unfinished part of the stage. Returns its runs, in the order of [`Stage::runs`].
    ///
    /// # Errors
    /// Errors of the work; [`Stopped`] if it was asked to stop before the end.
    fn run(&self, desk: &Desk) -> Result<Vec<RunFolder>>;
}

/// A present or future run of a stage.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// Part that distinguishes the run from the others of its stage, such as `fold 1`; empty if the
    /// stage has one run.
    pub part: String,
    /// Scans of the run, in a few words; empty if the stage has one run.
    pub on: String,
    /// Manifest with identity, config and inputs.
    pub manifest: Manifest,
}

impl From<Manifest> for PlannedRun {
    fn from(manifest: Manifest) -> Self {
        Self {
            part: String::new(),
            on: String::new(),
            manifest,
        }
    }
}

/// Function that returns an experiment's stages of one kind.
pub type Kind = for<'a> fn(&'a Resolved) -> Result<Vec<Box<dyn Stage + 'a>>>;

/// All kinds of stages.
pub const KINDS: &[Kind] = &[
    data::stages,
    pretrain::stages,
    reconstruct::stages,
    downstream::stages,
    report::stages,
];

/// Sets a run to failed, or to interrupted if it was stopped; returns the error with the stage's
/// name.
///
/// If the manifest cannot be written, as on a full disk, this is only a warning: the original error
/// matters more.
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

/// Creates a manifest with the versions of this program.
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
    if let Some(code) = code_version::this() {
        version("code", code);
    }
    manifest
}

/// Converts an error of a library; it becomes [`Stopped`] if a request to stop ended the work.
pub fn stopped<E: Interruptible>(error: E) -> anyhow::Error {
    match error.is_interrupted() {
        true => Stopped.into(),
        false => error.into(),
    }
}

/// Errors that can say whether a callback ended the work.
pub trait Interruptible: Into<anyhow::Error> {
    /// Whether a callback ended the work.
    fn is_interrupted(&self) -> bool;
}

impl Interruptible for DataError {
    fn is_interrupted(&self) -> bool {
        self.is_interrupted()
    }
}

impl Interruptible for SimulateError {
    fn is_interrupted(&self) -> bool {
        self.is_interrupted()
    }
}

impl Interruptible for DownstreamError {
    fn is_interrupted(&self) -> bool {
        self.is_interrupted()
    }
}

impl Interruptible for PretrainError {
    fn is_interrupted(&self) -> bool {
        matches!(self, PretrainError::Interrupted)
    }
}
