//! Problems of splits and of files of splits.

use brainmae_files::{ScanId, SubjectId};

/// Why a split cannot be drawn, or does not fit its data set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitProblem {
    /// Scans are named and drawn.
    #[error("scans are named, and shares or strata are given: give one of them")]
    NamedAndDrawn,
    /// There are too few groups for the shares asked for.
    #[error("{n_groups} {groups} are too few for these shares: set a share to 0, or name scans")]
    TooFewForShares {
        /// Groups that stay together.
        n_groups: usize,
        /// What they are.
        groups: &'static str,
    },
    /// There are too few groups for the folds asked for.
    #[error("{n_groups} {groups} cannot be cut into {folds} folds: ask for fewer")]
    TooFewForFolds {
        /// Groups that stay together.
        n_groups: usize,
        /// What they are.
        groups: &'static str,
        /// Folds asked for.
        folds: usize,
    },
    /// Strata are asked for, and there is one subject.
    #[error("all scans are of one subject: leave stratify out")]
    StrataOfOneSubject,
    /// A stratum that no subject has.
    #[error("stratify names {name:?}, which no subject has: choose from {}", known.join(", "))]
    UnknownStratum {
        /// The name.
        name: String,
        /// The names that subjects have.
        known: Vec<String>,
    },
    /// A target or category that no subject has.
    #[error("{name:?} is no target and no category of any subject")]
    UnknownTarget {
        /// The name.
        name: String,
    },
    /// Everything is held out.
    #[error("no scan is left to train on: hold fewer out")]
    NothingToTrainOn,
    /// A fold has no training set.
    #[error("nobody is left to train on: lower validation_fraction")]
    NobodyToTrainOn,
    /// A fold has no validation set.
    #[error("nobody is left to decide on: ask for fewer folds")]
    NobodyToValidateOn,
    /// A scan of the split is not in the data set, or not used.
    #[error("the {side} scan {scan} is not among the {n_usable} usable scans")]
    UnusableScan {
        /// Its side.
        side: &'static str,
        /// The scan.
        scan: ScanId,
        /// Scans that are used.
        n_usable: usize,
    },
    /// A split by scan of several subjects.
    #[error("it is by scan, but the scans are of {n_subjects} subjects: split by subject")]
    ByScan {
        /// Subjects of the scans.
        n_subjects: usize,
    },
}

/// Why a file of splits cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitFileProblem {
    /// It cannot be written as JSON.
    #[error("cannot be written: {0}")]
    Write(serde_json::Error),
    /// It is something else.
    #[error("not a file of splits: {0}")]
    Read(serde_json::Error),
    /// It is of another version of the format.
    #[error("the format of the splits is {found}, expected {expected}: draw them again")]
    Format {
        /// The version found.
        found: u32,
        /// The version of this crate.
        expected: u32,
    },
    /// Its content is not what was written.
    #[error(
        "the splits were changed after they were drawn: their sha256 is {found}, the file says {expected}; draw them again, or fetch the file again"
    )]
    Changed {
        /// Hash of the content.
        found: String,
        /// Hash in the file.
        expected: String,
    },
    /// It is of another data set.
    #[error(
        "the splits are of the data set {found} with sha256 {found_sha256}, expected {expected} with {expected_sha256}: draw them again"
    )]
    OtherDataset {
        /// Name of their data set.
        found: String,
        /// Its hash.
        found_sha256: String,
        /// Name of the data set at hand.
        expected: String,
        /// Its hash.
        expected_sha256: String,
    },
}

/// Who stands on two sides of a split.
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
