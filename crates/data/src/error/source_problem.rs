//! Problems of raw sources, and of the place where a data set should go.

use std::fmt;

use brainmae_files::ScanId;

/// What a raw source does not keep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceProblem {
    /// Two scans have one name.
    #[error("scan {0} is listed twice")]
    ScanTwice(ScanId),
    /// A scan was read that is not listed.
    #[error("it has read scan number {number}, where {n_scans} are listed")]
    NoSuchScan {
        /// Number of the scan.
        number: usize,
        /// Scans that are listed.
        n_scans: usize,
    },
    /// The record of a scan names another one.
    #[error("it has read scan {found} where {expected} is listed")]
    OtherScan {
        /// The scan of the record.
        found: ScanId,
        /// The scan of the list.
        expected: ScanId,
    },
    /// Scans were asked for and not read.
    #[error("it has not read {0} scans that were asked for")]
    NotRead(usize),
}

/// What stands where a data set should go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occupant {
    /// Another data set.
    Other {
        /// Its name.
        name: String,
    },
    /// The same data set, some of whose scans failed and may be readable now.
    SomeFailed,
    /// The same data set, damaged.
    Damaged {
        /// What is wrong with it.
        problem: String,
    },
    /// A data set that cannot be opened.
    Unreadable {
        /// What is wrong with it.
        problem: String,
    },
    /// Something that is no prepared data set.
    Foreign,
}

impl Occupant {
    /// Whether `overwrite` may replace it.
    pub fn is_replaceable(&self) -> bool {
        !matches!(self, Self::Foreign)
    }

    pub(super) fn advice(&self) -> &'static str {
        if self.is_replaceable() {
            "choose another folder, delete this one, or prepare it with `overwrite`"
        } else {
            "choose another folder; this one is not touched"
        }
    }
}

impl fmt::Display for Occupant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other { name } => write!(
                out,
                "the data set {name} made from another recipe, other files or by another version"
            ),
            Self::SomeFailed => out.write_str("this data set, some of whose scans failed"),
            Self::Damaged { problem } => write!(out, "this data set, damaged ({problem})"),
            Self::Unreadable { problem } => {
                write!(out, "a data set that cannot be opened ({problem})")
            }
            Self::Foreign => out.write_str("something that is no prepared data set"),
        }
    }
}
