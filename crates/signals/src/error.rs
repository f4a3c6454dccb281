//! Errors of signals.

use brainmae_files::InvalidField;

/// Why signals cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// A field of a configuration is out of its range.
    #[error(transparent)]
    Config(#[from] InvalidField),
    /// The values are not a valid series of ROI signals.
    #[error("not a BOLD series: {problem}")]
    BoldSeries {
        /// The problem.
        problem: BoldProblem,
    },
}

/// Why values are not a series of ROI signals.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BoldProblem {
    /// The TR is not above zero.
    #[error("TR is {tr_secs} s, expected a number above zero")]
    Tr {
        /// Seconds between volumes.
        tr_secs: f64,
    },
    /// The number of values is not a multiple of the number of ROIs.
    #[error("{n_values} values are no whole number of volumes of {n_rois} ROIs")]
    Length {
        /// Number of values.
        n_values: usize,
        /// Number of ROIs.
        n_rois: usize,
    },
    /// A value is missing or infinite.
    #[error("the value of ROI {roi} in volume {volume} is {found}, expected a finite number")]
    NotFinite {
        /// The ROI, from 0.
        roi: usize,
        /// The volume, from 0.
        volume: usize,
        /// The value.
        found: f32,
    },
    /// The number of marks is not the number of volumes.
    #[error("{found} marks of kept volumes for {expected} volumes")]
    Kept {
        /// Number of marks.
        found: usize,
        /// Number of volumes.
        expected: usize,
    },
    /// The number of marks is not the number of ROIs.
    #[error("{found} marks of missing ROIs for {expected} ROIs")]
    Missing {
        /// Number of marks.
        found: usize,
        /// Number of ROIs.
        expected: usize,
    },
}

impl SignalError {}
