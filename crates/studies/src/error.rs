//! Errors of a study's files: one enum for each noun, with what was found and what was expected.

mod confounds;
mod events;
mod listing;
mod manifest;
mod phenotype;
mod sidecar;

use std::path::{Path, PathBuf};

use brainmae_files::FileError;

pub use confounds::ConfoundProblem;
pub use events::EventProblem;
pub use listing::{ListingProblem, NothingFound};
pub use manifest::ManifestProblem;
pub use phenotype::PhenotypeProblem;
pub use sidecar::SidecarProblem;

/// Why the files of a study cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// A file or folder.
    #[error(transparent)]
    Files(#[from] brainmae_files::FileError),
    /// A file of a known format.
    #[error(transparent)]
    Formats(#[from] brainmae_formats::FormatError),
    /// A field of a configuration is out of its range.
    #[error("{field} is {found}, expected {expected}")]
    Config {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// A folder in which no scan, or one scan twice, was found.
    #[error("{problem}: {path:?}")]
    Listing {
        /// The folder, or the second file of a scan.
        path: PathBuf,
        /// What is wrong.
        problem: ListingProblem,
    },
    /// A manifest, or a folder that needs one.
    #[error("{}{problem}: {path:?}", at(.line))]
    Manifest {
        /// The file or folder.
        path: PathBuf,
        /// Line, from 1, where it is one line.
        line: Option<u64>,
        /// What is wrong.
        problem: ManifestProblem,
    },
    /// A table of subjects. No value and no subject stands in the message.
    #[error("{}{problem}: {path:?}", at(.line))]
    Phenotype {
        /// The file.
        path: PathBuf,
        /// Line, from 1, where it is one line.
        line: Option<u64>,
        /// What is wrong.
        problem: PhenotypeProblem,
    },
    /// A file of events.
    #[error("{}{problem}: {path:?}", at(.line))]
    Events {
        /// The file.
        path: PathBuf,
        /// Line, from 1, where it is one line.
        line: Option<u64>,
        /// What is wrong.
        problem: EventProblem,
    },
    /// A table of confounds or of censored volumes.
    #[error("{}{problem}: {path:?}", at(.line))]
    Confounds {
        /// The file; for censored volumes that are put back, the file of the signals.
        path: PathBuf,
        /// Line, from 1, where it is one line.
        line: Option<u64>,
        /// What is wrong.
        problem: ConfoundProblem,
    },
    /// A JSON sidecar.
    #[error("{problem}: {path:?}")]
    Sidecar {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: SidecarProblem,
    },
}

/// `line 3: `, or nothing where it is not one line.
fn at(line: &Option<u64>) -> String {
    line.map(|line| format!("line {line}: "))
        .unwrap_or_default()
}

impl StudyError {
    /// Wraps an I/O error with what was tried on which path.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let error = FileError::io(action, path);
        move |source| Self::Files(error(source))
    }

    /// A field of a configuration out of its range.
    pub(crate) fn config(
        field: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Config {
            field,
            found: found.to_string(),
            expected: expected.into(),
        }
    }

    /// A manifest that is wrong.
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

    /// A table of subjects that is wrong.
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

    /// A file of events that is wrong.
    pub(crate) fn events(path: &Path, line: impl Into<Option<u64>>, problem: EventProblem) -> Self {
        Self::Events {
            path: path.to_owned(),
            line: line.into(),
            problem,
        }
    }

    /// A table of confounds that is wrong.
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

    /// A sidecar that is wrong.
    pub(crate) fn sidecar(path: &Path, problem: SidecarProblem) -> Self {
        Self::Sidecar {
            path: path.to_owned(),
            problem,
        }
    }
}

#[cfg(test)]
mod tests;
