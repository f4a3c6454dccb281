//! Problems of the files of one scan.

use brainmae_atlas::AtlasError;
use brainmae_signals::cleaning::Unusable;

/// Why the signals of a scan cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanProblem {
    /// The file has signals of vertices, but the atlas has no labels of vertices.
    #[error(
        "it has a signal per vertex, and the atlas has no labels of vertices: give them in atlas.labels"
    )]
    NoVertexLabels,
    /// The file and the labels have different grids of voxels.
    #[error(
        "its voxels lie in another grid ({found:?}) than those of the labels ({expected:?}): give labels for this grid"
    )]
    VoxelGrid {
        /// Shape of the grid of the file.
        found: [u32; 3],
        /// Shape of the grid of the labels.
        expected: [u32; 3],
    },
    /// The file does not have the volumes of the scan.
    #[error("volumes {first} to {last} are asked for, it has {n_volumes}")]
    Part {
        /// First requested volume.
        first: usize,
        /// Last requested volume.
        last: usize,
        /// Volumes in the file.
        n_volumes: usize,
    },
    /// The columns do not match the ROIs of the atlas.
    #[error("{0}")]
    Rois(Box<AtlasError>),
    /// The signals and the file of outliers have different numbers of volumes.
    #[error(
        "it tells of {found} volumes whether they are kept, and the outliers file of {expected}: they must be the same volumes"
    )]
    Outliers {
        /// Volumes marked in the file of signals.
        found: usize,
        /// Rows of the file of outliers.
        expected: usize,
    },
    /// The confounds are missing or do not fit the scan.
    #[error("{text}")]
    Confounds {
        /// The reason from cleaning.
        unusable: Unusable,
        /// The same reason as text, with ROI names.
        text: String,
    },
    /// The file and the protocol have different TRs.
    #[error(
        "the file has one volume per {found} s, expected {expected} s from protocol or sidecar: find out which is true and set tr_secs"
    )]
    Tr {
        /// TR of the file, seconds.
        found: f64,
        /// TR of the protocol or sidecar, seconds.
        expected: f64,
    },
    /// The TR is not known.
    #[error("neither the file nor anything beside it tells the TR: set tr_secs")]
    NoTr,
}

/// Why a coverage table cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoverageProblem {
    /// The table does not have one row of shares.
    #[error("it has {found} rows, expected one of the share of every ROI that is covered")]
    Rows {
        /// Rows of shares.
        found: usize,
    },
    /// A share is not within 0 to 1.
    #[error("the share {0} of an ROI is covered, expected 0 to 1")]
    Share(f64),
    /// The names do not match those of the atlas.
    #[error("{0}")]
    Rois(Box<AtlasError>),
    /// A row cannot be read.
    #[error("line {line}: {error}")]
    Row {
        /// Line, from 1.
        line: u64,
        /// The error of the csv crate.
        error: csv::Error,
    },
    /// A share is not a number.
    #[error("line {line}: its second cell is no number")]
    NoNumber {
        /// Line, from 1.
        line: u64,
    },
}
