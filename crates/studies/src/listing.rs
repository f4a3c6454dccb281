//! Which scans a folder holds: each layout is one file that knows the names of one release.
//!
//! Listing opens no signal: it looks at names and, where a layout needs it, at small text files.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::StudyError;
use crate::kind::Layout;
use crate::{bids_tree, fmriprep, guess, hcp_7t, hcp_aging, hcp_ya, manifest, nsd, xcpd};
use brainmae_files::id::{ScanId, SubjectId};

/// Lists the scans in the folder `root`, sorted by subject and name.
///
/// What a layout expects and does not find is noted, as is what it finds and does not use.
///
/// # Errors
/// [`StudyError::Config`] for options that leave open which files are meant, with those there are;
/// [`StudyError::File`] when no scan is found, with the layout that would fit, and when two files
/// have the name of one scan; [`StudyError::TextTable`] for a manifest that is wrong;
/// [`StudyError::Io`] when `root` cannot be read.
pub fn list(layout: Layout, root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
    if options.atlas_label.is_some() && layout != Layout::Xcpd {
        tracing::warn!(%layout, "atlas_label is for the layout xcpd and is not used");
    }
    if options.subject_labels.is_some() && layout == Layout::Xcpd {
        tracing::warn!(%layout, "subject_labels are for volumes and are not used");
    }
    let mut listing = match layout {
        Layout::HcpYa => hcp_ya::list(root, options)?,
        Layout::Hcp7t => hcp_7t::list(root, options)?,
        Layout::HcpAging => hcp_aging::list(root, options)?,
        Layout::Nsd => nsd::list(root, options)?,
        Layout::Xcpd => xcpd::list(root, options)?,
        Layout::Fmriprep => fmriprep::list(root, options)?,
        Layout::Manifest => manifest::list(root, options)?,
    };
    if listing.scans.is_empty() {
        return Err(nothing_found(layout, root, options, &listing.notes));
    }
    listing
        .scans
        .sort_by(|one, other| (&one.subject, &one.scan).cmp(&(&other.subject, &other.scan)));
    check_unique(&listing.scans)?;
    for wanted in &options.subjects {
        let label = wanted.strip_prefix("sub-").unwrap_or(wanted);
        let mut found = listing.scans.iter().map(|scan| scan.subject.as_str());
        if !found.any(|subject| subject == wanted || subject == label) {
            let note = Note::missing(wanted, "no scan of this subject was found");
            listing.notes.push(note);
        }
    }
    for wanted in &options.tasks {
        let mut found = listing
            .scans
            .iter()
            .map(|scan| scan.task.as_deref().unwrap_or_default());
        if !found.any(|task| is_task(wanted, task)) {
            let note = Note::missing(format!("task {wanted}"), "no scan of this task was found");
            listing.notes.push(note);
        }
    }
    Ok(listing)
}

/// Refuses two files for one scan.
fn check_unique(scans: &[FoundScan]) -> Result<(), StudyError> {
    let mut files: HashMap<&ScanId, &PathBuf> = HashMap::new();
    for scan in scans {
        let path = scan.signal.path();
        if let Some(first) = files.insert(&scan.scan, path) {
            return Err(StudyError::file(
                path,
                format!(
                    "the scan {} is in {first:?} too: choose one with `variant`, a part of its name",
                    scan.scan
                ),
            ));
        }
    }
    Ok(())
}

/// Says what was looked for, what was met instead, and which layout would fit.
fn nothing_found(layout: Layout, root: &Path, options: &ListOptions, notes: &[Note]) -> StudyError {
    let mut problem = format!("no scan of layout {layout} ({})", layout.about());
    let asked = [("subjects", &options.subjects), ("tasks", &options.tasks)];
    for (name, asked) in asked.into_iter().filter(|(_, asked)| !asked.is_empty()) {
        problem += &format!("; {name} asked for: {}", bids_tree::few(asked));
    }
    for note in notes.iter().take(3) {
        problem += &format!("; {}: {}", note.what, note.why);
    }
    match guess::layout_of(root) {
        Some(other) if other != layout => {
            problem += &format!("; this looks like layout {other} ({})", other.about());
        }
        _ => {}
    }
    StudyError::file(root, problem)
}

/// What to look for in a folder; empty lists and `None` ask for everything a layout has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListOptions {
    /// Subjects to use, as the release names them.
    pub subjects: Vec<String>,
    /// Tasks to use, in any case: `rest`, `wm`.
    pub tasks: Vec<String>,
    /// Part of a file name that must be there, where several names of one scan exist:
    /// `hp2000_clean`, `func1mm`, `MNI152NLin6Asym`.
    pub variant: Option<String>,
    /// Name of the atlas in file names, where a layout has files of several: `4S156Parcels`.
    pub atlas_label: Option<String>,
    /// Path of each subject's own label volume, `{subject}` standing for the subject.
    pub subject_labels: Option<String>,
}

impl ListOptions {
    /// Whether a subject is asked for.
    pub fn wants_subject(&self, subject: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|wanted| wanted == subject)
    }

    /// Whether a task is asked for; case does not count.
    pub fn wants_task(&self, task: &str) -> bool {
        self.tasks.is_empty() || self.tasks.iter().any(|wanted| is_task(wanted, task))
    }
}

/// Whether two names are of one task.
fn is_task(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// What a layout found in a folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Scans that can be read, sorted by subject and name.
    pub scans: Vec<FoundScan>,
    /// What was expected and is not there, or is there and is not used.
    pub notes: Vec<Note>,
}

impl FromIterator<FoundScan> for Listing {
    /// These scans, without a remark.
    fn from_iter<I: IntoIterator<Item = FoundScan>>(scans: I) -> Self {
        Self {
            scans: scans.into_iter().collect(),
            notes: Vec::new(),
        }
    }
}

/// Something that a listing tells besides its scans.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// What kind of remark.
    pub kind: NoteKind,
    /// The subject, run or file, for a person to read; relative to the folder listed.
    pub what: String,
    /// Why, and what to do where something can be done.
    pub why: String,
}

impl Note {
    /// Something that was expected and is not there.
    pub(crate) fn missing(what: impl Into<String>, why: impl Into<String>) -> Self {
        let (what, why) = (what.into(), why.into());
        let kind = NoteKind::Missing;
        Self { kind, what, why }
    }

    /// Something that is there and is not used.
    pub(crate) fn skipped(what: impl Into<String>, why: impl Into<String>) -> Self {
        let (what, why) = (what.into(), why.into());
        let kind = NoteKind::Skipped;
        Self { kind, what, why }
    }
}

/// Kinds of remark in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// Expected and not there.
    Missing,
    /// There and not used.
    Skipped,
    /// Used, and not all of one kind.
    Mixed,
}

/// One scan, as its files lie on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundScan {
    /// Unique in the listing, in the words of BIDS: `sub-1_ses-2_task-rest_dir-LR_run-01`.
    pub scan: ScanId,
    /// The person, never the visit.
    pub subject: SubjectId,
    /// Session or visit, where there are several.
    pub session: Option<String>,
    /// What the subject did, in the words of the release, lower case: `rest`, `wm`, `nsdcore`.
    pub task: Option<String>,
    /// Its signals.
    pub signal: SignalFile,
    /// The volumes of the file that are this scan; all of them when none.
    pub part: Option<Range<usize>>,
    /// Seconds between volumes by the release's protocol or a sidecar; the file must agree.
    pub tr_secs: Option<f64>,
    /// Which of several names of the same scan was taken: `_Atlas_MSMAll_hp2000_clean`.
    pub variant: String,
    /// Head movement and other nuisance signals.
    pub confounds: Option<ConfoundFile>,
    /// A column of 0 and 1, one row per acquired volume: 1 is censored.
    pub outliers: Option<PathBuf>,
    /// Which share of every ROI is covered, 0 to 1, under the names of the ROIs.
    pub coverage: Option<PathBuf>,
    /// What happened during the scan.
    pub events: EventFiles,
}

impl FoundScan {
    /// A scan with these signals, of which nothing else is known.
    pub fn new(scan: impl Into<ScanId>, subject: impl Into<SubjectId>, signal: SignalFile) -> Self {
        Self {
            scan: scan.into(),
            subject: subject.into(),
            session: None,
            task: None,
            signal,
            part: None,
            tr_secs: None,
            variant: String::new(),
            confounds: None,
            outliers: None,
            coverage: None,
            events: EventFiles::None,
        }
    }
}

/// Where the signals of a scan lie.
#[derive(Clone, Debug, PartialEq)]
pub enum SignalFile {
    /// CIFTI-2: `.dtseries.nii` or `.ptseries.nii`, told by its content.
    Cifti(PathBuf),
    /// A 4-D NIfTI image.
    Nifti {
        /// The volumes.
        bold: PathBuf,
        /// The subject's own label volume, in the grid of the volumes; else the atlas has one.
        labels: Option<PathBuf>,
    },
    /// Text, one column per ROI: `.tsv` with tabs, `.csv` with commas.
    Table(PathBuf),
    /// numpy's `.npy`, `[volume][roi]`.
    Npy(PathBuf),
    /// Parquet or Arrow IPC, long or wide; `scan` picks the rows of one scan where there are several.
    Columnar {
        /// The file.
        path: PathBuf,
        /// The value of its `scan` column.
        scan: Option<String>,
    },
}

impl SignalFile {
    /// The file that holds the signals.
    pub fn path(&self) -> &PathBuf {
        match self {
            Self::Cifti(path) | Self::Table(path) | Self::Npy(path) => path,
            Self::Nifti { bold, .. } => bold,
            Self::Columnar { path, .. } => path,
        }
    }
}

/// Where the nuisance signals of a scan lie.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfoundFile {
    /// HCP `Movement_Regressors.txt`: 12 columns without header, translation in mm, rotation in
    /// degrees, then their derivatives.
    Hcp(PathBuf),
    /// fMRIPrep `_desc-confounds_timeseries.tsv`, rotation in radians.
    Fmriprep(PathBuf),
    /// XCP-D `_motion.tsv`, rotation in radians, with `framewise_displacement`.
    Xcpd(PathBuf),
}

/// Where the events of a scan lie.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum EventFiles {
    /// Nowhere.
    #[default]
    None,
    /// HCP: a folder of `<condition>.txt`, three columns onset, duration, amplitude in seconds.
    Evs(PathBuf),
    /// NSD: one integer per volume, 0 for nothing, else the number of an image.
    Design(PathBuf),
    /// BIDS `_events.tsv`: onset, duration, trial_type.
    Bids(PathBuf),
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
