//! Label images: the region of every voxel.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::FormatError;
use crate::label_map::{LabelProblem, VoxelLabels};
use crate::nifti::NiftiReader;

/// The voxels of one key of a label image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Number of voxels.
    pub n_voxels: usize,
    /// The mean of the voxel centres, right-anterior-superior mm.
    pub centroid_mm: [f64; 3],
}

impl VoxelLabels {
    /// Reads a NIfTI image of one volume, in any number format, `.nii` or `.nii.gz`.
    ///
    /// The labels are the keys of the file. They equal ROI numbers only if the keys count the
    /// regions from 1. NaN means no region, as 0 does.
    ///
    /// # Errors
    /// As [`NiftiReader`]; [`FormatError::Labels`] for several volumes and for a value that is not
    /// a whole number from 0 to 2³² − 1.
    pub fn read(path: &Path) -> Result<Self, FormatError> {
        let mut image = NiftiReader::open(path)?;
        let header = image.header().clone();
        if header.n_volumes() != 1 {
            let found = header.n_volumes();
            return Err(FormatError::labels(path, LabelProblem::Volumes { found }));
        }
        let mut bytes = Vec::new();
        image.read_volume_bytes(&mut bytes)?;

        let labels = header
            .values(&bytes)
            .enumerate()
            .map(|(voxel, value)| {
                label(value).ok_or_else(|| {
                    let found = value;
                    FormatError::labels(path, LabelProblem::Voxel { voxel, found })
                })
            })
            .collect::<Result<_, _>>()?;
        image.read_volume_bytes(&mut bytes)?; // Reads to the end, where gzip verifies the checksum.
        Ok(Self {
            shape: header.shape(),
            affine: header.affine,
            labels,
        })
    }

    /// The keys that occur, without 0, with the size and centroid of each region.
    pub fn regions(&self) -> BTreeMap<u32, Region> {
        // By key: number of voxels, and the sum of their indices along each axis.
        let mut sums: BTreeMap<u32, (usize, [f64; 3])> = BTreeMap::new();
        let [width, height, _] = self.shape.map(|length| length.max(1));
        for (at, &label) in self.labels.iter().enumerate() {
            if label > 0 {
                let at = at as u64;
                let index = [at % width, at / width % height, at / width / height];
                let (n_voxels, sum) = sums.entry(label).or_default();
                *n_voxels += 1;
                for (sum, index) in sum.iter_mut().zip(index) {
                    *sum += index as f64;
                }
            }
        }
        sums.into_iter()
            .map(|(label, (n_voxels, sum))| {
                let middle = sum.map(|sum| sum / n_voxels as f64);
                let centroid_mm = self.affine.map(|row| {
                    row[0] * middle[0] + row[1] * middle[1] + row[2] * middle[2] + row[3]
                });
                (
                    label,
                    Region {
                        n_voxels,
                        centroid_mm,
                    },
                )
            })
            .collect()
    }
}

/// The label of a voxel value; `None` if the value is not a label.
fn label(value: f64) -> Option<u32> {
    if value.is_nan() {
        return Some(0);
    }
    let whole = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value);
    whole.then_some(value as u32)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::nifti::tests::{float_image, write_bytes, write_i16};

    fn golden(name: &str) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "tests/golden", name]
            .iter()
            .collect()
    }

    #[test]
    fn the_keys_of_the_file_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nii.gz");
        write_i16(&path, &[2, 2, 1], &[0, 7, 1001, 7]);
        let labels = VoxelLabels::read(&path).unwrap();
        assert_eq!(
            (labels.shape, &labels.labels[..]),
            ([2, 2, 1], &[0, 7, 1001, 7][..])
        );
        let regions = labels.regions();
        assert_eq!(regions.keys().collect::<Vec<_>>(), [&7, &1001]);
        // Voxels (1, 0, 0) and (1, 1, 0) of 2 mm.
        let seven = Region {
            n_voxels: 2,
            centroid_mm: [2., 1., 0.],
        };
        assert_eq!(regions[&7], seven);
    }

    #[test]
    fn what_is_no_label_is_refused_with_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nii");
        let whole = float_image(&[2, 1, 1], &[f64::NAN, 4294967295.]);
        write_bytes(&path, &whole);
        assert_eq!(VoxelLabels::read(&path).unwrap().labels, [0, u32::MAX]);
        for value in [0.5, -1., 4294967296., f64::INFINITY] {
            write_bytes(&path, &float_image(&[2, 1, 1], &[1., value]));
            match VoxelLabels::read(&path).unwrap_err() {
                FormatError::Labels { problem, .. } => assert_eq!(
                    problem,
                    LabelProblem::Voxel {
                        voxel: 1,
                        found: value
                    }
                ),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn several_volumes_are_no_labels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nii");
        write_i16(&path, &[1, 1, 1, 3], &[1, 2, 3]);
        assert!(matches!(
            VoxelLabels::read(&path),
            Err(FormatError::Labels {
                problem: LabelProblem::Volumes { found: 3 },
                ..
            })
        ));
    }

    #[test]
    fn nibabel_finds_the_same_regions() {
        let images = std::fs::read(golden("images.json")).unwrap();
        let expected: serde_json::Value = serde_json::from_slice(&images).unwrap();
        let integers = VoxelLabels::read(&golden("labels.nii.gz")).unwrap();
        let regions = integers.regions();
        assert_eq!(regions.keys().collect::<Vec<_>>(), [&1, &2, &40]);
        for (key, region) in &regions {
            let numbers = &expected["regions"][key.to_string()];
            assert_eq!(numbers[0], region.n_voxels);
            for axis in 0..3 {
                let difference = numbers[axis + 1].as_f64().unwrap() - region.centroid_mm[axis];
                // The affine is stored in 32 bits: 126 mm has an error up to 4e-6.
                assert!(difference.abs() < 2e-5, "{difference}");
            }
        }
        // NIfTI-2 with 32-bit floats and NaN around the labels.
        let floats = VoxelLabels::read(&golden("labels_f4_version_2.nii")).unwrap();
        assert_eq!(floats.labels, integers.labels);
    }
}
