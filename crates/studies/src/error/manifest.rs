//! Problems of a manifest.

/// Why a manifest, or a folder without one, cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestProblem {
    /// There are two manifests.
    #[error("there are manifest.tsv and manifest.csv: keep one")]
    TwoFiles,
    /// There is no manifest, and the signal files are of several kinds.
    #[error(
        "there are signal files of several kinds ({}): say which to use in a manifest.tsv \
         with the columns {}, or with `variant`, a part of their names",
        .kinds.join(", "), .columns.join(", ")
    )]
    SeveralKinds {
        /// The kinds.
        kinds: Vec<&'static str>,
        /// The columns of a manifest.
        columns: &'static [&'static str],
    },
    /// A needed column is missing.
    #[error(
        "there is no column {column:?}, only {}: the columns of a manifest are {}",
        .found.join(", "), .columns.join(", ")
    )]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// The existing columns.
        found: Vec<String>,
        /// The columns of a manifest.
        columns: &'static [&'static str],
    },
    /// Several columns have the same name.
    #[error("{times} columns have the name {column:?}")]
    ColumnTwice {
        /// The column.
        column: &'static str,
        /// The number of columns with this name.
        times: usize,
    },
    /// A row has another number of cells than the header.
    #[error("{found} cells, expected {expected} as in the header")]
    Cells {
        /// Cells in the row.
        found: u64,
        /// Cells in the header.
        expected: u64,
    },
    /// A row cannot be parsed.
    #[error("{reason}")]
    Unreadable {
        /// The error of the csv crate.
        reason: String,
    },
    /// A required cell is empty.
    #[error("there is nothing in column {column:?}")]
    EmptyCell {
        /// The column.
        column: &'static str,
    },
    /// The interval between volumes looks like milliseconds.
    #[error("tr_secs is {found}, which looks like milliseconds, expected seconds")]
    TrInMilliseconds {
        /// The cell.
        found: String,
    },
    /// The interval between volumes is not a number above zero.
    #[error("tr_secs is {found:?}, expected a number of seconds above zero")]
    Tr {
        /// The cell.
        found: String,
    },
    /// The number of a volume is not valid.
    #[error("{column} is no whole number from 0")]
    Volume {
        /// The column.
        column: &'static str,
    },
    /// The last volume lies before the first.
    #[error(
        "first_volume is {first} and last_volume {last}, expected the last not before the first"
    )]
    VolumesBackwards {
        /// The first volume.
        first: usize,
        /// The last volume.
        last: usize,
    },
    /// Only one of the first and the last volume is given.
    #[error("first_volume and last_volume are needed both, or neither for the whole file")]
    OneVolume,
    /// The file name of the signals has no known extension.
    #[error(
        "{file:?} has no ending of a signal file: .tsv .csv .1D .txt .npy .parquet .arrow \
         .feather .dtseries.nii .ptseries.nii .nii .nii.gz"
    )]
    SignalEnding {
        /// The cell `path`.
        file: String,
    },
    /// A label volume is given, but the signals are not in an image.
    #[error("labels are for signals in a NIfTI image, .nii or .nii.gz")]
    LabelsWithoutImage,
    /// A row key is given, but the file has no rows.
    #[error("scan_key is for .parquet, .arrow and .feather files")]
    KeyWithoutTable,
    /// The kind of the confounds is not known.
    #[error(
        "confounds are Movement_Regressors*.txt as of HCP (mm and degrees), or a .tsv with \
         the column names of fMRIPrep (mm and radians): without names, units are not known"
    )]
    ConfoundKind,
    /// The kind of the events is not known.
    #[error("events are a folder of EV files, a design_session*.tsv or an _events.tsv")]
    EventKind,
    /// One scan has two lines. Its id is not repeated, because it may contain a subject.
    #[error("the scan is on line {first_line} too: tell them apart in the column scan")]
    ScanTwice {
        /// The other line.
        first_line: u64,
    },
    /// Two scans have the same volumes of a file.
    #[error(
        "line {other_line} has volumes of the same file: tell them apart with first_volume \
         and last_volume, or with scan_key in a parquet or Arrow file"
    )]
    SharedVolumes {
        /// The other line.
        other_line: u64,
    },
}
