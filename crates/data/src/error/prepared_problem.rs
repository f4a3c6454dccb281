//! Problems of prepared data sets, as they are read and written.

use brainmae_files::ScanId;

/// What does not hold in a prepared data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreparedProblem {
    /// The folder is of another version of the format.
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
    /// The atlas is not sound.
    #[error("the atlas {atlas}: {problem}")]
    Atlas {
        /// Name of the atlas.
        atlas: String,
        /// What the atlas says of itself.
        problem: String,
    },
    /// The table of ROIs is not the atlas of the card.
    #[error(
        "rois.parquet ({found_rois} ROIs, hash {found_hash}) is not the atlas of dataset.toml ({expected_rois} ROIs, hash {expected_hash})"
    )]
    AtlasDiffers {
        /// ROIs in the table.
        found_rois: usize,
        /// Hash of the table's atlas.
        found_hash: String,
        /// ROIs by the card.
        expected_rois: usize,
        /// Hash by the card.
        expected_hash: String,
    },
    /// There are not as many series as scans that are used.
    #[error("bold.parquet holds {found} scans, expected {expected}")]
    ScanCount {
        /// Series in the file.
        found: usize,
        /// Scans that are used.
        expected: usize,
    },
    /// A scan has fewer volumes than may be used of it.
    #[error("bold.parquet holds {found} volumes of scan {scan}, of which {kept} may be used")]
    TooFewVolumes {
        /// The scan.
        scan: ScanId,
        /// Volumes in the file.
        found: usize,
        /// Volumes to use, by the table of scans.
        kept: usize,
    },
    /// A table has no column of this name.
    #[error("it has no column {column}")]
    NoColumn {
        /// The column.
        column: String,
    },
    /// A cell that must not be empty is empty.
    #[error("row {row} has no {column}")]
    NoValue {
        /// The column.
        column: String,
        /// The row, from 0.
        row: usize,
    },
    /// A hemisphere is none.
    #[error("the hemisphere of ROI {roi} is {found:?}, expected left or right")]
    Hemisphere {
        /// The ROI.
        roi: usize,
        /// The text found.
        found: String,
    },
    /// The status of a scan is none.
    #[error("the status of scan {scan} is {found:?}, expected included, excluded or failed")]
    Status {
        /// The scan.
        scan: ScanId,
        /// The text found.
        found: String,
    },
    /// The column of signals holds something else.
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
        /// What is wrong.
        problem: RowGroupProblem,
    },
    /// A scan cannot be added as it is.
    #[error("scan {scan} {problem}")]
    Series {
        /// The scan.
        scan: ScanId,
        /// What does not fit.
        problem: SeriesProblem,
    },
    /// A scan is there twice.
    #[error("scan {0} is there twice")]
    ScanTwice(ScanId),
    /// A subject is there twice.
    #[error("a subject is there twice")]
    SubjectTwice,
    /// A file cannot have this name.
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
    /// Names of scans are no text.
    #[error("names scans by something else than text")]
    ScanNames,
    /// It belongs to another scan.
    #[error("holds scan {found:?}, expected {expected}")]
    Scan {
        /// The name found, where there is one.
        found: Option<String>,
        /// The scan asked for.
        expected: ScanId,
    },
    /// Marks of kept volumes are no booleans.
    #[error("marks kept volumes by something else than true")]
    KeptMarks,
    /// Signals are no 32-bit numbers.
    #[error("holds no 32-bit numbers")]
    Numbers,
    /// It ends early.
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

/// Why a series does not fit its record or its data set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesProblem {
    /// The record says that the scan is left out.
    #[error("is marked as excluded but has a series")]
    Excluded,
    /// The record says that the scan is used, or does not say why it is not.
    #[error("is left out without a reason")]
    NoReason,
    /// Record and series differ in volumes to use.
    #[error("has {found} volumes to use, its record says {expected}")]
    KeptVolumes {
        /// Those of the series.
        found: usize,
        /// Those of the record.
        expected: usize,
    },
    /// The series has another interval than the data set.
    #[error("has one volume per {found} s, the data set one per {expected} s")]
    Tr {
        /// Interval of the series.
        found: f64,
        /// Interval of the data set.
        expected: f64,
    },
    /// There are constants of more or fewer ROIs.
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
    /// The scan was left out.
    #[error("it was left out, {reason}")]
    LeftOut {
        /// Why.
        reason: String,
    },
    /// There is no scan of this name.
    #[error("it has {n_scans}, the first is {first}")]
    Unknown {
        /// Scans that are used.
        n_scans: usize,
        /// One of them.
        first: ScanId,
    },
    /// No scan is used.
    #[error("it has none")]
    NoScans,
}
