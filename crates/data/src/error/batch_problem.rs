//! Problems of stores, crops and batches.

use brainmae_files::ScanId;

/// Why scans do not fit into one store.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreProblem {
    /// There are no scans.
    #[error("there is no scan")]
    Empty,
    /// Two scans have different ROIs or TRs.
    #[error(
        "scan {scan} has {n_rois} ROIs every {tr_secs} s, scan {first} has {first_n_rois} every {first_tr_secs} s"
    )]
    Mixed {
        /// The second scan.
        scan: ScanId,
        /// Its number of ROIs.
        n_rois: usize,
        /// Its TR in seconds.
        tr_secs: f64,
        /// The first scan.
        first: ScanId,
        /// Its number of ROIs.
        first_n_rois: usize,
        /// Its TR in seconds.
        first_tr_secs: f64,
    },
}

/// Why a crop cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CropProblem {
    /// The store has no scan with this index.
    #[error("the store has {n_scans} scans")]
    NoSuchScan {
        /// Scans in the store.
        n_scans: usize,
    },
    /// Less than one segment of the scan follows the start.
    #[error("its scan of {n_volumes} volumes ends before one segment of {segment_len_trs}")]
    TooLate {
        /// Volumes in the scan.
        n_volumes: usize,
        /// Volumes in a segment.
        segment_len_trs: usize,
    },
}

/// Why batches cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoaderProblem {
    /// The system cannot start a thread.
    #[error("no thread to read ahead with: {0}")]
    Thread(std::io::Error),
    /// The plan of a batch panicked.
    #[error("batch {number}: {message}")]
    Panicked {
        /// The batch number.
        number: u64,
        /// The message of the panic.
        message: String,
    },
}
