//! Problems of a manifest.

/// Why a manifest, or a folder without one, cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestProblem {
    /// There are two manifests.
    #[error("there are manifest.tsv and manifest.csv: keep one")]
    TwoFiles,
    /// Without a manifest, signals are of several kinds.
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
        /// Those there are.
        found: Vec<String>,
        /// The columns of a manifest.
        columns: &'static [&'static str],
    },
    /// Several columns have one name.
    #[error("{times} columns have the name {column:?}")]
    ColumnTwice {
        /// The column.
        column: &'static str,
        /// How often it is there.
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
    /// A row that is no text of a table.
    #[error("{reason}")]
    Unreadable {
        /// What the reader of tables says.
        reason: String,
    },
    /// A needed cell is empty.
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
    /// The interval between volumes is no number above zero.
    #[error("tr_secs is {found:?}, expected a number of seconds above zero")]
    Tr {
        /// The cell.
        found: String,
    },
    /// The number of a volume is none.
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
    /// Only one end of a part is given.
    #[error("first_volume and last_volume are needed both, or neither for the whole file")]
    OneVolume,
    /// The name of the signals tells no format.
    #[error(
        "{file:?} has no ending of a signal file: .tsv .csv .1D .txt .npy .parquet .arrow \
         .feather .dtseries.nii .ptseries.nii .nii .nii.gz"
    )]
    SignalEnding {
        /// The cell `path`.
        file: String,
    },
    /// A label volume for signals that are no volumes.
    #[error("labels are for signals in a NIfTI image, .nii or .nii.gz")]
    LabelsWithoutImage,
    /// A key of rows for a file that has none.
    #[error("scan_key is for .parquet, .arrow and .feather files")]
    KeyWithoutTable,
    /// Confounds of an unknown kind.
    #[error(
        "confounds are Movement_Regressors*.txt as of HCP (mm and degrees), or a .tsv with \
         the column names of fMRIPrep (mm and radians): without names, units are not known"
    )]
    ConfoundKind,
    /// Events of an unknown kind.
    #[error("events are a folder of EV files, a design_session*.tsv or an _events.tsv")]
    EventKind,
    /// One scan on two lines. The id may hold that of a subject and is not repeated.
    #[error("the scan is on line {first_line} too: tell them apart in the column scan")]
    ScanTwice {
        /// The other line.
        first_line: u64,
    },
    /// Two scans with the same volumes of a file.
    #[error(
        "line {other_line} has volumes of the same file: tell them apart with first_volume \
         and last_volume, or with scan_key in a parquet or Arrow file"
    )]
    SharedVolumes {
        /// The other line.
        other_line: u64,
    },
}
