//! Errors of prepared data sets and of the batches cut from them.

mod batch_problem;
mod prepared_problem;
mod recipe_problem;
mod scan_problem;
mod source_problem;
mod split_problem;

use std::path::{Path, PathBuf};

use brainmae_files::exclusion::{Exclusion, reasons};
use brainmae_files::{FileError, InvalidField, ScanId, SubjectId};
use brainmae_table::TableError;

use crate::likeness::Likeness;
pub use batch_problem::{CropProblem, LoaderProblem, StoreProblem};
pub use prepared_problem::{PreparedProblem, RowGroupProblem, ScanAbsence, SeriesProblem};
pub use recipe_problem::RecipeProblem;
pub use scan_problem::{CoverageProblem, ScanProblem};
pub use source_problem::{Occupant, SourceProblem};
pub use split_problem::{LeakOf, SplitFileProblem, SplitProblem};

/// Maximum number of exclusion reasons in one message.
const REASONS_SHOWN: usize = 5;

/// Why data could not be prepared, split or batched.
///
/// A scan that cannot be used is not an error: see [`Exclusion`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Error of a file or folder.
    #[error(transparent)]
    Files(#[from] FileError),
    /// Error of a file of a known format.
    #[error(transparent)]
    Formats(#[from] brainmae_formats::FormatError),
    /// Error of the atlas.
    #[error(transparent)]
    Atlas(#[from] brainmae_atlas::AtlasError),
    /// Error of the signals.
    #[error(transparent)]
    Signals(#[from] brainmae_signals::SignalError),
    /// Error of the study's files.
    #[error(transparent)]
    Studies(#[from] brainmae_studies::StudyError),
    /// The caller asked to stop.
    #[error("stopped as asked: finished scans are kept, and the same call goes on from there")]
    Interrupted,
    /// A raw source violates the contract of [`RawSource`](crate::pipeline::RawSource).
    #[error("the raw source of {name} is wrong: {problem}")]
    Source {
        /// Name of the data set.
        name: String,
        /// The violation.
        problem: SourceProblem,
    },
    /// An error of a raw source outside this crate.
    #[error(transparent)]
    Outside(Box<dyn std::error::Error + Send + Sync>),
    /// A file named in a recipe does not fit the recipe or another file.
    #[error("{problem}: {path:?}")]
    Recipe {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: RecipeProblem,
    },
    /// A TOML file is not valid.
    #[error("{path:?}{}: {message}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Line, from 1, if it is known.
        line: Option<usize>,
        /// The problem, with the key and the allowed values.
        message: String,
    },
    /// A field of a configuration is out of its range.
    #[error(transparent)]
    Config(#[from] InvalidField),
    /// The signals of a scan cannot be used.
    #[error("{problem}: {path:?}")]
    Scan {
        /// The file of the signals.
        path: PathBuf,
        /// The problem, with advice.
        problem: ScanProblem,
    },
    /// A coverage table cannot be used.
    #[error("{problem}: {path:?}")]
    Coverage {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: CoverageProblem,
    },
    /// Every scan was excluded.
    #[error("no usable scan is left of {name}: {}", list(.exclusions))]
    NothingLeft {
        /// Name of the data set.
        name: String,
        /// Every scan with its reason.
        exclusions: Vec<Exclusion>,
    },
    /// The folder for a data set contains something else.
    #[error("{path:?} holds {by}: {}", .by.advice())]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// Its content.
        by: Occupant,
    },
    /// A prepared folder does not follow its format.
    #[error("not a prepared data set of this version: {problem}: {path:?}")]
    Prepared {
        /// The file or folder.
        path: PathBuf,
        /// The problem.
        problem: PreparedProblem,
    },
    /// A table cannot be read or written.
    #[error("cannot read or write the table {path:?}")]
    Table {
        /// The parquet file.
        path: PathBuf,
        /// The error of the table.
        #[source]
        source: Box<TableError>,
    },
    /// A signal file cannot be read or written.
    #[error("cannot read or write the signals {path:?}")]
    Parquet {
        /// The parquet file.
        path: PathBuf,
        /// The error of the parquet crate.
        #[source]
        source: Box<parquet::errors::ParquetError>,
    },
    /// A series does not have the number of ROIs of the data set.
    #[error("a series has {found} ROIs where the atlas has {expected}: {path:?}")]
    RoiCount {
        /// The file of the series.
        path: PathBuf,
        /// ROIs of the series.
        found: usize,
        /// ROIs of the atlas.
        expected: usize,
    },
    /// A scan is not in the data set, or was excluded.
    #[error("the data set {dataset} has no usable scan {scan}: {absence}")]
    UnknownScan {
        /// Name of the data set.
        dataset: String,
        /// The requested scan.
        scan: ScanId,
        /// The reason.
        absence: ScanAbsence,
    },
    /// The scans do not fit into one store.
    #[error("not a store of scans: {0}")]
    Store(StoreProblem),
    /// A crop lies outside its scan or store.
    #[error("crop from volume {start_volume} of scan number {scan}: {problem}")]
    Crop {
        /// Index into the store.
        scan: usize,
        /// First volume.
        start_volume: usize,
        /// The problem.
        problem: CropProblem,
    },
    /// A batch was made for another number of ROIs.
    #[error("the scans have {found} ROIs, the batch is for {expected}")]
    BatchRois {
        /// ROIs of the scans.
        found: usize,
        /// ROIs of the batch.
        expected: usize,
    },
    /// Batches cannot be made.
    #[error("cannot load batches: {0}")]
    Loader(LoaderProblem),
    /// A split cannot be drawn, or does not fit its data set.
    #[error("cannot split: {0}")]
    Split(SplitProblem),
    /// A file of splits cannot be used.
    #[error("{problem}: {path:?}")]
    SplitFile {
        /// The file.
        path: PathBuf,
        /// The problem, with advice.
        problem: SplitFileProblem,
    },
    /// A subject, family or scan is in two sets of a split.
    #[error("{who} is in two sets of the split, in {first} and in {second}: draw the split again")]
    Leak {
        /// The subject, family or scan.
        who: LeakOf,
        /// One set.
        first: &'static str,
        /// The other set.
        second: &'static str,
    },
    /// One signal is in two sets of a split, under two names.
    #[error(
        "scan {first} in {first_set} and scan {second} in {second_set} hold the same signal ({likeness}): leave one of them out, or give their subjects one family if they are one person"
    )]
    SharedSignal {
        /// One scan.
        first: ScanId,
        /// Its set.
        first_set: &'static str,
        /// The other scan.
        second: ScanId,
        /// Its set.
        second_set: &'static str,
        /// Similarity of the two scans.
        likeness: Box<Likeness>,
    },
    /// The subject of a scan is in no table of subjects.
    #[error("scan {scan} belongs to subject {subject}, who is not in the table of subjects")]
    UnknownSubject {
        /// The scan.
        scan: ScanId,
        /// Its subject.
        subject: SubjectId,
    },
}

impl DataError {
    /// Whether the caller asked to stop, so that there is no failure.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Interrupted)
    }

    /// Wraps an error of a raw source outside this crate.
    pub fn outside(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Outside(error.into())
    }

    /// An error for a scan whose signals cannot be used.
    pub(crate) fn scan(path: &Path, problem: ScanProblem) -> Self {
        Self::Scan {
            path: path.to_owned(),
            problem,
        }
    }

    /// An error for a file of a recipe.
    pub(crate) fn recipe(path: &Path, problem: RecipeProblem) -> Self {
        Self::Recipe {
            path: path.to_owned(),
            problem,
        }
    }

    /// An error for a prepared folder that does not follow its format.
    pub(crate) fn prepared(path: &Path, problem: PreparedProblem) -> Self {
        Self::Prepared {
            path: path.to_owned(),
            problem,
        }
    }

    /// Wraps an error of a table with its path. Missing columns and values are problems of the
    /// prepared data set.
    pub(crate) fn table(path: &Path) -> impl Fn(TableError) -> Self + '_ {
        move |error| match error {
            TableError::Files(error) => error.into(),
            TableError::MissingColumn { column, .. } => {
                Self::prepared(path, PreparedProblem::NoColumn { column })
            }
            TableError::Null { column, row } => {
                Self::prepared(path, PreparedProblem::NoValue { column, row })
            }
            source => Self::Table {
                path: path.to_owned(),
                source: Box::new(source),
            },
        }
    }

    /// Wraps a parquet error with its file.
    pub(crate) fn parquet(path: &Path) -> impl Fn(parquet::errors::ParquetError) -> Self + '_ {
        move |source| Self::Parquet {
            path: path.to_owned(),
            source: Box::new(source),
        }
    }

    /// Wraps a TOML error with its file and line.
    pub(crate) fn toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1);
        Self::Toml {
            path: path.to_owned(),
            line,
            message: error.message().to_owned(),
        }
    }
}

fn list(exclusions: &[Exclusion]) -> String {
    let reasons = reasons(exclusions);
    let left = reasons.len().saturating_sub(REASONS_SHOWN);
    let mut lines: Vec<String> = (reasons.iter().take(REASONS_SHOWN))
        .map(|(reason, count)| match count {
            1 => format!("1 scan: {reason}"),
            _ => format!("{count} scans: {reason}"),
        })
        .collect();
    if left > 0 {
        lines.push(format!("and {left} more reasons"));
    }
    lines.join("; ")
}

#[cfg(test)]
mod tests;
