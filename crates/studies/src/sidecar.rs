//! Sidecars of scans: JSON files with the seconds between volumes.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bids_name::BidsName;
use crate::bids_tree::{FuncFolder, ScanFile};
use crate::error::{SidecarProblem, StudyError};
use crate::json;

/// Longer intervals must be in milliseconds: no brain scan needs this long for a volume.
pub(crate) const MAX_TR_SECS: f64 = 100.0;

/// `RepetitionTime` of one sidecar, in seconds; `None` when it has no such key.
///
/// # Errors
/// [`StudyError::Sidecar`] for a file that is not a JSON object, and for a value that is not a time
/// in seconds.
pub(crate) fn repetition_time_secs(path: &Path) -> Result<Option<f64>, StudyError> {
    let sidecar = json::read_object(path)?;
    let value = match sidecar.get("RepetitionTime") {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let problem = match value.as_f64() {
        Some(secs) if secs > MAX_TR_SECS => SidecarProblem::TrInMilliseconds { secs },
        Some(secs) if secs > 0.0 => return Ok(Some(secs)),
        _ => SidecarProblem::Tr {
            found: value.to_string(),
        },
    };
    Err(StudyError::sidecar(path, problem))
}

/// The TR of a scan from the sidecars of its file `of`. The order is: the sidecar of the same name,
/// then those of other files of the scan, then those in the folders above that apply to it. The
/// first sidecar with a `RepetitionTime` is used.
///
/// # Errors
/// The error of a sidecar that was read.
pub(crate) fn tr_secs(
    of: &ScanFile<'_>,
    files: &[ScanFile<'_>],
    folder: &FuncFolder,
) -> Result<Option<f64>, StudyError> {
    for path in sidecars(of, files, folder) {
        if let Some(secs) = repetition_time_secs(&path)? {
            return Ok(Some(secs));
        }
    }
    Ok(None)
}

/// Sidecars that may apply to a scan, in the order of preference.
fn sidecars(of: &ScanFile<'_>, files: &[ScanFile<'_>], folder: &FuncFolder) -> Vec<PathBuf> {
    let stem = |name: &BidsName, file: &str| file[..file.len() - name.extension.len()].to_owned();
    let of_stem = stem(&of.name, of.file);
    let mut beside: Vec<&ScanFile> = files
        .iter()
        .filter(|other| is_sidecar(&other.name) && other.is_beside(of))
        .collect();
    beside.sort_by_key(|other| {
        (
            stem(&other.name, other.file) != of_stem,
            !other.name.applies_to(&of.name),
            other.name.suffix != of.name.suffix,
        )
    });
    let mut paths: Vec<PathBuf> = beside
        .iter()
        .map(|other| folder.func.path.join(other.file))
        .collect();
    for above in &folder.above {
        let mut found: Vec<(usize, PathBuf)> = above
            .files
            .iter()
            .filter_map(|file| {
                let name = BidsName::parse(file)?;
                let applies = is_sidecar(&name) && name.applies_to(&of.name);
                applies.then(|| (name.n_entities(), above.path.join(file)))
            })
            .collect();
        found.sort_by_key(|(n_entities, _)| std::cmp::Reverse(*n_entities));
        paths.extend(found.into_iter().map(|(_, path)| path));
    }
    paths
}

/// Whether a file may be the sidecar of a signal file.
fn is_sidecar(name: &BidsName<'_>) -> bool {
    name.extension.ends_with(".json")
        && ["bold", "timeseries"].contains(&name.suffix)
        && name.get("desc") != Some("confounds")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bids_tree::func_folders;
    use crate::tests::tree::tree;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Option<f64>, StudyError> {
        let folder = tree(&[format!("a.json={text}")]);
        repetition_time_secs(&folder.path().join("a.json"))
    }

    fn refused(read: Result<Option<f64>, StudyError>) -> SidecarProblem {
        match read {
            Err(StudyError::Sidecar { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn seconds_are_a_number_above_zero() {
        assert_eq!(read("{\"RepetitionTime\": 0.72}").unwrap(), Some(0.72));
        assert_eq!(read("{\"RepetitionTime\": 2}").unwrap(), Some(2.0));
        assert_eq!(read("{\"EchoTime\": 0.03}").unwrap(), None);
        assert_eq!(read("{\"RepetitionTime\": null}").unwrap(), None);
        let tr = |found: &str| SidecarProblem::Tr {
            found: found.into(),
        };
        for (text, expected) in [
            (
                "{\"RepetitionTime\": 2000}",
                SidecarProblem::TrInMilliseconds { secs: 2000.0 },
            ),
            ("{\"RepetitionTime\": 0}", tr("0")),
            ("{\"RepetitionTime\": -2}", tr("-2")),
            ("{\"RepetitionTime\": \"2\"}", tr("\"2\"")),
        ] {
            assert_eq!(refused(read(text)), expected, "{text}");
        }
        for text in ["[1]", "", "{"] {
            let problem = refused(read(text));
            let is_no_json = matches!(problem, SidecarProblem::NotJson { .. });
            assert!(is_no_json, "{text:?}: {problem:?}");
        }
    }

    /// The TR of `sub-1_task-rest_space-X_desc-preproc_bold.nii.gz` among these files.
    fn tr_among(files: &[&str]) -> Result<Option<f64>, StudyError> {
        let signal = "sub-1/func/sub-1_task-rest_space-X_desc-preproc_bold.nii.gz";
        let all: Vec<&str> = files.iter().copied().chain([signal]).collect();
        let root = tree(&all);
        let folders = func_folders(root.path(), "", &Default::default(), &mut Vec::new()).unwrap();
        let files = folders[0].scan_files(&mut Vec::new());
        let of = files.iter().find(|file| signal.ends_with(file.file));
        tr_secs(of.unwrap(), &files, &folders[0])
    }

    #[test]
    fn the_sidecar_of_the_same_name_counts_first_and_the_root_last() {
        let root = "task-rest_bold.json={\"RepetitionTime\": 1}";
        let subject = "sub-1/sub-1_task-rest_bold.json={\"RepetitionTime\": 2}";
        let scan = "sub-1/func/sub-1_task-rest_bold.json={\"RepetitionTime\": 3}";
        let same =
            "sub-1/func/sub-1_task-rest_space-X_desc-preproc_bold.json={\"RepetitionTime\": 4}";
        let silent = "sub-1/func/sub-1_task-rest_space-X_desc-preproc_bold.json={}";
        for (files, secs) in [
            (&[root, subject, scan, same][..], Some(4.0)),
            (&[root, subject, scan, silent], Some(3.0)),
            (&[root, subject], Some(2.0)),
            (&[root], Some(1.0)),
            (&["task-wm_bold.json={\"RepetitionTime\": 1}"], None),
            (&[], None),
        ] {
            assert_eq!(tr_among(files).unwrap(), secs, "{files:?}");
        }
    }

    #[test]
    fn a_sidecar_that_is_wrong_is_no_silence() {
        let wrong = "sub-1/func/sub-1_task-rest_bold.json={\"RepetitionTime\": 800}";
        assert_eq!(
            refused(tr_among(&[wrong])),
            SidecarProblem::TrInMilliseconds { secs: 800.0 }
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_of_seconds_or_an_error(text in "\\PC{0,200}") {
            if let Ok(Some(secs)) = read(&text) {
                prop_assert!(secs > 0.0 && secs <= MAX_TR_SECS);
            }
        }
    }
}
