//! Stages of an experiment as values: what each reads, which runs it has, what it costs, what it
//! does.
//!
//! A stage is one file here that implements [`Stage`], and one line in [`KINDS`]; the [`graph`]
//! does the rest.

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
use brainmae_machine::devices::Devices;
use brainmae_machine::{interrupt, workspace};
use brainmae_run::{Manifest, RunFolder, Status};

pub use desk::Desk;
pub use graph::Graph;
pub use scans::{Material, Scans};

use crate::experiment::Resolved;

/// One step of an experiment.
pub trait Stage {
    /// Name in plans and in the inputs of other stages: `pretrain-sg`.
    fn name(&self) -> String;

    /// Names of the stages whose results it reads. One that reads none is a source: it is done
    /// first, since the identities of all others depend on it.
    fn inputs(&self) -> Vec<String>;

    /// What it would cost, in a few words: steps, models, pages.
    ///
    /// # Errors
    /// If a setting makes no sense.
    fn cost(&self, desk: &Desk) -> Result<String>;

    /// Puts on the desk what it left before, if a source can do so without work.
    ///
    /// # Errors
    /// If that is damaged.
    fn open(&self, desk: &Desk) -> Result<()> {
        let _ = desk;
        Ok(())
    }

    /// Its runs on the data of this desk, with their identities: one, or one for each fold, or none
    /// for a stage that leaves no run folder and is done every time.
    ///
    /// # Errors
    /// If an input cannot be read.
    fn runs(&self, desk: &Desk) -> Result<Vec<PlannedRun>>;

    /// Whether all processes that train together work on it. Otherwise the first one does it alone,
    /// and the others end.
    fn is_shared(&self) -> bool {
        false
    }

    /// Refuses what would stop it, before anything is trained.
    ///
    /// # Errors
    /// Names the first setting or scan that makes no sense.
    fn check(&self, desk: &Desk) -> Result<()> {
        let _ = desk;
        Ok(())
    }

    /// Does what is not done yet. Returns its runs, in the order of [`Stage::runs`].
    ///
    /// # Errors
    /// From the work; [`Stopped`](interrupt::Stopped) if it was asked to stop before the end.
    fn run(&self, desk: &Desk) -> Result<Vec<RunFolder>>;
}

/// A run that a stage has, or will have.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// What tells it from the others of its stage: `fold 1`; nothing where a stage has one.
    pub part: String,
    /// What it is done on, in a few words; nothing where a stage has one.
    pub on: String,
    /// Its identity, config and inputs.
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

/// The stages of one kind that an experiment has.
pub type Kind = for<'a> fn(&'a Resolved) -> Result<Vec<Box<dyn Stage + 'a>>>;

/// All kinds of stages.
pub const KINDS: &[Kind] = &[
    data::stages,
    pretrain::stages,
    reconstruct::stages,
    downstream::stages,
    report::stages,
];

/// Sets a run to failed, or to interrupted if that is why; returns the error with the stage's name.
///
/// The error matters more than a manifest that could not be written, as on a full disk: that is a
/// warning.
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
