//! Problems of NIfTI files.

use std::io;
use std::ops::Range;

/// Why a NIfTI file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NiftiProblem {
    /// The header is impossible or asks for an unsupported feature.
    #[error("not a NIfTI file that can be read: {0}")]
    Header(HeaderProblem),
    /// The labels have another number of voxels.
    #[error(
        "its volumes are {image:?} voxels where the labels are {labels:?} ({n_labels} voxels): \
         resample the labels to the grid of the image, by nearest neighbour"
    )]
    Grid {
        /// Voxels along the axes of the image.
        image: [u64; 3],
        /// Voxels along the axes of the labels.
        labels: [u64; 3],
        /// Number of labels.
        n_labels: usize,
    },
    /// The labels have another position or size of voxels.
    #[error(
        "its affine is {:?} where that of the labels is {:?}: resample the labels to the grid of \
         the image, by nearest neighbour", .found[0], .found[1]
    )]
    Affine {
        /// Affines of the image and of the labels.
        found: Box<[[[f64; 4]; 3]; 2]>,
    },
    /// A label is above the number of ROIs.
    #[error("a voxel of its labels belongs to ROI {label}, expected 0 to {n_rois}")]
    Label {
        /// The label.
        label: u32,
        /// Number of ROIs.
        n_rois: usize,
    },
    /// The image does not have the requested volumes.
    #[error("volumes {asked:?} are asked for, it has 0..{n_volumes}")]
    Volumes {
        /// Requested volumes.
        asked: Range<usize>,
        /// Volumes of the image.
        n_volumes: usize,
    },
    /// The number of volumes is too large.
    #[error("it has more volumes than memory has addresses")]
    ManyVolumes,
    /// The sizes to write are too large for the format.
    #[error("{shape:?} voxels and {n_volumes} volumes, expected 1 to {most} of each")]
    Size {
        /// Voxels along the three axes.
        shape: [usize; 3],
        /// Volumes.
        n_volumes: usize,
        /// Maximum of each size.
        most: i16,
    },
    /// The volume to write does not fit the image.
    #[error(
        "a volume of {found} voxels with {volumes_left} volumes to come, expected {expected} and \
         a volume to come"
    )]
    Volume {
        /// Voxels of the volume.
        found: usize,
        /// Expected voxels of a volume.
        expected: usize,
        /// Volumes that are still missing.
        volumes_left: usize,
    },
    /// The writer was finished before the last volume.
    #[error("{missing} volumes are missing at its end")]
    VolumesMissing {
        /// Volumes that are missing.
        missing: usize,
    },
}

/// Problem of a NIfTI header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderProblem {
    /// The file is shorter than a header.
    #[error("the header ends too early ({0})")]
    EndsEarly(io::Error),
    /// The file is shorter than the header of CIFTI-2.
    #[error("it has {found} bytes, a CIFTI-2 header has {expected}")]
    Short {
        /// Bytes of the file.
        found: usize,
        /// Bytes of a header.
        expected: u64,
    },
    /// The first number is not a header size.
    #[error("it starts with neither 348 (NIfTI-1) nor 540 (NIfTI-2)")]
    Size,
    /// The data are in another file.
    #[error("it keeps its data in an .img file: convert it to .nii")]
    ImgFile,
    /// The magic number is not that of a NIfTI file.
    #[error("its magic is {found:?}, expected {expected:?}")]
    Magic {
        /// The magic number of the file.
        found: [u8; 4],
        /// The magic number of this version.
        expected: &'static str,
    },
    /// The number format is not supported.
    #[error(
        "data type {code} is not supported, only integers and real numbers of 8 to 64 bits are"
    )]
    DataType {
        /// Code of the number format.
        code: i16,
    },
    /// The number of axes is impossible.
    #[error("it has {found} axes, expected 1 to 7")]
    Axes {
        /// The number.
        found: i64,
    },
    /// An axis has no entries.
    #[error("its shape is {found:?}")]
    Shape {
        /// Lengths of the axes.
        found: Vec<i64>,
    },
    /// The header announces more values than a file can hold.
    #[error("its shape {found:?} is larger than any file")]
    TooLarge {
        /// Lengths of the axes.
        found: Vec<u64>,
    },
    /// The data offset lies inside the header, or is not a whole number of bytes.
    #[error("its data start at byte {found}, expected {expected} or later")]
    DataOffset {
        /// The data offset.
        found: f64,
        /// The lowest allowed offset.
        expected: usize,
    },
    /// The affine is not finite.
    #[error("its affine is not finite: {found:?}")]
    Affine {
        /// The affine from voxel indices to mm.
        found: Box<[[f64; 4]; 3]>,
    },
    /// The bytes between header and data cannot be read.
    #[error("the extensions cannot be read ({0})")]
    Extensions(io::Error),
}
