//! Folder without a manifest: one file per scan, named by the rules of BIDS. Its TR is read from a
//! sidecar of the same name; other companion files need a manifest.

use std::collections::BTreeSet;

use brainmae_files::id::{ScanId, SubjectId};

use super::{COLUMNS, signal_file};
use crate::bids_name::BidsName;
use crate::bids_tree::wants_subject;
use crate::error::{ManifestProblem, StudyError};
use crate::folder::Folder;
use crate::listing::{FoundScan, ListOptions, Listing, Note, SignalFile};
use crate::shown::few;
use crate::sidecar::repetition_time_secs;
use crate::subject_labels::SubjectLabels;

/// Maximum depth of the search.
const MAX_DEPTH: usize = 8;

/// Files beside signals that also have table extensions.
const COMPANIONS: [&str; 9] = [
    "events",
    "motion",
    "outliers",
    "confounds",
    "regressors",
    "coverage",
    "design",
    "scans",
    "sessions",
];

/// Lists the files in `root` and below it whose names begin with `sub-`.
///
/// # Errors
/// [`StudyError::Manifest`] when the signals are of several kinds, so that the choice is ambiguous.
pub(super) fn list(
    root: Folder,
    options: &ListOptions,
    mut notes: Vec<Note>,
) -> Result<Listing, StudyError> {
    let mut labels = SubjectLabels::new(&root.path, options)?;
    let mut plain = Plain::default();
    plain.walk(&root, options, 0, &mut notes);
    if plain.kinds.len() > 1 {
        let kinds: Vec<&'static str> = plain.kinds.iter().copied().collect();
        let problem = ManifestProblem::SeveralKinds {
            kinds,
            columns: &COLUMNS,
        };
        return Err(StudyError::manifest(&root.path, None, problem));
    }
    if !plain.unknown.is_empty() {
        let why = format!(
            "{} files are not named sub-<subject>_task-<task>… (images …_bold.nii.gz): rename \
             them, or write a manifest.tsv with the columns {}",
            plain.unknown.len(),
            COLUMNS.join(", ")
        );
        notes.push(Note::skipped(few(&plain.unknown), why));
    }
    if plain.n_companions > 0 {
        notes.push(Note::skipped(
            "companions",
            format!(
                "{} files of events or confounds are not used: name them in a manifest.tsv",
                plain.n_companions
            ),
        ));
    }
    let mut scans = Vec::new();
    for mut scan in plain.scans {
        if let (SignalFile::Nifti { labels: own, .. }, Some(labels)) =
            (&mut scan.signal, labels.as_mut())
        {
            match labels.of(scan.subject.as_str(), &mut notes) {
                None => continue,
                path => *own = path,
            }
        }
        scans.push(scan);
    }
    Ok(Listing { scans, notes })
}

/// The files found so far.
#[derive(Default)]
struct Plain {
    scans: Vec<FoundScan>,
    kinds: BTreeSet<&'static str>,
    unknown: Vec<String>,
    n_companions: usize,
}

impl Plain {
    fn walk(
        &mut self,
        folder: &Folder,
        options: &ListOptions,
        depth: usize,
        notes: &mut Vec<Note>,
    ) {
        for file in folder.files().filter(|name| !name.starts_with('.')) {
            self.add(file, folder, options, notes);
        }
        let inner = folder.folders().filter(|name| !name.starts_with('.'));
        for name in inner {
            if folder.is_link(name) {
                if folder.path.join(name).is_dir() {
                    let why = "a link to a folder is not followed, for it may lead in a circle";
                    notes.push(Note::skipped(folder.show(name), why));
                }
            } else if depth == MAX_DEPTH {
                notes.push(Note::skipped(
                    folder.show(name),
                    format!("more than {MAX_DEPTH} folders deep"),
                ));
            } else if let Some(inner) = folder.child(name, notes) {
                self.walk(&inner, options, depth + 1, notes);
            }
        }
    }

    fn add(&mut self, file: &str, folder: &Folder, options: &ListOptions, notes: &mut Vec<Note>) {
        let path = folder.path.join(file);
        let Some(signal) = signal_file(path, None, None) else {
            return;
        };
        if options
            .variant
            .as_ref()
            .is_some_and(|variant| !file.contains(variant.as_str()))
        {
            return;
        }
        let Some(name) = BidsName::parse(file) else {
            self.unknown.push(folder.show(file));
            return;
        };
        // Other images of a subject, such as `_T1w` and `_mask`, have no signals.
        let is_image = matches!(signal, SignalFile::Nifti { .. });
        let may_be_signals = !is_image || ["bold", ""].contains(&name.suffix);
        let (Some(scan), Some(subject), true) = (name.scan_id(), name.get("sub"), may_be_signals)
        else {
            self.unknown.push(folder.show(file));
            return;
        };
        if COMPANIONS.contains(&name.suffix) || name.get("desc") == Some("confounds") {
            self.n_companions += 1;
            return;
        }
        let task = name.get("task").map(str::to_lowercase);
        if !(wants_subject(options, subject)
            && options.wants_task(task.as_deref().unwrap_or_default()))
            || folder.file(file, notes).is_none()
        {
            return;
        }
        let sidecar = file.strip_suffix(name.extension).unwrap_or(file).to_owned() + ".json";
        let sidecar = folder.file(&sidecar, notes);
        let tr_secs = match sidecar.map_or(Ok(None), |path| repetition_time_secs(&path)) {
            Ok(tr_secs) => tr_secs,
            Err(error) => {
                notes.push(Note::skipped(folder.show(file), error.to_string()));
                return;
            }
        };
        self.kinds.insert(match &signal {
            SignalFile::Cifti(_) => "CIFTI",
            SignalFile::Nifti { .. } => "NIfTI",
            SignalFile::Table(_) => "text tables",
            SignalFile::Npy(_) => ".npy",
            SignalFile::Columnar { .. } => "parquet or Arrow",
        });
        self.scans.push(FoundScan {
            session: name.get("ses").map(str::to_owned),
            task,
            tr_secs,
            variant: name.output(),
            ..FoundScan::new(ScanId::new(scan), SubjectId::new(subject), signal)
        });
    }
}
