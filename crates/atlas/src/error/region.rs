//! Problems of the ROIs of an atlas.

/// Why a list of ROIs is not an atlas.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoiProblem {
    /// The index of an ROI is not its position in the list.
    #[error("ROI {place} carries the index {index}")]
    Index {
        /// Position in the list, from 0.
        place: usize,
        /// The index of the ROI.
        index: usize,
    },
    /// A name is empty or that of an earlier ROI.
    #[error("ROI {place} is named {name:?}: names must be unique and not empty")]
    Name {
        /// Position in the list, from 0.
        place: usize,
        /// Its name.
        name: String,
    },
    /// The list is empty.
    #[error("it has no ROI")]
    Empty,
}
