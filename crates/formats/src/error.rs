//! Errors of file formats: one enum of problems per format.

use std::path::{Path, PathBuf};

use brainmae_files::{FileError, InvalidField};

use crate::cifti::CiftiProblem;
#[cfg(feature = "columnar")]
use crate::columnar::ColumnarProblem;
use crate::label_map::LabelProblem;
use crate::nifti::{HeaderProblem, NiftiProblem};
use crate::npy::NpyProblem;
use crate::signal_table::TextProblem;

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Error of a file or folder.
    #[error(transparent)]
    Files(#[from] FileError),
    /// A field of a configuration is out of its range.
    #[error(transparent)]
    Config(#[from] InvalidField),
    /// Problem of a CIFTI-2 file.
    #[error("{problem}: {path:?}")]
    Cifti {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: Box<CiftiProblem>,
    },
    /// Problem of a NIfTI file, or of the NIfTI header of a CIFTI-2 file.
    #[error("{problem}: {path:?}")]
    Nifti {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: NiftiProblem,
    },
    /// The file is shorter than its header announces.
    #[error(
        "the file ends too early: {found} of {expected} volumes are whole, fetch or copy it again: {path:?}"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Complete volumes in the file.
        found: u64,
        /// Volumes that the header announces.
        expected: u64,
    },
    /// Problem of an `.npy` file.
    #[error("{problem}: {path:?}")]
    Npy {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: NpyProblem,
    },
    /// The file name of a text table has an unknown ending.
    #[error(
        "its name does not tell how cells are separated, expected .tsv (tabs), .csv (commas), .1D or .txt (white space): {path:?}"
    )]
    TextEnding {
        /// The file.
        path: PathBuf,
    },
    /// Problem of a line of a text file.
    #[error("line {line}: {problem}: {path:?}")]
    Text {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The problem.
        problem: TextProblem,
    },
    /// Problem of a file of labels of vertices or voxels.
    #[error("{problem}: {path:?}")]
    Labels {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: LabelProblem,
    },
    /// A Parquet or Arrow file has no signals, or has them in an unsupported form.
    #[cfg(feature = "columnar")]
    #[error("{problem}: {path:?}")]
    Columnar {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: ColumnarProblem,
    },
    /// A Parquet file cannot be read or written.
    #[cfg(feature = "columnar")]
    #[error("cannot read or write the signals {path:?}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The error of the parquet crate.
        #[source]
        source: Box<parquet::errors::ParquetError>,
    },
}

impl FormatError {
    pub(crate) fn cifti(path: &Path, problem: impl Into<CiftiProblem>) -> Self {
        Self::Cifti {
            path: path.to_owned(),
            problem: Box::new(problem.into()),
        }
    }

    pub(crate) fn nifti(path: &Path, problem: NiftiProblem) -> Self {
        Self::Nifti {
            path: path.to_owned(),
            problem,
        }
    }

    /// An error for a header that is impossible or asks for an unsupported feature.
    pub(crate) fn header(path: &Path, problem: HeaderProblem) -> Self {
        Self::nifti(path, NiftiProblem::Header(problem))
    }

    pub(crate) fn npy(path: &Path, problem: NpyProblem) -> Self {
        Self::Npy {
            path: path.to_owned(),
            problem,
        }
    }

    pub(crate) fn text(path: &Path, line: u64, problem: TextProblem) -> Self {
        Self::Text {
            path: path.to_owned(),
            line,
            problem,
        }
    }

    pub(crate) fn labels(path: &Path, problem: LabelProblem) -> Self {
        Self::Labels {
            path: path.to_owned(),
            problem,
        }
    }

    #[cfg(feature = "columnar")]
    pub(crate) fn columnar(path: &Path, problem: ColumnarProblem) -> Self {
        Self::Columnar {
            path: path.to_owned(),
            problem,
        }
    }

    /// Wraps a parquet error with its file.
    #[cfg(feature = "columnar")]
    pub(crate) fn parquet(path: &Path) -> impl Fn(parquet::errors::ParquetError) -> Self + '_ {
        move |source| Self::Parquet {
            path: path.to_owned(),
            source: Box::new(source),
        }
    }
}
