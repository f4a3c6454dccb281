//! Errors of file formats: one enum of problems per format.

use std::path::{Path, PathBuf};

use brainmae_files::FileError;

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
    /// A file or folder.
    #[error(transparent)]
    Files(#[from] FileError),
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
    /// A CIFTI-2 file.
    #[error("{problem}: {path:?}")]
    Cifti {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Box<CiftiProblem>,
    },
    /// A NIfTI file, or the NIfTI header of a CIFTI-2 file.
    #[error("{problem}: {path:?}")]
    Nifti {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: NiftiProblem,
    },
    /// A file ends before what its header announces.
    #[error(
        "the file ends too early: {found} of {expected} volumes are whole, fetch or copy it again: {path:?}"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Whole volumes there.
        found: u64,
        /// Volumes that the header announces.
        expected: u64,
    },
    /// An array of numpy.
    #[error("{problem}: {path:?}")]
    Npy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: NpyProblem,
    },
    /// A text table whose name has an ending that is not known.
    #[error(
        "its name does not tell how cells are separated, expected .tsv (tabs), .csv (commas), .1D or .txt (white space): {path:?}"
    )]
    TextEnding {
        /// The file.
        path: PathBuf,
    },
    /// A line of a text file.
    #[error("line {line}: {problem}: {path:?}")]
    Text {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: TextProblem,
    },
    /// A file of labels of vertices or voxels.
    #[error("{problem}: {path:?}")]
    Labels {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: LabelProblem,
    },
    /// A Parquet or Arrow file that does not hold signals, or not in a form that is read.
    #[cfg(feature = "columnar")]
    #[error("{problem}: {path:?}")]
    Columnar {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: ColumnarProblem,
    },
    /// A Parquet file cannot be read or written.
    #[cfg(feature = "columnar")]
    #[error("cannot read or write the signals {path:?}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What parquet said.
        #[source]
        source: Box<parquet::errors::ParquetError>,
    },
}

impl FormatError {
    /// Wraps an I/O error with what was tried on which path.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let error = FileError::io(action, path);
        move |source| Self::Files(error(source))
    }

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

    /// A header that cannot be true, or that asks for something that is not read.
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

    /// Wraps a parquet error with its file.
    #[cfg(feature = "columnar")]
    pub(crate) fn parquet(path: &Path) -> impl Fn(parquet::errors::ParquetError) -> Self + '_ {
        move |source| Self::Parquet {
            path: path.to_owned(),
            source: Box::new(source),
        }
    }
}
