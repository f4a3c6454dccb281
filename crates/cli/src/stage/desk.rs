//! The desk that stages work at: how to run, the data, and what the stages before left.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use anyhow::{Context, Result};
use brainmae_run::{Identity, Manifest, RunFolder, Status};

use super::{Material, PlannedRun};
use crate::experiment::Options;

/// How to run, the data, and what the stages before left.
pub struct Desk<'a> {
    /// How to run.
    pub options: &'a Options,
    material: OnceCell<Material>,
    planned: BTreeMap<String, Vec<PlannedRun>>,
    runs: BTreeMap<String, Vec<RunFolder>>,
}

impl<'a> Desk<'a> {
    /// An empty desk.
    pub fn new(options: &'a Options) -> Self {
        Self {
            options,
            material: OnceCell::new(),
            planned: BTreeMap::new(),
            runs: BTreeMap::new(),
        }
    }

    /// Puts the prepared data on the desk; those that lie there already stay.
    pub fn put(&self, material: Material) {
        // Of two stages with data the first one counts.
        let _ = self.material.set(material);
    }

    /// The prepared data, once they are.
    pub fn found_material(&self) -> Option<&Material> {
        self.material.get()
    }

    /// The prepared data.
    ///
    /// # Errors
    /// If no stage before has prepared them.
    pub fn material(&self) -> Result<&Material> {
        self.material.get().context("the data are not prepared yet")
    }

    /// Tells the stages that follow which runs a stage has.
    pub(super) fn plan(&mut self, stage: String, runs: Vec<PlannedRun>) {
        self.planned.insert(stage, runs);
    }

    /// Leaves the runs of a stage to those that follow.
    pub(super) fn leave(&mut self, stage: String, runs: Vec<RunFolder>) {
        self.runs.insert(stage, runs);
    }

    /// The runs that a stage has or will have.
    pub fn planned(&self, stage: &str) -> &[PlannedRun] {
        self.planned.get(stage).map_or(&[], Vec::as_slice)
    }

    /// Identities of the runs of a stage.
    pub fn identities(&self, stage: &str) -> Vec<&Identity> {
        let runs = self.planned(stage).iter();
        runs.map(|run| &run.manifest.identity).collect()
    }

    /// What a stage left, one for each of its runs.
    pub fn runs(&self, stage: &str) -> &[RunFolder] {
        self.runs.get(stage).map_or(&[], Vec::as_slice)
    }

    /// What a stage with one run left.
    ///
    /// # Errors
    /// If it is no input of the stage that asks.
    pub fn run_of(&self, stage: &str) -> Result<&RunFolder> {
        let run = self.runs(stage).first();
        run.with_context(|| format!("the stage {stage} has left no run"))
    }

    /// What the manifests on disk say of the runs of a stage; nothing of one that was never
    /// started.
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
