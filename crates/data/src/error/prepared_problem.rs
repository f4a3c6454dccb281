//! Problems in reading and writing prepared data sets.

use brainmae_files::ScanId;

/// Why a prepared data set is not valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreparedProblem {
    /// The folder has another version of the format.
    #[error("its format is {found}, expected {expected}: prepare it again")]
    Format {
        /// The version found.
        found: u32,
        /// The version of this crate.
        expected: u32,
    },
    /// The card cannot be written as TOML.
    #[error("the card cannot be written: {0}")]
    Card(toml::ser::Error),
    /// The atlas is not valid.
    #[error("the atlas {atlas}: {problem}")]
    Atlas {
        /// Name of the atlas.
        atlas: String,
        /// The problem of the atlas.
        problem: String,
    },
    /// The table of ROIs does not match the atlas of the card.
    #[error(
        "rois.parquet ({found_rois} ROIs, hash {found_hash}) is not the atlas of dataset.toml ({expected_rois} ROIs, hash {expected_hash})"
    )]
    AtlasDiffers {
        /// Number of ROIs in the table.
        found_rois: usize,
        /// Hash of the atlas in the table.
        found_hash: String,
        /// Number of ROIs in the card.
        expected_rois: usize,
        /// Hash in the card.
        expected_hash: String,
    },
    /// The number of series is not the number of used scans.
    #[error("bold.parquet holds {found} scans, expected {expected}")]
    ScanCount {
        /// Number of series in the file.
        found: usize,
        /// Number of used scans.
        expected: usize,
    },
    /// A scan has fewer volumes than its uncensored ones.
    #[error("bold.parquet holds {found} volumes of scan {scan}, of which {kept} may be used")]
    TooFewVolumes {
        /// The scan.
        scan: ScanId,
        /// Volumes in the file.
        found: usize,
        /// Uncensored volumes, from the table of scans.
        kept: usize,
    },
    /// A table has no column of this name.
    #[error("it has no column {column}")]
    NoColumn {
        /// The column.
        column: String,
    },
    /// A required cell is empty.
    #[error("row {row} has no {column}")]
    NoValue {
        /// The column.
        column: String,
        /// The row, from 0.
        row: usize,
    },
    /// A text is not a hemisphere.
    #[error("the hemisphere of ROI {roi} is {found:?}, expected left or right")]
    Hemisphere {
        /// The ROI.
        roi: usize,
        /// The text found.
        found: String,
    },
    /// A text is not a status of a scan.
    #[error("the status of scan {scan} is {found:?}, expected included, excluded or failed")]
    Status {
        /// The scan.
        scan: ScanId,
        /// The text found.
        found: String,
    },
    /// The column of signals has another type.
    #[error("its column bold is {found}, expected lists of {n_rois} 32-bit numbers")]
    BoldColumn {
        /// Type of the column.
        found: String,
        /// ROIs of the atlas.
        n_rois: usize,
    },
    /// A row group of the signals cannot be used.
    #[error("row group {group} {problem}")]
    RowGroup {
        /// The row group.
        group: usize,
        /// The problem.
        problem: RowGroupProblem,
    },
    /// A scan cannot be added.
    #[error("scan {scan} {problem}")]
    Series {
        /// The scan.
        scan: ScanId,
        /// The problem.
        problem: SeriesProblem,
    },
    /// A scan occurs twice.
    #[error("scan {0} is there twice")]
    ScanTwice(ScanId),
    /// A subject occurs twice.
    #[error("a subject is there twice")]
    SubjectTwice,
    /// The file name is not allowed.
    #[error("a file cannot be added as {0:?}")]
    FileName(String),
}

/// Why a row group is not the series of a scan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowGroupProblem {
    /// A column is missing.
    #[error("has no column {0}")]
    NoColumn(&'static str),
    /// The scan names are not text.
    #[error("names scans by something else than text")]
    ScanNames,
    /// The row group belongs to another scan.
    #[error("holds scan {found:?}, expected {expected}")]
    Scan {
        /// The name found, if there is one.
        found: Option<String>,
        /// The requested scan.
        expected: ScanId,
    },
    /// The marks of uncensored volumes are not booleans.
    #[error("marks kept volumes by something else than true")]
    KeptMarks,
    /// The signals are not 32-bit numbers.
    #[error("holds no 32-bit numbers")]
    Numbers,
    /// The row group ends early.
    #[error("holds {found} volumes of scan {scan}, expected {expected}")]
    Volumes {
        /// The scan.
        scan: ScanId,
        /// Volumes read.
        found: usize,
        /// Volumes announced.
        expected: usize,
    },
}

/// Why a series does not match its record or its data set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesProblem {
    /// The record says that the scan is excluded.
    #[error("is marked as excluded but has a series")]
    Excluded,
    /// The record says that the scan is used, or gives no reason for its exclusion.
    #[error("is left out without a reason")]
    NoReason,
    /// Record and series have different numbers of uncensored volumes.
    #[error("has {found} volumes to use, its record says {expected}")]
    KeptVolumes {
        /// Uncensored volumes of the series.
        found: usize,
        /// Uncensored volumes of the record.
        expected: usize,
    },
    /// The series has another interval between volumes than the data set.
    #[error("has one volume per {found} s, the data set one per {expected} s")]
    Tr {
        /// Seconds, of the series.
        found: f64,
        /// Seconds, of the data set.
        expected: f64,
    },
    /// The number of constants is not the number of ROIs.
    #[error("has the constants of {found} ROIs, the atlas has {expected}")]
    Constants {
        /// ROIs with constants.
        found: usize,
        /// ROIs of the atlas.
        expected: usize,
    },
    /// An event belongs to another scan.
    #[error("has an event of scan {0}")]
    EventOf(ScanId),
}

/// Why a data set has no signals of a scan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanAbsence {
    /// The scan was excluded.
    #[error("it was left out, {reason}")]
    LeftOut {
        /// The reason.
        reason: String,
    },
    /// No scan has this name.
    #[error("it has {n_scans}, the first is {first}")]
    Unknown {
        /// Number of used scans.
        n_scans: usize,
        /// The first of them.
        first: ScanId,
    },
    /// No scan is used.
    #[error("it has none")]
    NoScans,
}
