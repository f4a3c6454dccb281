//! Components of aCompCor, and the choice of those of white matter and CSF together.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use brainmae_signals::confounds::{ACompCor, ConfoundColumn as Column};

use crate::error::{ConfoundProblem, StudyError};
use crate::json;

/// Value of `Mask` for components of white matter and CSF together.
const COMBINED: &str = "combined";

/// The number of a component in its name.
pub(super) fn number(name: &str) -> Option<usize> {
    name.strip_prefix("a_comp_cor_")?.parse().ok()
}

/// Whether a column is a component of a single tissue. Only tables in which `a_comp_cor` is of both
/// tissues have such columns.
pub(super) fn is_of_one_tissue(name: &str) -> bool {
    name.starts_with("c_comp_cor_") || name.starts_with("w_comp_cor_")
}

/// Path of the JSON file in which fMRIPrep describes the columns of a table; it may not exist.
pub fn sidecar(table: &Path) -> PathBuf {
    table.with_extension("json")
}

/// Selects the components of a table.
///
/// fMRIPrep up to 20.2 numbers the components of CSF, of white matter and of both in one series;
/// only `Mask` in the sidecar tells the tissue. Later versions name the first two `c_comp_cor` and
/// `w_comp_cor`; then `names_tissues` is true.
///
/// # Errors
/// [`StudyError::Confounds`] when the numbers are not consecutive from 0; [`StudyError::Files`] and
/// [`StudyError::Sidecar`] for a sidecar that cannot be read.
pub(super) fn of_table(
    table: &Path,
    mut columns: Vec<Column>,
    names_tissues: bool,
) -> Result<ACompCor, StudyError> {
    columns.sort_by_key(|column| number(&column.name));
    if let Some(number) = (0..columns.len()).find(|at| number(&columns[*at].name) != Some(*at)) {
        let problem = ConfoundProblem::MissingComponent { number };
        return Err(StudyError::confounds(table, 1, problem));
    }
    if columns.is_empty() {
        return Ok(ACompCor::Absent);
    }
    let about = read_sidecar(&sidecar(table))?;
    let mask = |column: &Column| about.get(&column.name)?.get("Mask")?.as_str();
    if columns.iter().any(|column| mask(column) == Some(COMBINED)) {
        columns.retain(|column| mask(column) == Some(COMBINED));
        return Ok(ACompCor::Combined(columns));
    }
    let has_masks = columns.iter().any(|column| mask(column).is_some());
    Ok(match names_tissues && !has_masks {
        true => ACompCor::Combined(columns),
        false => ACompCor::Ambiguous,
    })
}

/// The content of a sidecar, by column; empty if there is no sidecar.
fn read_sidecar(path: &Path) -> Result<Map<String, Value>, StudyError> {
    match path.try_exists() {
        Ok(false) => Ok(Map::new()),
        _ => json::read_object(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::SidecarProblem;

    /// Six components; with `names_tissues`, components of single tissues have their own columns.
    fn read(names_tissues: bool, json: Option<&str>) -> Result<ACompCor, StudyError> {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("sub-1_desc-confounds_timeseries.tsv");
        if let Some(json) = json {
            std::fs::write(sidecar(&table), json).unwrap();
        }
        let column = |number: usize| Column {
            name: format!("a_comp_cor_{number:02}"),
            values: vec![number as f64],
        };
        of_table(&table, [5, 0, 4, 1, 3, 2].map(column).into(), names_tissues)
    }

    fn names(components: ACompCor) -> Vec<String> {
        match components {
            ACompCor::Combined(columns) => columns.into_iter().map(|column| column.name).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// A sidecar that gives the first components these masks.
    fn masks(masks: &[&str]) -> String {
        let entry = |(number, mask): (usize, &&str)| {
            format!(
                "\"a_comp_cor_{number:02}\": {{\"Mask\": \"{mask}\", \"Method\": \"aCompCor\"}}"
            )
        };
        let entries: Vec<String> = masks.iter().enumerate().map(entry).collect();
        format!("{{\"csf\": {{}}, \"note\": 1, {}}}", entries.join(", "))
    }

    #[test]
    fn the_sidecar_tells_which_components_are_combined() {
        let json = masks(&["CSF", "CSF", "WM", "WM", "combined", "combined"]);
        for names_tissues in [false, true] {
            let found = names(read(names_tissues, Some(&json)).unwrap());
            assert_eq!(found, ["a_comp_cor_04", "a_comp_cor_05"]);
        }
    }

    #[test]
    fn without_masks_the_other_columns_tell() {
        for json in [None, Some("{}"), Some("{\"a_comp_cor_00\": {\"Mask\": 1}}")] {
            assert_eq!(names(read(true, json).unwrap()).len(), 6, "{json:?}");
            assert_eq!(read(false, json).unwrap(), ACompCor::Ambiguous, "{json:?}");
        }
    }

    #[test]
    fn components_of_one_tissue_are_not_taken_for_combined() {
        let json = masks(&["CSF", "WM"]);
        assert_eq!(read(true, Some(&json)).unwrap(), ACompCor::Ambiguous);
    }

    #[test]
    fn a_sidecar_that_is_no_json_object_is_refused() {
        let long = " ".repeat(json::MAX_BYTES as usize + 1);
        let refused = |json: &str| match read(true, Some(json)) {
            Err(StudyError::Sidecar { path, problem }) => {
                assert!(path.ends_with("sub-1_desc-confounds_timeseries.json"));
                problem
            }
            other => panic!("{other:?}"),
        };
        for json in ["{", "[1]"] {
            let problem = refused(json);
            let is_no_json = matches!(problem, SidecarProblem::NotJson { .. });
            assert!(is_no_json, "{problem:?}");
        }
        let most = json::MAX_BYTES;
        assert_eq!(refused(&long), SidecarProblem::TooLong { most });
    }
}
