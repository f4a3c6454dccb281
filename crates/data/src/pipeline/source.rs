//! Raw sources: what the pipeline asks of raw data of any kind.

use rand::Rng;

use super::{CleanedScan, KeptScans, OnProgress};
use crate::error::DataError;
use crate::prepared::{DatasetHeader, PreparedWriter};
use brainmae_atlas::Atlas;
use brainmae_files::ScanId;
use brainmae_studies::SubjectRecord;

/// Makes a stream of random numbers from a seed and the name of what it is for.
///
/// The same seed and name must give the same stream each time: work that was interrupted is
/// continued, not repeated.
pub type Streams<'a> = dyn Fn(u64, &str) -> Box<dyn Rng> + Sync + 'a;

/// A scan that a source can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawScan {
    /// Its name, unique in the source.
    pub scan: ScanId,
    /// Hash of everything that the cleaned scan depends on: files, cleaning, atlas. A finished
    /// scan of an earlier call is taken over when its identity is the same.
    pub identity: String,
}

/// What is known once a source is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The ROIs.
    pub atlas: Atlas,
    /// All scans, in the order of the data set. A scan's number is its place here.
    pub scans: Vec<RawScan>,
}

/// Takes the number of a scan and the scan, from any thread, and keeps it.
pub type ScanSink<'a> = dyn Fn(usize, CleanedScan) -> Result<(), DataError> + Sync + 'a;

/// Raw data of one kind, for [`prepare`](super::prepare).
///
/// The methods are called in the order in which they stand here; all but
/// [`identity`](Self::identity) only when there is work to do.
pub trait RawSource {
    /// Hash of everything that the data set depends on. A data set of the same identity is up to
    /// date.
    fn identity(&self) -> &str;

    /// What the data set says of itself. The pipeline fills in the identity, and adds the remarks
    /// on scans to the warnings.
    fn header(&self) -> DatasetHeader;

    /// Opens the files, and checks what must hold for all scans, such as checksums.
    ///
    /// # Errors
    /// When a file cannot be used; [`DataError::Interrupted`] when `on_progress` asks to stop.
    fn open(&mut self, on_progress: &mut OnProgress<'_>) -> Result<Opened, DataError>;

    /// Reads and cleans the scans `wanted`, on up to `threads` threads, and gives each of them to
    /// `sink`. [`in_parallel`](super::in_parallel) does so where scans are independent.
    ///
    /// # Errors
    /// What `sink` returns: no further scan is read then. A scan whose files are broken is given
    /// to `sink` as [`CleanedScan::failed`]; an error is for what makes all further reading vain.
    fn read(
        &mut self,
        wanted: &[usize],
        threads: usize,
        sink: &ScanSink<'_>,
    ) -> Result<(), DataError>;

    /// The subjects of the scans, with their targets.
    ///
    /// # Errors
    /// When targets are computed from finished scans, and these cannot be read.
    fn subjects(&self, kept: &KeptScans<'_>) -> Result<Vec<SubjectRecord>, DataError>;

    /// Adds files of the source's own to the data set.
    ///
    /// # Errors
    /// When they cannot be written.
    fn add_tables(&self, writer: &mut PreparedWriter) -> Result<(), DataError> {
        let _ = writer;
        Ok(())
    }
}
