//! Label maps: the ROI of every vertex or voxel.

use std::collections::HashMap;

/// The ROI of every grayordinate: 0 means no ROI, `n` means the ROI of index `n - 1`.
///
/// The vertices are those of the whole surface mesh (32,492 per side for fsLR-32k), with the medial
/// wall.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GrayordinateLabels {
    /// By vertex of the left cortex; empty when it is not covered.
    pub left: Vec<u32>,
    /// By vertex of the right cortex; empty when it is not covered.
    pub right: Vec<u32>,
    /// Subcortical labels by voxel index of the CIFTI volume space.
    pub voxels: HashMap<[u32; 3], u32>,
}

/// The ROI of every voxel of one grid: 0 means no ROI, `n` means the ROI of index `n - 1`.
#[derive(Clone, Debug, PartialEq)]
pub struct VoxelLabels {
    /// Voxels along the three axes.
    pub shape: [u64; 3],
    /// From voxel indices to right-anterior-superior mm.
    pub affine: [[f64; 4]; 3],
    /// By voxel, first axis fastest.
    pub labels: Vec<u32>,
}

/// Why a file of labels cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelProblem {
    /// The image has several volumes.
    #[error("it has {found} volumes, expected one volume of labels")]
    Volumes {
        /// Volumes of the image.
        found: u64,
    },
    /// The value of a voxel is not a label.
    #[error(
        "voxel {voxel} holds {found}, expected a whole number from 0 to {}: labels must be \
         resampled by nearest neighbour",
        u32::MAX
    )]
    Voxel {
        /// Index of the voxel in the volume, from 0.
        voxel: usize,
        /// Its value.
        found: f64,
    },
    /// The file holds the labels of one side of the mesh, but both sides are needed.
    #[error(
        "it has {found} labels, those of one side, where both sides have {expected}: give the \
         file of the other side too"
    )]
    OneSide {
        /// Labels of the file.
        found: usize,
        /// Vertices of both sides.
        expected: usize,
    },
    /// The file has more or fewer labels than the mesh has vertices.
    #[error(
        "it has {found} labels where the mesh has {expected} vertices: one line a vertex is \
         needed, those of the medial wall too"
    )]
    Count {
        /// Labels of the file.
        found: usize,
        /// Vertices of the mesh.
        expected: usize,
    },
    /// The file is too long for labels.
    #[error("it has more than {most} bytes, too many for one number a vertex")]
    Bytes {
        /// Maximum bytes of the file.
        most: u64,
    },
}
