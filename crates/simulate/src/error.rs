//! Errors of simulated data.

use std::path::PathBuf;

use brainmae_files::{FileError, InvalidField};

/// Why data cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// Error of a file or folder.
    #[error(transparent)]
    Files(#[from] FileError),
    /// Error of a file of a known format.
    #[error(transparent)]
    Formats(#[from] brainmae_formats::FormatError),
    /// Error of the atlas.
    #[error(transparent)]
    Atlas(#[from] brainmae_atlas::AtlasError),
    /// Error of the signals.
    #[error(transparent)]
    Signals(#[from] brainmae_signals::SignalError),
    /// Error of the prepared data set.
    #[error(transparent)]
    Data(#[from] brainmae_data::DataError),
    /// The caller asked to stop.
    #[error("stopped as asked: a cohort that is not whole is not kept")]
    Interrupted,
    /// A field of a configuration is out of its range.
    #[error(transparent)]
    Config(#[from] InvalidField),
    /// The networks of an atlas do not fit the planted effects.
    #[error(
        "the atlas {atlas}: {problem}, expected that the ROIs belong to {fewest} networks or more"
    )]
    Networks {
        /// Name of the atlas.
        atlas: String,
        /// The problem.
        problem: NetworkProblem,
        /// Minimum number of networks.
        fewest: usize,
    },
    /// The atlas has more ROIs than a simulated image has voxels.
    #[error("the atlas {atlas} has {n_rois} ROIs, for which {shape:?} voxels have no room")]
    NoRoom {
        /// Name of the atlas.
        atlas: String,
        /// Number of its ROIs.
        n_rois: usize,
        /// Voxels along the three axes.
        shape: [usize; 3],
    },
    /// The labels of vertices and voxels do not match the atlas.
    #[error("the labels do not suit the atlas: {0}")]
    Labels(LabelProblem),
    /// The output folder is not empty.
    #[error("{path:?} holds something already: choose another folder, or delete this one")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
}

/// Problem of the networks of an atlas.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkProblem {
    /// An ROI belongs to no network.
    #[error("ROI {roi} is of no network")]
    None {
        /// Name of the ROI.
        roi: String,
    },
    /// There are too few networks.
    #[error("it has {found} networks")]
    TooFew {
        /// Number of networks in the atlas.
        found: usize,
    },
}

/// Problem of labels of vertices and voxels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelProblem {
    /// Full grayordinates need labels of another surface.
    #[error(
        "they are for {found} vertices of {structure}, expected {expected} vertices a side for full grayordinates"
    )]
    Mesh {
        /// Vertices in the labels.
        found: usize,
        /// The side of the cortex.
        structure: &'static str,
        /// Vertices of the surface of full grayordinates.
        expected: usize,
    },
    /// The medial wall is too small.
    #[error(
        "{found} vertices are without an ROI, expected at least {expected}, the medial wall of an fsLR-32k surface"
    )]
    MedialWall {
        /// Vertices without an ROI.
        found: usize,
        /// Vertices of the real medial wall.
        expected: usize,
    },
    /// A label is above the number of ROIs.
    #[error("label {label}, expected 0 to {n_rois}, as many ROIs as {atlas}")]
    NoSuchRoi {
        /// The label.
        label: u32,
        /// Number of ROIs in the atlas.
        n_rois: usize,
        /// Name of the atlas.
        atlas: String,
    },
    /// An ROI has neither a vertex nor a voxel.
    #[error("they have no place for ROI {roi}, expected a vertex or voxel of every ROI")]
    NoPlace {
        /// Name of the ROI.
        roi: String,
    },
}

impl SimulateError {
    /// Whether the caller asked to stop, so that there is no failure.
    pub fn is_interrupted(&self) -> bool {
        match self {
            Self::Interrupted => true,
            Self::Data(error) => error.is_interrupted(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::CommonErrors as _;

    use super::*;

    #[test]
    fn texts() {
        let networks = |problem| SimulateError::Networks {
            atlas: "two".into(),
            problem,
            fewest: 4,
        };
        let errors = [
            SimulateError::Interrupted,
            SimulateError::config("ar1", 1.0, "from 0 to 0.9999"),
            networks(NetworkProblem::None { roi: "V1".into() }),
            networks(NetworkProblem::TooFew { found: 3 }),
            SimulateError::NoRoom {
                atlas: "two".into(),
                n_rois: 8000,
                shape: [20, 24, 20],
            },
            SimulateError::Labels(LabelProblem::Mesh {
                found: 20,
                structure: "CORTEX_LEFT",
                expected: 32_492,
            }),
            SimulateError::Labels(LabelProblem::MedialWall {
                found: 7,
                expected: 2796,
            }),
            SimulateError::Labels(LabelProblem::NoSuchRoi {
                label: 9,
                n_rois: 8,
                atlas: "two".into(),
            }),
            SimulateError::Labels(LabelProblem::NoPlace { roi: "V1".into() }),
            SimulateError::Occupied {
                path: PathBuf::from("raw/hcp"),
            },
        ];
        let lines: String = errors.iter().map(|error| format!("{error}\n")).collect();
        insta::assert_snapshot!(lines);
    }
}
