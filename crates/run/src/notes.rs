//! Notes of a run: values that are in no table, as one JSON file whose type its writer defines.

use std::path::Path;

use brainmae_files::CommonErrors as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{RunError, write_atomic};

/// Writes `<folder>/<name>.json`.
///
/// # Errors
/// [`RunError::Files`]; no partial file is left.
pub fn write_notes(folder: &Path, name: &str, notes: &impl Serialize) -> Result<(), RunError> {
    let path = folder.join(format!("{name}.json"));
    let text = serde_json::to_vec_pretty(notes);
    let text = text.map_err(|error| RunError::write(&path)(error.into()))?;
    Ok(write_atomic(&path, &text)?)
}

/// Reads what [`write_notes`] wrote.
///
/// # Errors
/// [`RunError::Files`], or [`RunError::Damaged`] if the file holds notes of another type.
pub fn read_notes<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, RunError> {
    let path = folder.join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).map_err(RunError::io("read", &path))?;
    serde_json::from_str(&text).map_err(|error| RunError::damaged(&path, error))
}

#[cfg(test)]
mod tests {
    use brainmae_files::FileError;

    use super::*;

    #[test]
    fn notes_come_back_and_other_notes_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let missing = read_notes::<Vec<String>>(folder.path(), "notes").expect_err("no file");
        assert!(
            matches!(missing, RunError::Files(FileError::Io { .. })),
            "{missing}"
        );
        let notes = vec!["Köln".to_string()];
        write_notes(folder.path(), "notes", &notes).expect("writable");
        let read: Vec<String> = read_notes(folder.path(), "notes").expect("as written");
        assert_eq!(read, notes);
        let other = read_notes::<Vec<u8>>(folder.path(), "notes").expect_err("no numbers");
        assert!(matches!(other, RunError::Damaged { .. }), "{other}");
    }
}
