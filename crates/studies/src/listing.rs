//! Listing of a folder: the scans that were found, and remarks on what was not.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use brainmae_files::id::{ScanId, SubjectId};

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

    /// Tells the log of an `atlas_label` that `layout`, which has no files of several atlases, does
    /// not use.
    pub(crate) fn warn_of_atlas_label(&self, layout: &str) {
        if self.atlas_label.is_some() {
            tracing::warn!(layout, "atlas_label is for the layout xcpd and is not used");
        }
    }

    /// Whether a task is asked for; case does not count.
    pub fn wants_task(&self, task: &str) -> bool {
        self.tasks.is_empty() || self.tasks.iter().any(|wanted| is_task(wanted, task))
    }
}

/// Whether two names are of one task.
pub(crate) fn is_task(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Scans and remarks of one folder.
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

/// Remark of a listing besides its scans.
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
    pub fn missing(what: impl Into<String>, why: impl Into<String>) -> Self {
        let (what, why) = (what.into(), why.into());
        let kind = NoteKind::Missing;
        Self { kind, what, why }
    }

    /// Something that is there and is not used.
    pub fn skipped(what: impl Into<String>, why: impl Into<String>) -> Self {
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
    /// The volumes of the file that are this scan; all of them when `None`.
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
    /// Parquet or Arrow IPC, long or wide; `scan` picks the rows of one scan among several.
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
