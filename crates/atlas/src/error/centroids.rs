//! Problems of a table of centroids.

use crate::shown::shown;

/// Why a line of a table of centroids cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CentroidProblem {
    /// The header is not the expected one.
    #[error("the header is {}, expected ROI Label,ROI Name,R,A,S", shown_all(.found))]
    Header {
        /// Its first column names.
        found: Vec<String>,
    },
    /// A label is not a whole number from 0.
    #[error("{} is no ROI label", shown(.found))]
    Label {
        /// The cell.
        found: String,
    },
    /// A coordinate is not a finite number.
    #[error("{} is no place in mm", shown(.found))]
    Place {
        /// The cell.
        found: String,
    },
    /// A row cannot be parsed, or has another length.
    #[error("{reason}")]
    Row {
        /// The error of the csv crate.
        reason: String,
    },
}

fn shown_all(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| shown(name)).collect();
    names.join(",")
}
