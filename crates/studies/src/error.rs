//! Errors of a study's files, with one enum of problems per kind of file.

mod confounds;
mod events;
mod listing;
mod manifest;
mod phenotype;
mod sidecar;

use std::path::{Path, PathBuf};

use brainmae_files::{FileError, InvalidField};

pub use confounds::ConfoundProblem;
pub use events::EventProblem;
pub use listing::{ListingProblem, MixedTask, MixedVariants, NothingFound};
pub use manifest::ManifestProblem;
pub use phenotype::PhenotypeProblem;
pub use sidecar::SidecarProblem;

/// Why the files of a study cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// Error of a file or folder.
    #[error(transparent)]
    Files(#[from] FileError),
    /// Error of a file of a known format.
    #[error(transparent)]
    Formats(#[from] brainmae_formats::FormatError),
    /// A field of a configuration is out of its range.
    #[error(transparent)]
    Config(#[from] InvalidField),
    /// A folder contains no scan, one scan twice, or scans of a task in different variants.
    #[error("{problem}: {path:?}")]
    Listing {
        /// The folder, or the second file of a scan.
        path: PathBuf,
        /// The problem.
        problem: ListingProblem,
    },
    /// Problem of a manifest, or of a folder that needs one.
    #[error("{}{problem}: {path:?}", at(.line))]
    Manifest {
        /// The file or folder.
        path: PathBuf,
        /// Line, from 1; `None` if the problem is not in one line.
        line: Option<u64>,
        /// The problem.
        problem: ManifestProblem,
    },
    /// Problem of a table of subjects. The message contains no value and no subject.
    #[error("{}{problem}: {path:?}", at(.line))]
    Phenotype {
        /// The file.
        path: PathBuf,
        /// Line, from 1; `None` if the problem is not in one line.
        line: Option<u64>,
        /// The problem.
        problem: PhenotypeProblem,
    },
    /// Problem of a file of events.
    #[error("{}{problem}: {path:?}", at(.line))]
    Events {
        /// The file.
        path: PathBuf,
        /// Line, from 1; `None` if the problem is not in one line.
        line: Option<u64>,
        /// The problem.
        problem: EventProblem,
    },
    /// Problem of a table of confounds or of censored volumes.
    #[error("{}{problem}: {path:?}", at(.line))]
    Confounds {
        /// The file; for the reinsertion of censored volumes, the file of the signals.
        path: PathBuf,
        /// Line, from 1; `None` if the problem is not in one line.
        line: Option<u64>,
        /// The problem.
        problem: ConfoundProblem,
    },
    /// Problem of a JSON sidecar.
    #[error("{problem}: {path:?}")]
    Sidecar {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: SidecarProblem,
    },
}

/// The text `line 3: `, or an empty text without a line.
fn at(line: &Option<u64>) -> String {
    line.map(|line| format!("line {line}: "))
        .unwrap_or_default()
}

impl StudyError {
    /// An error for a manifest.
    pub(crate) fn manifest(
        path: &Path,
        line: impl Into<Option<u64>>,
        problem: ManifestProblem,
    ) -> Self {
        Self::Manifest {
            path: path.to_owned(),
            line: line.into(),
            problem,
        }
    }

    /// An error for a table of subjects.
    pub(crate) fn phenotype(
        path: &Path,
        line: impl Into<Option<u64>>,
        problem: PhenotypeProblem,
    ) -> Self {
        Self::Phenotype {
            path: path.to_owned(),
            line: line.into(),
            problem,
        }
    }

    /// An error for a file of events.
    pub(crate) fn events(path: &Path, line: impl Into<Option<u64>>, problem: EventProblem) -> Self {
        Self::Events {
            path: path.to_owned(),
            line: line.into(),
            problem,
        }
    }

    /// An error for a table of confounds.
    pub(crate) fn confounds(
        path: &Path,
        line: impl Into<Option<u64>>,
        problem: ConfoundProblem,
    ) -> Self {
        Self::Confounds {
            path: path.to_owned(),
            line: line.into(),
            problem,
        }
    }

    /// An error for a sidecar.
    pub(crate) fn sidecar(path: &Path, problem: SidecarProblem) -> Self {
        Self::Sidecar {
            path: path.to_owned(),
            problem,
        }
    }
}

#[cfg(test)]
mod tests;
