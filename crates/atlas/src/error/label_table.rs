//! Problems of a label table of which an atlas is to be made.

use super::region::RoiProblem;
use crate::shown::shown;

/// Why no atlas can be made of a label table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelTableProblem {
    /// A name at the key of the background.
    #[error("{} at key 0, expected keys from 1, for 0 is no ROI", shown(.name))]
    NameAtZero {
        /// The name.
        name: String,
    },
    /// A key that is there twice.
    #[error("key {key} twice, expected every key once")]
    KeyTwice {
        /// The key.
        key: u32,
    },
    /// No label besides the background.
    #[error("empty: it has no ROI, expected at least one label besides the background")]
    Empty,
    /// Names that make no atlas.
    #[error("a table whose {0}, expected a table of ROIs, each with a name of its own")]
    Rois(RoiProblem),
}
