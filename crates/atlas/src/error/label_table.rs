//! Problems of a label table from which an atlas is made.

use super::region::RoiProblem;
use crate::shown::shown;

/// Why a label table does not give an atlas.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelTableProblem {
    /// The key of the background has a name.
    #[error("{} at key 0, expected keys from 1, for 0 is no ROI", shown(.name))]
    NameAtZero {
        /// The name.
        name: String,
    },
    /// A key occurs twice.
    #[error("key {key} twice, expected every key once")]
    KeyTwice {
        /// The key.
        key: u32,
    },
    /// There is no label besides the background.
    #[error("empty: it has no ROI, expected at least one label besides the background")]
    Empty,
    /// The names do not form an atlas.
    #[error("a table whose {0}, expected a table of ROIs, each with a name of its own")]
    Rois(RoiProblem),
}
