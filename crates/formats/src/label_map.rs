//! Which ROI a vertex or a voxel belongs to.

use std::collections::HashMap;

/// The ROI of every grayordinate: `0` belongs to none, `n` to the ROI of index `n - 1`.
///
/// Vertices are those of the whole surface mesh (32,492 a side for fsLR-32k), medial wall too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GrayordinateLabels {
    /// By vertex of the left cortex; empty when it is not covered.
    pub left: Vec<u32>,
    /// By vertex of the right cortex; empty when it is not covered.
    pub right: Vec<u32>,
    /// By voxel index of the CIFTI volume space, for what lies below the cortex.
    pub voxels: HashMap<[u32; 3], u32>,
}

/// The ROI of every voxel of one grid: `0` belongs to none, `n` to the ROI of index `n - 1`.
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
    /// An image of several volumes.
    #[error("it has {found} volumes, expected one volume of labels")]
    Volumes {
        /// Volumes of the image.
        found: u64,
    },
    /// A voxel that holds no label.
    #[error(
        "voxel {voxel} holds {found}, expected a whole number from 0 to {}: labels must be \
         resampled by nearest neighbour",
        u32::MAX
    )]
    Voxel {
        /// Its place in the volume, from 0.
        voxel: usize,
        /// Its value.
        found: f64,
    },
    /// The labels of one side of the mesh where both are needed.
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
    /// More or fewer labels than the mesh has vertices.
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
    /// A file that is too long for labels.
    #[error("it has more than {most} bytes, too many for one number a vertex")]
    Bytes {
        /// Bytes that are read.
        most: u64,
    },
}
