//! Problems of raw sources, and of the folder for a data set.

use std::fmt;

use brainmae_files::ScanId;

/// A violation of the contract of a raw source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceProblem {
    /// Two scans have the same name.
    #[error("scan {0} is listed twice")]
    ScanTwice(ScanId),
    /// A scan was read that is not in the list.
    #[error("it has read scan number {number}, where {n_scans} are listed")]
    NoSuchScan {
        /// Index of the scan.
        number: usize,
        /// Number of scans in the list.
        n_scans: usize,
    },
    /// The record of a scan has the name of another scan.
    #[error("it has read scan {found} where {expected} is listed")]
    OtherScan {
        /// The scan of the record.
        found: ScanId,
        /// The scan of the list.
        expected: ScanId,
    },
    /// Requested scans were not read; the number of them.
    #[error("it has not read {0} scans that were asked for")]
    NotRead(usize),
}

/// Content of the folder for a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occupant {
    /// Another data set.
    Other {
        /// Name of that data set.
        name: String,
    },
    /// The same data set, in which some scans failed and may be readable now.
    SomeFailed,
    /// The same data set, damaged.
    Damaged {
        /// The problem.
        problem: String,
    },
    /// A data set that cannot be opened.
    Unreadable {
        /// The problem.
        problem: String,
    },
    /// Something other than a prepared data set.
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
