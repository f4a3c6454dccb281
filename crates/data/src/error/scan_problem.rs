//! Problems of the files behind one scan.

use brainmae_atlas::AtlasError;
use brainmae_signals::cleaning::Unusable;

/// Why the signals of a scan cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanProblem {
    /// The file is of vertices, and the atlas has no labels of vertices.
    #[error(
        "it has a signal per vertex, and the atlas has no labels of vertices: give them in atlas.labels"
    )]
    NoVertexLabels,
    /// The voxels of file and labels are not the same.
    #[error(
        "its voxels lie in another grid ({found:?}) than those of the labels ({expected:?}): give labels for this grid"
    )]
    VoxelGrid {
        /// Shape of the file's grid.
        found: [u32; 3],
        /// Shape of the labels' grid.
        expected: [u32; 3],
    },
    /// The scan is a part of the file that the file does not have.
    #[error("volumes {first} to {last} are asked for, it has {n_volumes}")]
    Part {
        /// First volume asked for.
        first: usize,
        /// Last volume asked for.
        last: usize,
        /// Volumes in the file.
        n_volumes: usize,
    },
    /// The columns are not the ROIs of the atlas.
    #[error("{0}")]
    Rois(Box<AtlasError>),
    /// The signals and the file of outliers are of different volumes.
    #[error(
        "it tells of {found} volumes whether they are kept, and the outliers file of {expected}: they must be the same volumes"
    )]
    Outliers {
        /// Volumes that the file of signals tells of.
        found: usize,
        /// Rows of the file of outliers.
        expected: usize,
    },
    /// The confounds are missing or do not fit.
    #[error("{text}")]
    Confounds {
        /// What cleaning could not do.
        unusable: Unusable,
        /// The same for a person, with names of ROIs.
        text: String,
    },
    /// File and protocol have different TRs.
    #[error(
        "the file has one volume per {found} s, expected {expected} s from protocol or sidecar: find out which is true and set tr_secs"
    )]
    Tr {
        /// TR of the file.
        found: f64,
        /// TR of protocol or sidecar.
        expected: f64,
    },
    /// Nothing tells the TR.
    #[error("neither the file nor anything beside it tells the TR: set tr_secs")]
    NoTr,
}

/// Why a table of covered shares cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoverageProblem {
    /// There is not one row of shares.
    #[error("it has {found} rows, expected one of the share of every ROI that is covered")]
    Rows {
        /// Rows of shares.
        found: usize,
    },
    /// A share is none.
    #[error("the share {0} of an ROI is covered, expected 0 to 1")]
    Share(f64),
    /// The names are not those of the atlas.
    #[error("{0}")]
    Rois(Box<AtlasError>),
    /// A row cannot be read.
    #[error("line {line}: {error}")]
    Row {
        /// Line, from 1.
        line: u64,
        /// What is wrong with it.
        error: csv::Error,
    },
    /// A share is no number.
    #[error("line {line}: its second cell is no number")]
    NoNumber {
        /// Line, from 1.
        line: u64,
    },
}
