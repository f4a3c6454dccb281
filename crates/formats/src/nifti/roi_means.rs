//! ROI means of a 4-D image, read volume by volume, with memory for one volume.

use std::ops::Range;
use std::path::Path;

use super::{NiftiHeader, NiftiProblem, NiftiReader};
use crate::error::FormatError;
use crate::label_map::VoxelLabels;
use crate::number::{DataType, Endian, with_decoder};
use crate::roi_signals::RoiSignals;

/// Two grids differ if any element of their affines differs by more than this.
const AFFINE_TOLERANCE_MM: f64 = 1e-3;

/// The signals of ROIs in an image with the coverage of each ROI.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeMeans {
    /// The mean over the voxels of each ROI; the TR is that of the header.
    pub signals: RoiSignals,
    /// By ROI: the share of its voxels inside the brain mask of the image, 0 to 1; 0 for an ROI
    /// without voxels.
    pub coverage: Vec<f32>,
}

/// The mean signals of ROIs 1 to `n_rois` of `labels` in every volume of `path`, or in the volumes
/// of `part`.
///
/// A voxel with the value 0 in the first of these volumes lies outside the brain mask of the image:
/// it is not in any mean and lowers the coverage. An ROI without remaining voxels is NaN in all
/// volumes. A NaN in one voxel makes the mean of its ROI NaN.
///
/// The checksum of a gzip file is verified if the last volume is requested; otherwise it is not.
///
/// # Errors
/// As [`NiftiReader`]; [`FormatError::Nifti`] for labels of another grid than that of the image or
/// above `n_rois`, and for a part that the image does not have.
pub fn roi_means(
    path: &Path,
    labels: &VoxelLabels,
    n_rois: usize,
    part: Option<Range<usize>>,
) -> Result<VolumeMeans, FormatError> {
    let mut reader = NiftiReader::open(path)?;
    check_grid(path, reader.header(), labels)?;
    let n_voxels = voxels_by_roi(path, labels, n_rois)?;
    let volumes = volumes(path, reader.header(), part)?;
    for _ in 0..volumes.start {
        reader.skip_volume()?;
    }

    let mut bytes = Vec::new();
    reader.read_volume_bytes(&mut bytes)?;
    let runs = inside(reader.header(), &labels.labels, &bytes);
    let mut n_inside = vec![0; n_rois];
    for run in &runs {
        n_inside[run.roi] += run.voxels.len();
    }
    let (slope, inter) = reader.header().scaling.unwrap_or((1.0, 0.0));
    let mut signals = vec![Vec::new(); n_rois];
    let mut sums = vec![0.0; n_rois];
    for volume in volumes.clone() {
        if volume > volumes.start {
            reader.read_volume_bytes(&mut bytes)?;
        }
        sums.fill(0.0);
        add(reader.header(), &bytes, &runs, &mut sums);
        for ((signal, sum), &n) in signals.iter_mut().zip(&sums).zip(&n_inside) {
            // Without voxels the mean is 0 / 0: NaN.
            signal.push(sum / n as f64 * slope + inter);
        }
    }
    if volumes.end as u64 == reader.header().n_volumes() {
        reader.read_volume_bytes(&mut bytes)?; // To the end: gzip verifies it.
    }
    Ok(VolumeMeans {
        signals: RoiSignals {
            values: signals.concat(),
            n_rois,
            tr_secs: reader.header().tr_secs,
        },
        coverage: n_inside
            .iter()
            .zip(&n_voxels)
            .map(|(&inside, &all)| (inside as f64 / all.max(1) as f64) as f32)
            .collect(),
    })
}

/// Consecutive voxels along the first axis that belong to one ROI.
struct Run {
    /// Indices of the voxels in a volume.
    voxels: Range<usize>,
    /// Index of the ROI.
    roi: usize,
}

/// Checks that the labels have the grid of the image.
fn check_grid(path: &Path, header: &NiftiHeader, labels: &VoxelLabels) -> Result<(), FormatError> {
    let shape = header.shape();
    if labels.shape != shape || labels.labels.len() as u64 != header.n_voxels() {
        let problem = NiftiProblem::Grid {
            image: shape,
            labels: labels.shape,
            n_labels: labels.labels.len(),
        };
        return Err(FormatError::nifti(path, problem));
    }
    let elements = labels.affine.iter().flatten();
    let near = elements
        .zip(header.affine.iter().flatten())
        .all(|(label, image)| (label - image).abs() <= AFFINE_TOLERANCE_MM);
    if !near {
        let found = Box::new([header.affine, labels.affine]);
        return Err(FormatError::nifti(path, NiftiProblem::Affine { found }));
    }
    Ok(())
}

/// Number of voxels of each ROI, inside or outside the brain mask.
fn voxels_by_roi(
    path: &Path,
    labels: &VoxelLabels,
    n_rois: usize,
) -> Result<Vec<usize>, FormatError> {
    let mut n_voxels = vec![0; n_rois];
    for &label in &labels.labels {
        if label > 0 {
            *n_voxels.get_mut(label as usize - 1).ok_or_else(|| {
                FormatError::nifti(path, NiftiProblem::Label { label, n_rois })
            })? += 1;
        }
    }
    Ok(n_voxels)
}

/// The requested volumes, which the image must have.
fn volumes(
    path: &Path,
    header: &NiftiHeader,
    part: Option<Range<usize>>,
) -> Result<Range<usize>, FormatError> {
    let n_volumes = usize::try_from(header.n_volumes())
        .map_err(|_| FormatError::nifti(path, NiftiProblem::ManyVolumes))?;
    let asked = part.unwrap_or(0..n_volumes);
    if asked.is_empty() || asked.end > n_volumes {
        let problem = NiftiProblem::Volumes { asked, n_volumes };
        return Err(FormatError::nifti(path, problem));
    }
    Ok(asked)
}

/// The labelled voxels that are not 0 in the volume `bytes`.
fn inside(header: &NiftiHeader, labels: &[u32], bytes: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let voxels = labels.iter().zip(header.values(bytes)).enumerate();
    for (voxel, (&label, value)) in voxels {
        if label == 0 || value == 0.0 {
            continue;
        }
        let roi = label as usize - 1;
        match runs.last_mut() {
            Some(run) if run.roi == roi && run.voxels.end == voxel => run.voxels.end += 1,
            _ => runs.push(Run {
                voxels: voxel..voxel + 1,
                roi,
            }),
        }
    }
    runs
}

/// Adds the stored numbers of a volume, before scaling, to the sums of their ROIs.
fn add(header: &NiftiHeader, bytes: &[u8], runs: &[Run], sums: &mut [f64]) {
    with_decoder!(header.data_type, header.endian, |decode| {
        let (numbers, _) = bytes.as_chunks();
        for run in runs {
            let voxels = &numbers[run.voxels.clone()];
            sums[run.roi] += voxels.iter().map(|&number| decode(number)).sum::<f64>();
        }
    });
}

#[cfg(test)]
mod tests;
