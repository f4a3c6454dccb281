//! Problems of the ROIs of an atlas.

/// Why a list of ROIs is no atlas.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoiProblem {
    /// An ROI carries the number of another place.
    #[error("ROI {place} carries the index {index}")]
    Index {
        /// Its place, from 0.
        place: usize,
        /// The index that it carries.
        index: usize,
    },
    /// A name is empty or that of an earlier ROI.
    #[error("ROI {place} is named {name:?}: names must be unique and not empty")]
    Name {
        /// Its place, from 0.
        place: usize,
        /// Its name.
        name: String,
    },
    /// There is no ROI.
    #[error("it has no ROI")]
    Empty,
}
