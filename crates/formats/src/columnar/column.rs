//! Names of the columns of Parquet and Arrow files.

/// The name of the scan that a row belongs to.
pub const SCAN: &str = "scan";
/// The number of a volume in its scan.
pub const VOLUME: &str = "volume";
/// Time of a volume in seconds from the start of its scan.
pub const TIME: &str = "time_secs";
/// The ROI of a row of the long form.
pub const ROI: &str = "roi";
/// The number in a row of the long form; [`BOLD`] is allowed as its name as well.
pub const VALUE: &str = "value";
/// The signals of all ROIs in the list form.
pub const BOLD: &str = "bold";
/// Whether a volume may be used.
pub const KEPT: &str = "kept";
