//! Raw sources: the interface between raw data of any kind and the pipeline.

use rand::Rng;

use super::{CleanedScan, KeptScans, OnProgress};
use crate::error::DataError;
use crate::prepared::{DatasetHeader, PreparedWriter};
use brainmae_atlas::Atlas;
use brainmae_files::ScanId;
use brainmae_studies::SubjectRecord;

/// Function that makes a stream of random numbers from a seed and a name.
///
/// The same seed and name must always give the same stream, so that interrupted work can be
/// resumed.
pub type Streams<'a> = dyn Fn(u64, &str) -> Box<dyn Rng> + Sync + 'a;

/// A scan in the list of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawScan {
    /// Name, unique in the source.
    pub scan: ScanId,
    /// Hash of everything that determines the cleaned scan: files, cleaning, atlas. A finished scan
    /// of an earlier call is used again if its identity is the same.
    pub identity: String,
}

/// Contents of an opened source.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The ROIs.
    pub atlas: Atlas,
    /// All scans, in the order of the data set. The number of a scan is its index here.
    pub scans: Vec<RawScan>,
}

/// Scans to read.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Their numbers.
    pub numbers: &'a [usize],
    /// Maximum number of threads.
    pub threads: usize,
}

/// Function that takes the number of a scan and the cleaned scan, from any thread, and keeps it.
pub type ScanSink<'a> = dyn Fn(usize, CleanedScan) -> Result<(), DataError> + Sync + 'a;

/// Raw data of one kind, for [`prepare`](super::prepare).
///
/// The methods are called in the order of this trait; all except [`identity`](Self::identity) only
/// if there is work to do.
pub trait RawSource {
    /// Hash of everything that determines the data set. A data set with the same identity is up to
    /// date.
    fn identity(&self) -> &str;

    /// Header of the data set. The pipeline sets the identity, and adds the remarks on scans to the
    /// warnings.
    fn header(&self) -> DatasetHeader;

    /// Opens the files, and checks conditions on all scans, such as checksums.
    ///
    /// # Errors
    /// An error when a file cannot be used; [`DataError::Interrupted`] when `on_progress` asks to
    /// stop.
    fn open(&mut self, on_progress: &mut OnProgress<'_>) -> Result<Opened, DataError>;

    /// Reads and cleans the scans `wanted` and passes each of them to `sink`.
    /// [`in_parallel`](super::in_parallel) does this for independent scans.
    ///
    /// # Errors
    /// The error of `sink`; then no further scan is read. A scan with broken files is passed to
    /// `sink` as [`CleanedScan::failed`]. Other errors are for problems that prevent all further
    /// reading.
    fn read(&mut self, wanted: Wanted<'_>, sink: &ScanSink<'_>) -> Result<(), DataError>;

    /// The subjects of the scans, with their targets.
    ///
    /// # Errors
    /// An error when targets need finished scans that cannot be read.
    fn subjects(&self, kept: &KeptScans<'_>) -> Result<Vec<SubjectRecord>, DataError>;

    /// Adds further files of the source to the data set.
    ///
    /// # Errors
    /// An error when they cannot be written.
    fn add_tables(&self, writer: &mut PreparedWriter) -> Result<(), DataError> {
        let _ = writer;
        Ok(())
    }
}
