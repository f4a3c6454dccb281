//! Problems of Parquet and Arrow files.

use arrow_schema::{ArrowError, DataType};

use super::column::{KEPT, SCAN, TIME, VOLUME};

/// Why a Parquet or Arrow file cannot be read as signals.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnarProblem {
    /// A file of another format.
    #[error("it is neither a Parquet nor an Arrow IPC file")]
    NotColumnar,
    /// The first version of Feather.
    #[error("it is a Feather file of version 1: write it again, in version 2")]
    FeatherVersion1,
    /// Two columns have the same name.
    #[error("two of its columns are called {name:?}")]
    RepeatedColumn {
        /// The name.
        name: String,
    },
    /// The decoder panicked at the pages of a Parquet file.
    #[error("its pages are damaged so that they cannot be decoded: fetch or write it again")]
    DamagedPages,
    /// The bytes are not valid in their format.
    #[error("it is damaged or not supported ({0})")]
    Damaged(Box<ArrowError>),
    /// The number of rows is impossible.
    #[error(
        "row group {group} claims {rows} rows in a file of {file_bytes} bytes: fetch or write it \
         again"
    )]
    RowGroupRows {
        /// The row group, from 0.
        group: usize,
        /// Rows that it claims.
        rows: i64,
        /// Bytes of the file.
        file_bytes: u64,
    },
    /// The position of a row group is impossible.
    #[error(
        "row group {group} claims {bytes} bytes from byte {start} on of a file of {file_bytes}: \
         fetch or write it again"
    )]
    RowGroupBytes {
        /// The row group, from 0.
        group: usize,
        /// Bytes that it claims.
        bytes: i64,
        /// First byte of the row group.
        start: i64,
        /// Bytes of the file.
        file_bytes: u64,
    },
    /// The compression is not supported.
    #[error("it is compressed by {found}, expected snappy, gzip, zstd or nothing: write it again")]
    Compression {
        /// Name of the compression.
        found: String,
    },
    /// An Arrow file without an end.
    #[error("its footer is missing: fetch or write it again")]
    NoFooter,
    /// An Arrow file of the other byte order.
    #[error("it was written on a machine of the other byte order: write it as Parquet")]
    ByteOrder,
    /// The position of a block of an Arrow file is impossible.
    #[error(
        "a block claims {metadata} + {body} bytes from byte {start} on of a file of {file_bytes}: \
         fetch or write it again"
    )]
    BlockBytes {
        /// Bytes of its message.
        metadata: i32,
        /// Bytes of its rows.
        body: i64,
        /// First byte of the block.
        start: i64,
        /// Bytes of the file.
        file_bytes: u64,
    },
    /// A block of an Arrow file that cannot be decoded.
    #[error("the block at byte {start} {problem}: fetch or write it again")]
    Block {
        /// First byte of the block.
        start: i64,
        /// The problem of the block.
        problem: BlockProblem,
    },
    /// An Arrow file with compressed blocks.
    #[error(
        "its blocks are compressed, which is not supported in Arrow files: write it uncompressed, \
         or as Parquet"
    )]
    CompressedBlocks,
    /// The layout of a column of an Arrow file is not known.
    #[error("its column {name:?} is {found}, which is not read from Arrow files: leave it out")]
    Layout {
        /// The column.
        name: String,
        /// Its type.
        found: DataType,
    },
    /// Another program changed the file.
    #[error("it became shorter while it was read")]
    Shrank,
    /// A scan is requested by name, but the file has no scan names.
    #[error("it has no column {SCAN:?} to find scan {scan:?} in")]
    NoScanColumn {
        /// The scan.
        scan: String,
    },
    /// The file has several scans, but none is requested.
    #[error("it holds scan {first:?}, {second:?} and perhaps more: name the one to read")]
    SeveralScans {
        /// The first scan.
        first: String,
        /// Another one.
        second: String,
    },
    /// The requested scan does not exist.
    #[error("it has no scan {scan:?}, only {}", .found.join(", "))]
    NoScan {
        /// The scan.
        scan: String,
        /// The first scans of the file.
        found: Vec<String>,
    },
    /// A file without rows.
    #[error("it holds no row")]
    NoRow,
    /// A file without values.
    #[error("it holds no value")]
    NoValue,
    /// A row without the name of its scan.
    #[error("row {row} has no {SCAN}")]
    RowWithoutScan {
        /// The row, from 0.
        row: usize,
    },
    /// The column of scan names holds neither text nor whole numbers.
    #[error("its column {SCAN} is {found}, expected text or whole numbers")]
    ScanType {
        /// Its type.
        found: DataType,
    },
    /// No column holds signals.
    #[error("it has no column of signals")]
    NoSignals,
    /// The column `kept` does not hold booleans.
    #[error("its column {KEPT} is {found}, expected true and false")]
    KeptType {
        /// Its type.
        found: DataType,
    },
    /// A column of the wide form, which may be an ROI, holds no numbers.
    #[error(
        "its column {name:?} is {found}, expected numbers, one column per ROI beside {SCAN}, \
         {VOLUME}, {TIME} and {KEPT}: leave it out"
    )]
    RoiType {
        /// The column.
        name: String,
        /// Its type.
        found: DataType,
    },
    /// A column that must hold numbers holds something else.
    #[error("its column {name} is {found}, expected numbers")]
    NumberType {
        /// The column.
        name: &'static str,
        /// Its type.
        found: DataType,
    },
    /// The column `roi` holds neither names nor numbers.
    #[error("its column {name} holds neither names nor numbers")]
    NameType {
        /// The column.
        name: &'static str,
    },
    /// A column is missing in a block.
    #[error("it has no column {name}")]
    NoColumn {
        /// The column.
        name: &'static str,
    },
    /// The file has more rows or values than any scan.
    #[error("one scan has more than {most} {what}")]
    TooMany {
        /// The kind of object that is too numerous.
        what: &'static str,
        /// The maximum.
        most: usize,
    },
    /// A volume number is not among the expected ones.
    #[error(
        "one of its {n_volumes} volumes has the number {found}, expected each from {first} to {}",
        .first + *.n_volumes as f64 - 1.0
    )]
    VolumeNumber {
        /// Volumes of the scan.
        n_volumes: usize,
        /// The number.
        found: f64,
        /// The number of the first volume.
        first: f64,
    },
    /// Two rows of the wide form have the same volume number.
    #[error("two rows are volume {number}")]
    RepeatedVolume {
        /// The volume number.
        number: f64,
    },
    /// The column `volume` does not number the volumes.
    #[error("its column {VOLUME} holds no numbers")]
    NoVolumeNumbers,
    /// A row of the long form without an ROI.
    #[error("a row names no ROI")]
    RowWithoutRoi,
    /// A number of a volume or an ROI is not valid.
    #[error("a row has the {what} {found}, expected a whole number from 0 or 1 on")]
    RowNumber {
        /// The column.
        what: &'static str,
        /// The number.
        found: f64,
    },
    /// Nearly all values of a long form are missing.
    #[error("it has {values} values for {volumes} volumes of {rois} ROIs, far too few")]
    TooFew {
        /// Values.
        values: usize,
        /// Volumes.
        volumes: usize,
        /// ROIs.
        rois: usize,
    },
    /// Two rows of the long form have the same volume and ROI.
    #[error("two rows are for volume {volume} and ROI {roi}")]
    RepeatedRow {
        /// The volume.
        volume: u32,
        /// The ROI.
        roi: u32,
    },
    /// A gap in the numbers of volumes or ROIs.
    #[error("there is no {what} {missing}, but there is a {what} {last}")]
    Gap {
        /// The column.
        what: &'static str,
        /// The number that is missing.
        missing: u32,
        /// The largest number.
        last: u32,
    },
}

/// Problem of a block of an Arrow file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockProblem {
    /// The length of the block is impossible.
    #[error("has an impossible length")]
    Length,
    /// The block does not start with a message.
    #[error("starts with no message")]
    NoMessage,
    /// The message of the block does not describe rows.
    #[error("holds no rows")]
    NoRows,
    /// The buffers are shorter than the columns.
    #[error("does not hold what its columns need")]
    TooShort,
}
