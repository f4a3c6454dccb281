//! Problems of stores, crops and batches.

use brainmae_files::ScanId;

/// Why scans cannot lie in one store.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreProblem {
    /// There is none.
    #[error("there is no scan")]
    Empty,
    /// Two scans differ in ROIs or TR.
    #[error(
        "scan {scan} has {n_rois} ROIs every {tr_secs} s, scan {first} has {first_n_rois} every {first_tr_secs} s"
    )]
    Mixed {
        /// The scan that differs.
        scan: ScanId,
        /// Its ROIs.
        n_rois: usize,
        /// Its TR.
        tr_secs: f64,
        /// The first scan.
        first: ScanId,
        /// Its ROIs.
        first_n_rois: usize,
        /// Its TR.
        first_tr_secs: f64,
    },
}

/// Why a crop cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CropProblem {
    /// The store has no scan of this number.
    #[error("the store has {n_scans} scans")]
    NoSuchScan {
        /// Scans in the store.
        n_scans: usize,
    },
    /// The scan ends before one segment.
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
    /// The system gives no thread.
    #[error("no thread to read ahead with: {0}")]
    Thread(std::io::Error),
    /// The plan of a batch panicked.
    #[error("batch {number}: {message}")]
    Panicked {
        /// The batch.
        number: u64,
        /// What the panic said.
        message: String,
    },
}
