//! Label volumes of single subjects.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;

use crate::error::StudyError;
use crate::listing::{ListOptions, Note};

/// Placeholder of the subject in the path.
const SUBJECT: &str = "{subject}";

/// Paths of the label volumes of the subjects.
#[derive(Debug)]
pub(crate) struct SubjectLabels {
    root: PathBuf,
    pattern: String,
    /// By subject: the file, or `None` when it does not exist, which has been noted.
    known: HashMap<String, Option<PathBuf>>,
}

impl SubjectLabels {
    /// `None` when no label volumes are requested. A relative path starts at `root`.
    ///
    /// # Errors
    /// [`StudyError::Config`] for a path without a placeholder, the same for all subjects.
    pub fn new(root: &Path, options: &ListOptions) -> Result<Option<Self>, StudyError> {
        let Some(pattern) = &options.subject_labels else {
            return Ok(None);
        };
        if !pattern.contains(SUBJECT) {
            return Err(StudyError::config(
                "subject_labels",
                pattern,
                format!("a path with {SUBJECT} in it, which stands for each subject"),
            ));
        }
        Ok(Some(Self {
            root: root.to_owned(),
            pattern: pattern.clone(),
            known: HashMap::new(),
        }))
    }

    /// The label volume of a subject; a missing one is noted once.
    pub fn of(&mut self, subject: &str, notes: &mut Vec<Note>) -> Option<PathBuf> {
        if let Some(known) = self.known.get(subject) {
            return known.clone();
        }
        let shown = self.pattern.replace(SUBJECT, subject);
        let path = Some(self.root.join(&shown)).filter(|path| path.is_file());
        if path.is_none() {
            let why = format!(
                "the label volume of subject {subject} is not there, so that its scans are left \
                 out: warp the surface labels of the atlas to the grid of its volumes (for NSD \
                 with nsdcode, once for each subject), or resample its series to fsLR and list \
                 them with a manifest"
            );
            notes.push(Note::missing(shown, why));
        }
        self.known.insert(subject.to_owned(), path.clone());
        path
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;
    use crate::tests::tree::tree;

    fn labels(root: &Path, pattern: &str) -> Result<Option<SubjectLabels>, StudyError> {
        let options = ListOptions {
            subject_labels: Some(pattern.into()),
            ..Default::default()
        };
        SubjectLabels::new(root, &options)
    }

    #[test]
    fn the_subject_stands_in_the_path_and_a_missing_file_is_noted_once() {
        let root = tree(&["labels/s1/s1.nii"]);
        for start in ["", root.path().to_str().unwrap()] {
            let pattern = Path::new(start).join("labels/{subject}/{subject}.nii");
            let mut labels = labels(root.path(), pattern.to_str().unwrap())
                .unwrap()
                .unwrap();
            let mut notes = Vec::new();
            let path = labels.of("s1", &mut notes);
            assert_eq!(path, Some(root.path().join("labels/s1/s1.nii")));
            assert_eq!(notes, []);
            assert_eq!(labels.of("s2", &mut notes), None);
            assert_eq!(labels.of("s2", &mut notes), None);
            assert_eq!(notes.len(), 1);
            assert!(notes[0].why.contains("nsdcode"));
        }
    }

    #[test]
    fn one_path_for_all_subjects_is_refused() {
        let error = labels(Path::new("."), "labels.nii").unwrap_err();
        let is_of_field = matches!(
            &error,
            StudyError::Config(InvalidField { field: "subject_labels", found, .. }) if found == "labels.nii"
        );
        assert!(is_of_field, "{error:?}");
        let none = SubjectLabels::new(Path::new("."), &ListOptions::default()).unwrap();
        assert!(none.is_none());
    }
}
