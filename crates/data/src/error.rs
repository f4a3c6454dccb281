//! Errors of prepared data sets and of what is cut from them.

use std::path::{Path, PathBuf};

use brainmae_files::exclusion::{Exclusion, reasons};
use brainmae_files::{FileError, ScanId, SubjectId};

/// Reasons for exclusion that one message lists.
const REASONS_SHOWN: usize = 5;

/// Why data could not be prepared, split or batched.
///
/// A scan that cannot be used is not an error: see [`Exclusion`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder.
    #[error(transparent)]
    Files(#[from] brainmae_files::FileError),
    /// A file of a known format.
    #[error(transparent)]
    Formats(#[from] brainmae_formats::FormatError),
    /// The atlas.
    #[error(transparent)]
    Atlas(#[from] brainmae_atlas::AtlasError),
    /// The signals.
    #[error(transparent)]
    Signals(#[from] brainmae_signals::SignalError),
    /// The study's own files.
    #[error(transparent)]
    Studies(#[from] brainmae_studies::StudyError),
    /// A file has no checksum in the recipe.
    #[error("the recipe {recipe:?} uses {file} without its sha256: add it to [files]")]
    ChecksumMissing {
        /// The recipe.
        recipe: PathBuf,
        /// File, relative to the recipe.
        file: String,
    },
    /// A TOML file does not say what it should.
    #[error("{path:?}{}: {message}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Where in it, from 1.
        line: Option<usize>,
        /// What is wrong, naming the key and what is allowed.
        message: String,
    },
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
    /// A file whose content cannot be used; the message says found, expected and what to do.
    #[error("{problem}: {path:?}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with what was found, expected, and what to do.
        problem: String,
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
    /// A mask that does not lie on the voxels of the scan.
    #[error(
        "the mask {mask:?} is {found:?} voxels where the volumes of {path:?} are {expected:?}: resample the mask to the grid of the scan"
    )]
    MaskShape {
        /// The mask file.
        mask: PathBuf,
        /// Its shape.
        found: Vec<u64>,
        /// The shape of a volume.
        expected: Vec<u64>,
        /// The file of the volumes.
        path: PathBuf,
    },
    /// One label per volume is needed.
    #[error(
        "{found} labels for the {expected} volumes of {bold:?}, one line per volume is needed: {path:?}"
    )]
    LabelCount {
        /// The label file.
        path: PathBuf,
        /// Lines in it.
        found: usize,
        /// Volumes in the images.
        expected: usize,
        /// The images.
        bold: PathBuf,
    },
    /// A line of a text table that cannot be understood.
    #[error("line {line}: {problem}: {path:?}")]
    TextTable {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong, with the value found.
        problem: String,
    },
    /// Two atlases are not the same.
    #[error("atlas {found} where {expected} is needed: {difference}")]
    AtlasMismatch {
        /// The atlas met.
        found: String,
        /// The atlas wanted.
        expected: String,
        /// The first difference, with both names.
        difference: String,
    },
    /// Values that are not a series of ROI signals.
    #[error("not a BOLD series: {problem}")]
    BoldSeries {
        /// What did not hold.
        problem: String,
    },
    /// Every scan was left out.
    #[error("no usable scan is left of {name}: {}", list(.exclusions))]
    NothingLeft {
        /// The data set.
        name: String,
        /// Every scan and why.
        exclusions: Vec<Exclusion>,
    },
    /// Another data set stands where this one should go.
    #[error("{path:?} holds {found}: {advice}")]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What is there.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// A prepared folder that does not keep its format.
    #[error("not a prepared data set of this version: {problem}: {path:?}")]
    Prepared {
        /// The file or folder.
        path: PathBuf,
        /// What did not hold.
        problem: String,
    },
    /// A table cannot be read or written.
    #[error("cannot read or write the table {path:?}")]
    Table {
        /// The parquet file.
        path: PathBuf,
        /// What polars said.
        #[source]
        source: Box<polars::error::PolarsError>,
    },
    /// A signal file cannot be read or written.
    #[error("cannot read or write the signals {path:?}")]
    Parquet {
        /// The parquet file.
        path: PathBuf,
        /// What parquet said.
        #[source]
        source: Box<parquet::errors::ParquetError>,
    },
    /// A scan that the data set does not have, or has left out.
    #[error("the data set {dataset} has no usable scan {scan}: {known}")]
    UnknownScan {
        /// The data set.
        dataset: String,
        /// The scan asked for.
        scan: ScanId,
        /// Why, or which scans there are.
        known: String,
    },
    /// A crop that lies outside its scan or store.
    #[error("crop from volume {start_volume} of scan number {scan}: {problem}")]
    Crop {
        /// Index into the store.
        scan: usize,
        /// First volume.
        start_volume: usize,
        /// What did not hold.
        problem: String,
    },
    /// Batches cannot be made.
    #[error("cannot load batches: {problem}")]
    Loader {
        /// What went wrong.
        problem: String,
    },
    /// A split that cannot be drawn.
    #[error("cannot split: {problem}")]
    Split {
        /// What did not hold and what to do.
        problem: String,
    },
    /// Somebody stands on two sides of a split.
    #[error(
        "{who} is on both sides of the split, in {first} and in {second}: draw the split again"
    )]
    Leak {
        /// The subject, family or scan.
        who: String,
        /// One side.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// One signal stands on two sides of a split, under two names.
    #[error(
        "scan {first} in {first_side} and scan {second} in {second_side} hold the same signal ({how}): leave one of them out, or give their subjects one family if they are one person"
    )]
    SharedSignal {
        /// One scan.
        first: ScanId,
        /// Its side.
        first_side: &'static str,
        /// The other scan.
        second: ScanId,
        /// Its side.
        second_side: &'static str,
        /// How alike they are.
        how: String,
    },
    /// A subject of a scan is in no table of subjects.
    #[error("scan {scan} belongs to subject {subject}, who is not in the table of subjects")]
    UnknownSubject {
        /// The scan.
        scan: ScanId,
        /// Its subject.
        subject: SubjectId,
    },
}

impl DataError {
    /// Wraps an I/O error with what was tried on which path.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let error = FileError::io(action, path);
        move |source| Self::Files(error(source))
    }

    /// A file whose content cannot be used.
    pub(crate) fn file(path: &Path, problem: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    /// Wraps a polars error with its table.
    pub(crate) fn table(path: &Path) -> impl Fn(polars::error::PolarsError) -> Self + '_ {
        move |source| Self::Table {
            path: path.to_owned(),
            source: Box::new(source),
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

    /// A configuration value out of its range.
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
