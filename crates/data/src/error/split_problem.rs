//! Problems of splits and of files of splits.

use brainmae_files::{ScanId, SubjectId};

/// Why a split cannot be drawn, or does not fit its data set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitProblem {
    /// Scans are both named and drawn.
    #[error("scans are named, and shares or strata are given: give one of them")]
    NamedAndDrawn,
    /// There are too few groups for the requested shares.
    #[error("{n_groups} {groups} are too few for these shares: set a share to 0, or name scans")]
    TooFewForShares {
        /// Number of groups that stay together.
        n_groups: usize,
        /// Kind of the groups.
        groups: &'static str,
    },
    /// There are too few groups for the requested folds.
    #[error("{n_groups} {groups} cannot be cut into {folds} folds: ask for fewer")]
    TooFewForFolds {
        /// Number of groups that stay together.
        n_groups: usize,
        /// Kind of the groups.
        groups: &'static str,
        /// Requested number of folds.
        folds: usize,
    },
    /// Folds are by site, and the site of a subject is not known.
    #[error(
        "the folds are by site, and {n_unknown} of {n_subjects} subjects have none, such as {subject}: give the table of subjects a column `site`"
    )]
    UnknownSite {
        /// One of them.
        subject: SubjectId,
        /// Number of subjects without a site.
        n_unknown: usize,
        /// Number of subjects with scans.
        n_subjects: usize,
    },
    /// Folds are by site, and a family was scanned at several.
    #[error(
        "the folds are by site, and the family of {subject} is at {}: leave one of its subjects out, or do not split by site", sites.join(" and ")
    )]
    FamilyAtSites {
        /// A subject of the family.
        subject: SubjectId,
        /// The sites, sorted.
        sites: Vec<String>,
    },
    /// Strata are requested, but there is only one subject.
    #[error("all scans are of one subject: leave stratify out")]
    StrataOfOneSubject,
    /// No subject has this stratum.
    #[error("stratify names {name:?}, which no subject has: choose from {}", known.join(", "))]
    UnknownStratum {
        /// The name.
        name: String,
        /// The names that subjects have.
        known: Vec<String>,
    },
    /// No subject has this target or category.
    #[error("{name:?} is no target and no category of any subject")]
    UnknownTarget {
        /// The name.
        name: String,
    },
    /// All scans are in the validation and test sets.
    #[error("no scan is left to train on: hold fewer out")]
    NothingToTrainOn,
    /// A fold has no training set.
    #[error("nobody is left to train on: lower validation_fraction")]
    NobodyToTrainOn,
    /// A fold has no validation set.
    #[error("nobody is left to decide on: ask for fewer folds")]
    NobodyToValidateOn,
    /// A scan of the split is not in the data set, or is not used.
    #[error("the {set} scan {scan} is not among the {n_usable} usable scans")]
    UnusableScan {
        /// Its set.
        set: &'static str,
        /// The scan.
        scan: ScanId,
        /// Number of used scans.
        n_usable: usize,
    },
    /// A split by scan is used for several subjects.
    #[error("it is by scan, but the scans are of {n_subjects} subjects: split by subject")]
    ByScan {
        /// Number of subjects of the scans.
        n_subjects: usize,
    },
}

/// Why a file of splits cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitFileProblem {
    /// The splits cannot be written as JSON.
    #[error("cannot be written: {0}")]
    Write(serde_json::Error),
    /// The file is not a file of splits.
    #[error("not a file of splits: {0}")]
    Read(serde_json::Error),
    /// The file has another version of the format.
    #[error("the format of the splits is {found}, expected {expected}: draw them again")]
    Format {
        /// The version found.
        found: u32,
        /// The version of this crate.
        expected: u32,
    },
    /// The content was changed after it was written.
    #[error(
        "the splits were changed after they were drawn: their sha256 is {found}, the file says {expected}; draw them again, or fetch the file again"
    )]
    Changed {
        /// Hash of the content.
        found: String,
        /// Hash in the file.
        expected: String,
    },
    /// The splits belong to another data set.
    #[error(
        "the splits are of the data set {found} with sha256 {found_sha256}, expected {expected} with {expected_sha256}: draw them again"
    )]
    OtherDataset {
        /// Name of that data set.
        found: String,
        /// Hash of that data set.
        found_sha256: String,
        /// Name of the given data set.
        expected: String,
        /// Hash of the given data set.
        expected_sha256: String,
    },
}

/// A scan, subject or family that is in two sets of a split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeakOf {
    /// A scan.
    #[error("scan {0}")]
    Scan(ScanId),
    /// A subject.
    #[error("subject {0}")]
    Subject(SubjectId),
    /// A family.
    #[error("family {0}")]
    Family(String),
}
