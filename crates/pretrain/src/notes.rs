//! Notes of a reconstruction run, `notes.json`: text of a report that tables do not contain.

use std::collections::BTreeMap;
use std::path::Path;

use brainmae_run::notes::{read_notes, write_notes};
use serde::{Deserialize, Serialize};

use crate::PretrainError;

/// Name of the file in the run folder, without its extension.
const NAME: &str = "notes";

/// Notes of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    /// Question of the experiment.
    pub about: String,
    /// Excluded scans, with reasons.
    pub excluded: Vec<(String, String)>,
    /// Network of each ROI, if the atlas has networks.
    pub networks: BTreeMap<String, String>,
}

impl Notes {
    /// Reads the notes of a run.
    ///
    /// # Errors
    /// [`PretrainError::Run`] if the file is missing or damaged.
    pub fn read(run: &Path) -> Result<Self, PretrainError> {
        Ok(read_notes(run, NAME)?)
    }

    /// Writes the notes into a run folder.
    ///
    /// # Errors
    /// [`PretrainError::Run`] if the folder is not writable.
    pub fn write(&self, run: &Path) -> Result<(), PretrainError> {
        Ok(write_notes(run, NAME, self)?)
    }
}
