//! Places where a training keeps what it needs to go on after an interruption.

use std::path::{Path, PathBuf};

use brainmae_files::FileError;
use brainmae_model::weights::{self, Names};
use brainmae_run::{Card, Checkpoint, Metric, MetricLog, RunFolder, WEIGHTS};
use burn::module::Module;

use crate::TrainError;

/// Where checkpoints and metrics are kept.
#[derive(Clone, Copy, Debug)]
pub enum Keep<'a> {
    /// In a run folder: checkpoints and metrics.
    Run(&'a RunFolder),
    /// In any folder: checkpoints alone.
    Folder(&'a Path),
    /// Nowhere: an interrupted training starts anew.
    Nowhere,
}

impl Keep<'_> {
    /// Folder of the checkpoints; `None` if there are none.
    pub fn checkpoints(self) -> Option<PathBuf> {
        match self {
            Self::Run(run) => Some(run.checkpoints()),
            Self::Folder(folder) => Some(folder.to_path_buf()),
            Self::Nowhere => None,
        }
    }

    /// The checkpoint of this name, if there is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn find(self, name: &str) -> Result<Option<Checkpoint>, TrainError> {
        Ok(match self.checkpoints() {
            Some(folder) => Checkpoint::find(&folder, name)?,
            None => None,
        })
    }

    /// Writes a checkpoint; the previous one of this name is replaced as a whole.
    ///
    /// # Errors
    /// If it cannot be written; the previous one is then unchanged.
    pub fn save(
        self,
        name: &str,
        card: &Card,
        files: &[(&str, Vec<u8>)],
    ) -> Result<(), TrainError> {
        if let Self::Folder(folder) = self {
            std::fs::create_dir_all(folder).map_err(FileError::io("make", folder))?;
        }
        match self.checkpoints() {
            Some(folder) => Ok(Checkpoint::save(&folder, name, card, files)?),
            None => Ok(()),
        }
    }

    /// Log of metrics, without the records after the step `resumed`; a log that drops everything if
    /// metrics are not kept.
    ///
    /// # Errors
    /// If the file of an earlier run cannot be read.
    pub fn log(self, resumed: Option<u64>) -> Result<Log, TrainError> {
        Ok(Log(match self {
            Self::Run(run) => Some((run.manifest().stage.clone(), run.metric_log(resumed)?)),
            Self::Folder(_) | Self::Nowhere => None,
        }))
    }
}

/// Log of metrics, with the stage of its records.
pub struct Log(Option<(String, MetricLog)>);

impl Log {
    /// Appends metrics of one step.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn append(
        &mut self,
        step: u64,
        epoch: f64,
        metrics: Vec<(&'static str, f64)>,
    ) -> Result<(), TrainError> {
        let Some((stage, log)) = &mut self.0 else {
            return Ok(());
        };
        let record = |(name, value): (&str, f64)| Metric {
            stage: stage.clone(),
            fold: None,
            epoch,
            step,
            name: name.to_string(),
            value: value.is_finite().then_some(value),
        };
        let records: Vec<Metric> = metrics.into_iter().map(record).collect();
        Ok(log.append(&records)?)
    }
}

/// Loads the weights of a checkpoint into `model`.
///
/// # Errors
/// If the checkpoint is not readable or belongs to another model.
pub fn load_weights<M: Module>(
    model: M,
    names: &Names,
    checkpoint: &Path,
) -> Result<M, TrainError> {
    weights_of(model, names, &Checkpoint::open(checkpoint)?)
}

pub(crate) fn weights_of<M: Module>(
    model: M,
    names: &Names,
    checkpoint: &Checkpoint,
) -> Result<M, TrainError> {
    let saved = weights::from_safetensors(&checkpoint.read(WEIGHTS)?, "")?;
    Ok(weights::import(model, names, saved)?)
}
