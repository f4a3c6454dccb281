//! Desk of the stages: options, data, and the results of earlier stages.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use anyhow::{Context, Result};
use brainmae_machine::usage::Usage;
use brainmae_run::{Identity, Manifest, RunFolder, Status};

use super::{Material, PlannedRun};
use crate::experiment::Options;

/// Options, data, and the results of earlier stages.
pub struct Desk<'a> {
    /// Options of the run.
    pub options: &'a Options,
    material: OnceCell<Material>,
    planned: BTreeMap<String, Vec<PlannedRun>>,
    runs: BTreeMap<String, Vec<RunFolder>>,
    usage: Vec<(String, Usage)>,
}

impl<'a> Desk<'a> {
    /// An empty desk.
    pub fn new(options: &'a Options) -> Self {
        Self {
            options,
            material: OnceCell::new(),
            planned: BTreeMap::new(),
            runs: BTreeMap::new(),
            usage: Vec::new(),
        }
    }

    /// Puts the prepared data on the desk, unless there are some already.
    pub fn put(&self, material: Material) {
        // If two stages have data, the first one counts.
        let _ = self.material.set(material);
    }

    /// Prepared data; `None` before they are on the desk.
    pub fn found_material(&self) -> Option<&Material> {
        self.material.get()
    }

    /// Prepared data of the experiment.
    ///
    /// # Errors
    /// If no earlier stage has prepared them.
    pub fn material(&self) -> Result<&Material> {
        self.material.get().context("the data are not prepared yet")
    }

    /// Tells later stages which runs a stage has.
    pub(super) fn plan(&mut self, stage: String, runs: Vec<PlannedRun>) {
        self.planned.insert(stage, runs);
    }

    /// Leaves the runs of a stage, and what it has used, to later stages.
    pub(super) fn leave(&mut self, stage: String, runs: Vec<RunFolder>, used: Usage) {
        self.usage.push((stage.clone(), used));
        self.runs.insert(stage, runs);
    }

    /// What each stage has used, in the order in which they were done.
    pub fn usage(&self) -> &[(String, Usage)] {
        &self.usage
    }

    /// Present or future runs of a stage.
    pub fn planned(&self, stage: &str) -> &[PlannedRun] {
        self.planned.get(stage).map_or(&[], Vec::as_slice)
    }

    /// Identities of the runs of a stage.
    pub fn identities(&self, stage: &str) -> Vec<&Identity> {
        let runs = self.planned(stage).iter();
        runs.map(|run| &run.manifest.identity).collect()
    }

    /// Finished runs of a stage.
    pub fn runs(&self, stage: &str) -> &[RunFolder] {
        self.runs.get(stage).map_or(&[], Vec::as_slice)
    }

    /// Finished run of a stage that has only one.
    ///
    /// # Errors
    /// If the stage is not an input of the current one.
    pub fn run_of(&self, stage: &str) -> Result<&RunFolder> {
        let run = self.runs(stage).first();
        run.with_context(|| format!("the stage {stage} has left no run"))
    }

    /// Reads the manifests of a stage's runs from disk; `None` for a run that was never started.
    ///
    /// # Errors
    /// If a manifest is damaged.
    pub fn found(&self, stage: &str) -> Result<Vec<Option<Manifest>>> {
        let planned = self.planned(stage).iter();
        planned
            .map(|run| self.options.found(&run.manifest))
            .collect()
    }

    /// Whether a stage has run folders, and all are finished.
    ///
    /// # Errors
    /// As [`Desk::found`].
    pub fn is_finished(&self, stage: &str) -> Result<bool> {
        let found = self.found(stage)?;
        let finished = |run: &Option<Manifest>| {
            run.as_ref()
                .is_some_and(|run| run.status == Status::Finished)
        };
        Ok(!found.is_empty() && found.iter().all(finished))
    }
}
