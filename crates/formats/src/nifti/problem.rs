//! Problems of NIfTI files.

use std::io;
use std::ops::Range;

/// Why a NIfTI file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NiftiProblem {
    /// A header that cannot be true, or that asks for something that is not read.
    #[error("not a NIfTI file that can be read: {0}")]
    Header(HeaderProblem),
    /// Labels of another number of voxels.
    #[error(
        "its volumes are {image:?} voxels where the labels are {labels:?} ({n_labels} voxels): \
         resample the labels to the grid of the image, by nearest neighbour"
    )]
    Grid {
        /// Voxels along the axes of the image.
        image: [u64; 3],
        /// Voxels along the axes of the labels.
        labels: [u64; 3],
        /// Labels that there are.
        n_labels: usize,
    },
    /// Labels of another place or size of voxels.
    #[error(
        "its affine is {:?} where that of the labels is {:?}: resample the labels to the grid of \
         the image, by nearest neighbour", .found[0], .found[1]
    )]
    Affine {
        /// Affines of the image and of the labels.
        found: Box<[[[f64; 4]; 3]; 2]>,
    },
    /// A label above the number of ROIs.
    #[error("a voxel of its labels belongs to ROI {label}, expected 0 to {n_rois}")]
    Label {
        /// The label.
        label: u32,
        /// ROIs.
        n_rois: usize,
    },
    /// Volumes that the image does not have.
    #[error("volumes {asked:?} are asked for, it has 0..{n_volumes}")]
    Volumes {
        /// Volumes asked for.
        asked: Range<usize>,
        /// Volumes of the image.
        n_volumes: usize,
    },
    /// More volumes than can be counted.
    #[error("it has more volumes than memory has addresses")]
    ManyVolumes,
    /// Sizes that the format cannot hold are to be written.
    #[error("{shape:?} voxels and {n_volumes} volumes, expected 1 to {most} of each")]
    Size {
        /// Voxels along the three axes.
        shape: [usize; 3],
        /// Volumes.
        n_volumes: usize,
        /// The most of each.
        most: i16,
    },
    /// A volume that does not belong into the image is to be written.
    #[error(
        "a volume of {found} voxels with {volumes_left} volumes to come, expected {expected} and \
         a volume to come"
    )]
    Volume {
        /// Voxels of the volume.
        found: usize,
        /// Voxels that it should have.
        expected: usize,
        /// Volumes that are missing.
        volumes_left: usize,
    },
    /// The image is ended too early by its writer.
    #[error("{missing} volumes are missing at its end")]
    VolumesMissing {
        /// Volumes that are missing.
        missing: usize,
    },
}

/// What is wrong with a NIfTI header.
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
    /// The first number is not the size of a header.
    #[error("it starts with neither 348 (NIfTI-1) nor 540 (NIfTI-2)")]
    Size,
    /// The data are in another file.
    #[error("it keeps its data in an .img file: convert it to .nii")]
    ImgFile,
    /// Not the mark of a NIfTI file.
    #[error("its magic is {found:?}, expected {expected:?}")]
    Magic {
        /// The mark.
        found: [u8; 4],
        /// The mark of this version.
        expected: &'static str,
    },
    /// A number format that is not read.
    #[error(
        "data type {code} is not supported, only integers and real numbers of 8 to 64 bits are"
    )]
    DataType {
        /// Its code.
        code: i16,
    },
    /// A number of axes that no image has.
    #[error("it has {found} axes, expected 1 to 7")]
    Axes {
        /// The number.
        found: i64,
    },
    /// An axis without an entry.
    #[error("its shape is {found:?}")]
    Shape {
        /// Lengths of the axes.
        found: Vec<i64>,
    },
    /// More values than a file can hold.
    #[error("its shape {found:?} is larger than any file")]
    TooLarge {
        /// Lengths of the axes.
        found: Vec<u64>,
    },
    /// Data inside the header, or at no whole byte.
    #[error("its data start at byte {found}, expected {expected} or later")]
    DataOffset {
        /// Where they start.
        found: f64,
        /// Where they may start.
        expected: usize,
    },
    /// An affine that is not finite.
    #[error("its affine is not finite: {found:?}")]
    Affine {
        /// From voxel indices to mm.
        found: Box<[[f64; 4]; 3]>,
    },
    /// What stands between header and data cannot be read.
    #[error("the extensions cannot be read ({0})")]
    Extensions(io::Error),
}
