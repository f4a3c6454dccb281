//! JSON files beside other files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use brainmae_files::CommonErrors as _;
use serde_json::{Map, Value};

use crate::error::{SidecarProblem, StudyError};

/// Maximum size of a sidecar: one of a scan is a page of text, one of a table of confounds has an
/// entry per column.
pub(crate) const MAX_BYTES: u64 = 16 << 20;

/// Reads a JSON object.
///
/// # Errors
/// [`StudyError::Files`]; [`StudyError::Sidecar`] for a file that is too long or not a JSON object.
pub(crate) fn read_object(path: &Path) -> Result<Map<String, Value>, StudyError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(StudyError::io("read", path))?;
    if bytes.len() as u64 > MAX_BYTES {
        let problem = SidecarProblem::TooLong { most: MAX_BYTES };
        return Err(StudyError::sidecar(path, problem));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let reason = error.to_string();
        StudyError::sidecar(path, SidecarProblem::NotJson { reason })
    })
}
