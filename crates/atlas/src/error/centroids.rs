//! Problems of a table of centres.

use crate::shown::shown;

/// Why a line of a table of centres cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CentroidProblem {
    /// Another header.
    #[error("the header is {}, expected ROI Label,ROI Name,R,A,S", shown_all(.found))]
    Header {
        /// The first names in it.
        found: Vec<String>,
    },
    /// A label that is no number from 0.
    #[error("{} is no ROI label", shown(.found))]
    Label {
        /// The cell.
        found: String,
    },
    /// A coordinate that is no finite number.
    #[error("{} is no place in mm", shown(.found))]
    Place {
        /// The cell.
        found: String,
    },
    /// A row that is no text of a table, or of another length.
    #[error("{reason}")]
    Row {
        /// What the reader of tables says.
        reason: String,
    },
}

fn shown_all(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| shown(name)).collect();
    names.join(",")
}
