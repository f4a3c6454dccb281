//! Folder tree of BIDS derivatives: `sub-*/[ses-*/]func/`.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use brainmae_files::id::{ScanId, SubjectId};

use crate::bids_name::BidsName;
use crate::error::StudyError;
use crate::folder::Folder;
use crate::listing::{FoundScan, ListOptions, Note, SignalFile};

/// Maximum number of subjects, and of sessions of each, that are searched to recognise a layout.
const TRIES: usize = 3;

/// The `func` folder of one subject and session.
#[derive(Debug)]
pub(crate) struct FuncFolder {
    /// The folder.
    pub func: Folder,
    /// Sidecars in the folders above it, nearest first.
    pub above: Vec<Rc<Sidecars>>,
    /// The subject, with `sub-`.
    subject: String,
}

/// The JSON files in a folder above the scans.
#[derive(Debug)]
pub(crate) struct Sidecars {
    /// The folder.
    pub path: PathBuf,
    /// Their names.
    pub files: Vec<String>,
}

/// A file of a scan.
#[derive(Clone, Debug)]
pub(crate) struct ScanFile<'a> {
    /// Its name.
    pub file: &'a str,
    /// Its parsed name.
    pub name: BidsName<'a>,
    /// The scan of the file.
    pub scan: String,
}

/// The `func` folders of the requested subjects. If `root` has no subjects, its folder `inner` is
/// searched; old versions of the tools create it.
///
/// # Errors
/// [`StudyError::Files`] when `root` cannot be read.
pub(crate) fn func_folders(
    root: &Path,
    inner: &str,
    options: &ListOptions,
    notes: &mut Vec<Note>,
) -> Result<Vec<FuncFolder>, StudyError> {
    let mut top = Folder::root(root, notes)?;
    if !top.folders().any(|name| name.starts_with("sub-"))
        && let Some(inner) = top.child(inner, notes)
    {
        top = inner;
    }
    let of_root = Rc::new(Sidecars::of(&top));
    if !top.has_file("dataset_description.json") {
        notes.push(Note::missing(
            top.show("dataset_description.json"),
            "BIDS derivatives have one; the scans are read without it",
        ));
    }
    let mut found = Vec::new();
    for subject in top.folders() {
        let Some(label) = subject.strip_prefix("sub-") else {
            continue;
        };
        if !wants_subject(options, label) {
            continue;
        }
        let Some(folder) = top.child(subject, notes) else {
            continue;
        };
        let of_subject = Rc::new(Sidecars::of(&folder));
        let before = found.len();
        let mut add = |func, above| {
            found.push(FuncFolder {
                func,
                above,
                subject: subject.to_owned(),
            })
        };
        if let Some(func) = folder.child("func", notes) {
            add(func, vec![of_subject.clone(), of_root.clone()]);
        }
        for session in folder.folders().filter(|name| name.starts_with("ses-")) {
            if let Some(session) = folder.child(session, notes)
                && let Some(func) = session.child("func", notes)
            {
                let of_session = Rc::new(Sidecars::of(&session));
                add(func, vec![of_session, of_subject.clone(), of_root.clone()]);
            }
        }
        if found.len() == before {
            notes.push(Note::missing(top.show(subject), "it has no func folder"));
        }
    }
    Ok(found)
}

impl Sidecars {
    fn of(folder: &Folder) -> Self {
        let files = folder.files().filter(|name| name.ends_with(".json"));
        Self {
            path: folder.path.clone(),
            files: files.map(str::to_owned).collect(),
        }
    }
}

impl FuncFolder {
    /// The files of scans; a file of another subject than that of the folder is noted.
    pub fn scan_files(&self, notes: &mut Vec<Note>) -> Vec<ScanFile<'_>> {
        let mut files = Vec::new();
        for file in self.func.files() {
            let Some(name) = BidsName::parse(file) else {
                continue;
            };
            let Some(scan) = name.scan_id() else {
                continue;
            };
            if name.get("sub") != self.subject.strip_prefix("sub-") {
                notes.push(Note::skipped(
                    self.func.show(file),
                    format!("it names another subject than its folder {}", self.subject),
                ));
                continue;
            }
            files.push(ScanFile { file, name, scan });
        }
        files
    }
}

impl ScanFile<'_> {
    /// The task, in lower case.
    pub fn task(&self) -> Option<String> {
        self.name.get("task").map(str::to_lowercase)
    }

    /// Whether its task is requested; without requested tasks, every scan is.
    pub fn is_wanted(&self, options: &ListOptions) -> bool {
        options.wants_task(self.task().as_deref().unwrap_or_default())
    }

    /// Whether both files belong to the same scan.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.scan == other.scan
    }

    /// The scan with these signals, without other files.
    pub fn found_scan(&self, signal: SignalFile) -> FoundScan {
        let scan = ScanId::new(self.scan.as_str());
        let subject = SubjectId::new(self.name.get("sub").unwrap_or_default());
        FoundScan {
            session: self.name.get("ses").map(str::to_owned),
            task: self.task(),
            variant: self.name.output(),
            ..FoundScan::new(scan, subject, signal)
        }
    }
}

/// Whether a subject is requested, with or without `sub-`.
pub(crate) fn wants_subject(options: &ListOptions, label: &str) -> bool {
    options.wants_subject(label) || options.wants_subject(&format!("sub-{label}"))
}

/// Whether any name in the `func` folders of the first subjects passes the test.
pub(crate) fn any_func_file(root: &Path, passes: impl Fn(&BidsName<'_>) -> bool) -> bool {
    let Ok(top) = Folder::root(root, &mut Vec::new()) else {
        return false;
    };
    let is_met = |func: Folder| {
        let mut names = func.files().filter_map(BidsName::parse);
        names.any(|name| passes(&name))
    };
    let subjects = top.folders().filter(|name| name.starts_with("sub-"));
    subjects.take(TRIES).any(|subject| {
        let Some(subject) = top.below(&[subject]) else {
            return false;
        };
        let sessions = subject.folders().filter(|name| name.starts_with("ses-"));
        let of_sessions = sessions.filter_map(|session| subject.below(&[session, "func"]));
        let mut funcs = subject
            .below(&["func"])
            .into_iter()
            .chain(of_sessions.take(TRIES));
        funcs.any(is_met)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::tree::tree;

    #[test]
    fn sessions_and_plain_func_folders_are_walked() {
        let root = tree(&[
            "dataset_description.json",
            "sub-1/func/sub-1_task-a_bold.json",
            "sub-2/ses-x/func/sub-2_ses-x_task-a_bold.json",
            "sub-2/ses-y/anat/sub-2_ses-y_T1w.json",
            "sub-3/anat/sub-3_T1w.json",
            "sub-4.html",
        ]);
        let mut notes = Vec::new();
        let options = ListOptions::default();
        let found = func_folders(root.path(), "xcp_d", &options, &mut notes).unwrap();
        let shown: Vec<_> = found.iter().map(|folder| folder.func.show("")).collect();
        assert_eq!(shown, ["sub-1/func/", "sub-2/ses-x/func/"]);
        assert_eq!(found[1].above.len(), 3);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_eq!(notes[0].what, "sub-3");
    }

    #[test]
    fn subjects_are_chosen_with_or_without_their_prefix() {
        let root = tree(&["inner/sub-1/func/a", "inner/sub-2/func/a"]);
        for wanted in ["2", "sub-2"] {
            let mut notes = Vec::new();
            let options = ListOptions {
                subjects: vec![wanted.into()],
                ..Default::default()
            };
            let found = func_folders(root.path(), "inner", &options, &mut notes).unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].func.show("a"), "inner/sub-2/func/a");
            assert_eq!(notes[0].what, "inner/dataset_description.json");
        }
    }

    #[test]
    fn a_file_of_another_subject_is_noted() {
        let root = tree(&[
            "sub-1/func/sub-1_task-a_bold.json",
            "sub-1/func/sub-2_task-a_bold.json",
            "sub-1/func/task-a_bold.json",
        ]);
        let mut notes = Vec::new();
        let options = ListOptions::default();
        let found = func_folders(root.path(), "inner", &options, &mut notes).unwrap();
        notes.clear();
        let files = found[0].scan_files(&mut notes);
        assert_eq!(files.len(), 1);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].why.contains("another subject"));
    }
}
