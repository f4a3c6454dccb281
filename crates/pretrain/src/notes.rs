//! Notes of a reconstruction run, `notes.json`: what a report says beside the numbers of its
//! tables.

use std::collections::BTreeMap;
use std::path::Path;

use brainmae_run::notes::{read_notes, write_notes};
use serde::{Deserialize, Serialize};

use crate::PretrainError;

/// Name of the file in the run folder, without its ending.
const NAME: &str = "notes";

/// What is in no table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    /// What the experiment asks.
    pub about: String,
    /// Scans left out, with reasons.
    pub excluded: Vec<(String, String)>,
    /// Network of every ROI, where the atlas has networks.
    pub networks: BTreeMap<String, String>,
}

impl Notes {
    /// Reads the notes of a run.
    ///
    /// # Errors
    /// [`PretrainError::Run`] if there are none, or they are damaged.
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
