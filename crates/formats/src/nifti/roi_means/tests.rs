use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::super::header::tests::HeaderBytes;
use super::super::tests::{write_bytes, write_i16};
use super::*;
use crate::is;

/// Labels on the grid of the test headers: voxels of 2 mm.
fn labels(shape: [u64; 3], labels: &[u32]) -> VoxelLabels {
    VoxelLabels {
        shape,
        affine: [[2., 0., 0., 0.], [0., 2., 0., 0.], [0., 0., 2., 0.]],
        labels: labels.to_vec(),
    }
}

fn golden(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/golden", name]
        .iter()
        .collect()
}

fn folder_with(name: &str, dims: &[i16], values: &[i16]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write_i16(&path, dims, values);
    (folder, path)
}

fn problem(result: Result<VolumeMeans, FormatError>) -> NiftiProblem {
    match result.unwrap_err() {
        FormatError::Nifti { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn means_are_taken_over_the_voxels_of_each_roi() {
    let (_folder, path) = folder_with("a.nii.gz", &[4, 1, 1, 2], &[1, 3, 9, 6, 2, -4, 9, 8]);
    let means = roi_means(&path, &labels([4, 1, 1], &[1, 1, 0, 2]), 2, None).unwrap();
    assert_eq!(means.signals.values, [2., -1., 6., 8.]);
    assert_eq!((means.signals.n_rois, means.signals.tr_secs), (2, None));
    assert_eq!(means.coverage, [1., 1.]);
}

#[test]
fn a_voxel_that_is_0_at_first_lies_outside_the_brain() {
    let (_folder, path) = folder_with("a.nii", &[4, 1, 1, 2], &[0, 3, 5, 0, 7, 5, 0, 8]);
    let means = roi_means(&path, &labels([4, 1, 1], &[1, 1, 1, 2]), 3, None).unwrap();
    // The third voxel is 0 later on, where that is a value as any other.
    assert_eq!(means.signals.roi(0), [4., 2.5]);
    // ROI 2 lies outside altogether, ROI 3 has no voxel.
    for at in 2..6 {
        assert!(means.signals.values[at].is_nan());
    }
    assert_eq!(means.coverage, [2. / 3., 0., 0.]);
}

#[test]
fn a_part_is_some_volumes_of_the_whole() {
    for name in ["a.nii", "a.nii.gz"] {
        let (_folder, path) = folder_with(name, &[2, 1, 1, 4], &[1, 1, 0, 2, 3, 3, 4, 4]);
        let read = |part| roi_means(&path, &labels([2, 1, 1], &[1, 1]), 1, part);
        let part = read(Some(1..3)).unwrap();
        // The first volume of the range determines which voxels lie outside.
        assert_eq!(
            (part.signals.values, part.coverage),
            (vec![2., 3.], vec![0.5])
        );
        assert_eq!(read(Some(3..4)).unwrap().signals.values, [4.]);
        for part in [2..5, 2..2, 5..6] {
            match problem(read(Some(part.clone()))) {
                NiftiProblem::Volumes { asked, n_volumes } => {
                    assert_eq!((asked, n_volumes), (part, 4));
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn every_format_and_byte_order_gives_the_same_scaled_means() {
    let numbers = [3_u8, 5, 0, 4, 6, 7];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii");
    type LittleEndian = fn(u8) -> Vec<u8>;
    let formats: [(i16, LittleEndian); 10] = [
        (2, |n| n.to_le_bytes().into()),
        (4, |n| i16::from(n).to_le_bytes().into()),
        (8, |n| i32::from(n).to_le_bytes().into()),
        (16, |n| f32::from(n).to_le_bytes().into()),
        (64, |n| f64::from(n).to_le_bytes().into()),
        (256, |n| (n as i8).to_le_bytes().into()),
        (512, |n| u16::from(n).to_le_bytes().into()),
        (768, |n| u32::from(n).to_le_bytes().into()),
        (1024, |n| i64::from(n).to_le_bytes().into()),
        (1280, |n| u64::from(n).to_le_bytes().into()),
    ];
    for (code, bytes) in formats {
        for big_endian in [false, true] {
            let header = HeaderBytes::nifti1(&[3, 1, 1, 2], code, 8)
                .put(112, &2_f32.to_le_bytes())
                .put(116, &(-1_f32).to_le_bytes());
            let header = if big_endian {
                header.big_endian()
            } else {
                header
            };
            let mut file = header.finish();
            for number in numbers {
                let mut bytes = bytes(number);
                if big_endian {
                    bytes.reverse();
                }
                file.extend(bytes);
            }
            fs::write(&path, file).unwrap();
            let means = roi_means(&path, &labels([3, 1, 1], &[1, 1, 2]), 2, None).unwrap();
            // The values are 2 · 4 − 1 and 2 · 0 − 1: the second is not 0 after scaling and lies
            // inside.
            assert_eq!(
                means.signals.values,
                [7., 9., -1., 13.],
                "{code} {big_endian}"
            );
        }
    }
}

#[test]
fn a_missing_voxel_makes_the_mean_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii");
    let mut file = HeaderBytes::nifti1(&[2, 1, 1, 2], 16, 32).finish();
    for number in [1_f32, 2., f32::NAN, 4.] {
        file.extend(number.to_le_bytes());
    }
    fs::write(&path, file).unwrap();
    let means = roi_means(&path, &labels([2, 1, 1], &[1, 1]), 1, None).unwrap();
    assert_eq!(means.signals.values[0], 1.5);
    assert!(means.signals.values[1].is_nan());
}

#[test]
fn labels_of_another_grid_are_refused_with_both() {
    let (_folder, path) = folder_with("a.nii", &[2, 1, 1, 1], &[1, 2]);
    let good = labels([2, 1, 1], &[1, 1]);
    let mut near = good.clone();
    near.affine[1][3] = 9e-4;
    assert!(roi_means(&path, &near, 1, None).is_ok());
    near.affine[1][3] = 2e-3;
    let mut unknown = good.clone();
    unknown.affine[0][0] = f64::NAN;
    type Is = fn(&NiftiProblem) -> bool;
    let cases: [(VoxelLabels, Is); 5] = [
        (
            near,
            is!(NiftiProblem::Affine { found } if found[1][1][3] == 2e-3),
        ),
        (
            unknown,
            is!(NiftiProblem::Affine { found } if found[1][0][0].is_nan()),
        ),
        (
            labels([1, 2, 1], &[1, 1]),
            is!(NiftiProblem::Grid {
                image: [2, 1, 1],
                labels: [1, 2, 1],
                ..
            }),
        ),
        (
            labels([2, 1, 1], &[1]),
            is!(NiftiProblem::Grid { n_labels: 1, .. }),
        ),
        (
            labels([2, 1, 1], &[1, 2]),
            is!(NiftiProblem::Label {
                label: 2,
                n_rois: 1
            }),
        ),
    ];
    for (labels, is_expected) in cases {
        let problem = problem(roi_means(&path, &labels, 1, None));
        assert!(is_expected(&problem), "{problem}");
    }
}

#[test]
fn a_scan_cut_short_is_refused() {
    for name in ["a.nii", "a.nii.gz"] {
        let (_folder, path) = folder_with(name, &[50, 1, 1, 9], &[5; 450]);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 6]).unwrap();
        let labels = labels([50, 1, 1], &[1; 50]);
        let error = roi_means(&path, &labels, 1, None).unwrap_err();
        assert!(matches!(error, FormatError::Truncated { .. }), "{error}");
    }
}

#[test]
fn nibabel_and_numpy_find_the_same_means() {
    let expected: serde_json::Value =
        serde_json::from_slice(&fs::read(golden("images.json")).unwrap()).unwrap();
    let mut labels = VoxelLabels::read(&golden("labels.nii.gz")).unwrap();
    for label in &mut labels.labels {
        *label = if *label == 40 { 3 } else { *label };
    }
    let found = roi_means(&golden("bold_i2.nii.gz"), &labels, 3, None).unwrap();
    assert!((found.signals.tr_secs.unwrap() - 1.6).abs() < 1e-6); // the header stores 32 bits
    for roi in 0..3 {
        let coverage = expected["coverage"][roi].as_f64().unwrap();
        assert_eq!(found.coverage[roi], coverage as f32);
        for volume in 0..6 {
            let mean = expected["means"][roi][volume].as_f64().unwrap();
            let difference = found.signals.roi(roi)[volume] - mean;
            // The sums of 20 values near 500 are rounded in another order.
            assert!(difference.abs() < 1e-9, "{difference}");
        }
    }
}

proptest! {
    /// The fast method equals the simple one: decode everything, then average.
    #[test]
    fn means_agree_with_whole_decoded_volumes(
        values in prop::collection::vec(-3..4_i16, 24 * 3),
        roi_of_voxel in prop::collection::vec(0..4_u32, 24),
        gzip in any::<bool>(),
    ) {
        let name = if gzip { "a.nii.gz" } else { "a.nii" };
        let (_folder, path) = folder_with(name, &[4, 3, 2, 3], &values);
        let found = roi_means(&path, &labels([4, 3, 2], &roi_of_voxel), 3, None).unwrap();
        for volume in 0..3 {
            for roi in 0..3 {
                let inside: Vec<f64> = (0..24)
                    .filter(|&voxel| roi_of_voxel[voxel] == roi as u32 + 1 && values[voxel] != 0)
                    .map(|voxel| f64::from(values[volume * 24 + voxel]))
                    .collect();
                let mean = inside.iter().sum::<f64>() / inside.len() as f64;
                let value = found.signals.roi(roi)[volume];
                prop_assert!(value == mean || (value.is_nan() && inside.is_empty()));
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(
        patches in prop::collection::vec((0..360_usize, any::<u8>()), 0..8),
        length in 0..600_usize,
        gzip in any::<bool>(),
    ) {
        let mut bytes = HeaderBytes::nifti1(&[3, 2, 1, 4], 4, 16).finish();
        bytes.resize(bytes.len() + 96, 7);
        for (at, byte) in patches {
            bytes[at] = byte;
        }
        bytes.truncate(length);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(if gzip { "a.nii.gz" } else { "a.nii" });
        write_bytes(&path, &bytes);
        let _ = roi_means(&path, &labels([3, 2, 1], &[1; 6]), 1, None);
        let _ = VoxelLabels::read(&path);
    }
}
