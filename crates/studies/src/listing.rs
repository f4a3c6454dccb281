//! Listing of a folder: the scans found, and notes on missing and unused files.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use brainmae_files::id::{ScanId, SubjectId};

/// Options of a search; empty lists and `None` request everything of a layout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListOptions {
    /// Subjects to use, as the release names them.
    pub subjects: Vec<String>,
    /// Tasks to use, in any case: `rest`, `wm`.
    pub tasks: Vec<String>,
    /// Required part of a file name, if a scan has several files: `hp2000_clean`, `func1mm`,
    /// `MNI152NLin6Asym`.
    pub variant: Option<String>,
    /// Takes the cleanest variant that all scans of a task have. Otherwise a task is refused if one
    /// of its scans lacks its cleanest variant.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub common_variant: bool,
    /// Name of the atlas in file names, if a layout has files of several: `4S156Parcels`.
    pub atlas_label: Option<String>,
    /// Path of each subject's own label volume; `{subject}` is replaced by the subject.
    pub subject_labels: Option<String>,
}

impl ListOptions {
    /// Whether a subject is requested.
    pub fn wants_subject(&self, subject: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|wanted| wanted == subject)
    }

    /// Logs a warning if `atlas_label` is set but `layout` has no files of several atlases.
    pub(crate) fn warn_of_atlas_label(&self, layout: &str) {
        if self.atlas_label.is_some() {
            tracing::warn!(layout, "atlas_label is for the layout xcpd and is not used");
        }
    }

    /// Whether a task is requested; case is ignored.
    pub fn wants_task(&self, task: &str) -> bool {
        self.tasks.is_empty() || self.tasks.iter().any(|wanted| is_task(wanted, task))
    }
}

/// Whether two names mean the same task.
pub(crate) fn is_task(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Scans and notes of one folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Scans that can be read, sorted by subject and name.
    pub scans: Vec<FoundScan>,
    /// Notes on missing and on unused files.
    pub notes: Vec<Note>,
}

impl FromIterator<FoundScan> for Listing {
    /// A listing of these scans, without notes.
    fn from_iter<I: IntoIterator<Item = FoundScan>>(scans: I) -> Self {
        Self {
            scans: scans.into_iter().collect(),
            notes: Vec::new(),
        }
    }
}

/// Note of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Kind of the note.
    pub kind: NoteKind,
    /// The subject, run or file, as text for a person; relative to the listed folder.
    pub what: String,
    /// The reason, with advice if there is any.
    pub why: String,
}

impl Note {
    /// A note on something that was expected but is missing.
    pub fn missing(what: impl Into<String>, why: impl Into<String>) -> Self {
        let (what, why) = (what.into(), why.into());
        let kind = NoteKind::Missing;
        Self { kind, what, why }
    }

    /// A note on something that exists but is not used.
    pub fn skipped(what: impl Into<String>, why: impl Into<String>) -> Self {
        let (what, why) = (what.into(), why.into());
        let kind = NoteKind::Skipped;
        Self { kind, what, why }
    }
}

/// Kinds of notes in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// Expected but missing.
    Missing,
    /// Existing but not used.
    Skipped,
    /// Used, but of different variants in different tasks.
    Mixed,
}

/// One scan with its files on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundScan {
    /// Id, unique in the listing, by the rules of BIDS: `sub-1_ses-2_task-rest_dir-LR_run-01`.
    pub scan: ScanId,
    /// The person, not the visit.
    pub subject: SubjectId,
    /// Session or visit, if there are several.
    pub session: Option<String>,
    /// Task in the words of the release, in lower case: `rest`, `wm`, `nsdcore`.
    pub task: Option<String>,
    /// File of its signals.
    pub signal: SignalFile,
    /// The volumes of the file that belong to this scan; all when `None`.
    pub part: Option<Range<usize>>,
    /// Seconds between volumes, from the release's protocol or a sidecar; the file must agree.
    pub tr_secs: Option<f64>,
    /// The variant of the file that was chosen: `_Atlas_MSMAll_hp2000_clean`.
    pub variant: String,
    /// File of head movement and other confounds.
    pub confounds: Option<ConfoundFile>,
    /// File with a column of 0 and 1, one row per acquired volume; 1 means censored.
    pub outliers: Option<PathBuf>,
    /// File with the covered share of every ROI, 0 to 1, by ROI name.
    pub coverage: Option<PathBuf>,
    /// File of its events.
    pub events: EventFiles,
}

impl FoundScan {
    /// A scan with these signals and no other files.
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

/// File of the signals of a scan.
#[derive(Clone, Debug, PartialEq)]
pub enum SignalFile {
    /// CIFTI-2: `.dtseries.nii` or `.ptseries.nii`; the content determines which.
    Cifti(PathBuf),
    /// A 4-D NIfTI image.
    Nifti {
        /// The image.
        bold: PathBuf,
        /// The subject's own label volume, in the grid of the image; `None` if the atlas has
        /// labels.
        labels: Option<PathBuf>,
    },
    /// Text table with one column per ROI: `.tsv` with tabs, `.csv` with commas.
    Table(PathBuf),
    /// NumPy array `.npy`, `[volume][roi]`.
    Npy(PathBuf),
    /// Parquet or Arrow IPC, long or wide; `scan` selects the rows of one scan among several.
    Columnar {
        /// The file.
        path: PathBuf,
        /// The value of its `scan` column.
        scan: Option<String>,
    },
}

impl SignalFile {
    /// Path of the file with the signals.
    pub fn path(&self) -> &PathBuf {
        match self {
            Self::Cifti(path) | Self::Table(path) | Self::Npy(path) => path,
            Self::Nifti { bold, .. } => bold,
            Self::Columnar { path, .. } => path,
        }
    }
}

/// File of the confounds of a scan.
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

/// Files of the events of a scan.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum EventFiles {
    /// The scan has no files of events.
    #[default]
    None,
    /// HCP: a folder of `<condition>.txt`, three columns onset, duration, amplitude in seconds.
    Evs(PathBuf),
    /// NSD: one integer per volume, 0 for nothing, else the number of an image.
    Design(PathBuf),
    /// BIDS `_events.tsv`: onset, duration, trial_type.
    Bids(PathBuf),
}
