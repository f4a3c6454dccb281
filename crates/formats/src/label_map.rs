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
