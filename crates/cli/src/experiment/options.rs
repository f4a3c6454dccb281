//! Options of a run: devices, processes, folders and resuming.

use std::path::PathBuf;

use anyhow::Result;
use brainmae_machine::devices::Devices;
use brainmae_machine::processes::Processes;
use brainmae_machine::workspace;
use brainmae_run::{Manifest, RunFolder, Status};
use brainmae_train::communicator::first_alone;

/// Options of a run besides the experiment: devices, processes, folders and resuming.
#[derive(Clone)]
pub struct Options {
    /// Devices of all tensors.
    pub device: Devices,
    /// Processes that train together.
    pub processes: Processes,
    /// Folder of run folders.
    pub runs: PathBuf,
    /// Folder of the prepared data sets.
    pub data: PathBuf,
    /// Number of threads for the parts of a batch.
    pub threads: usize,
    /// Checkpoint with the initial weights of training.
    pub ckpt: Option<PathBuf>,
    /// Whether to fail if there is no unfinished run to resume.
    pub resume: bool,
    /// Whether to set unfinished runs aside and start again.
    pub restart: bool,
}

impl Options {
    /// Reads the manifest of a run from disk; `None` if the run was never started.
    ///
    /// # Errors
    /// If the manifest is damaged.
    pub fn found(&self, manifest: &Manifest) -> Result<Option<Manifest>> {
        let file = RunFolder::place(&self.runs, manifest).join("manifest.json");
        Ok(match file.exists() {
            true => Some(Manifest::read(&file)?),
            false => None,
        })
    }

    /// Opens the folder of a stage according to `--resume` and `--restart`; the other processes
    /// follow the first one into it.
    ///
    /// # Errors
    /// Errors of the run folder.
    pub fn open(&self, manifest: Manifest) -> Result<RunFolder> {
        let communicator = self.processes.communicator()?;
        first_alone(communicator, || match communicator.is_first() {
            true => self.open_first(manifest),
            false => Ok(RunFolder::follow(&self.runs, &manifest)?),
        })
    }

    fn open_first(&self, manifest: Manifest) -> Result<RunFolder> {
        if self.restart {
            let found = self.found(&manifest)?;
            let finished = found.is_some_and(|run| run.status == Status::Finished);
            if !finished && let Some(aside) = RunFolder::set_aside(&self.runs, &manifest)? {
                tracing::warn!(
                    "the unfinished run was moved to {}",
                    workspace::shown(&aside)
                );
            }
        }
        let versions = manifest.versions.clone();
        let run = RunFolder::open(&self.runs, manifest)?;
        let found = run.manifest();
        if found.versions != versions || !found.earlier_versions.is_empty() {
            let place = workspace::shown(run.path());
            tracing::warn!(
                "{place} was made, or begun, by other code or on another kind of device than this; delete the folder to make it anew"
            );
        }
        Ok(run)
    }
}
