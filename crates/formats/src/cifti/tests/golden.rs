//! Files of nibabel and Connectome Workbench; `tests/golden/README.md` describes their origin.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Expected {
    tr_secs: f64,
    n_grayordinates: usize,
    left: Vec<u32>,
    right: Vec<u32>,
    voxels: Vec<[u32; 4]>,
    names: std::collections::BTreeMap<i64, String>,
    means: Vec<Vec<Option<f64>>>,
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/cifti")
        .join(name)
}

fn expected() -> Expected {
    let text = std::fs::read_to_string(golden("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn golden_labels() -> DenseLabels {
    let file = CiftiFile::open(&golden("labels.dlabel.nii")).unwrap();
    file.dense_labels().unwrap()
}

#[test]
fn labels_of_nibabel_are_read() {
    let (expected, read) = (expected(), golden_labels());
    assert_eq!(read.labels.left, expected.left);
    assert_eq!(read.labels.right, expected.right);
    let voxels = expected.voxels.iter().filter(|[.., key]| *key > 0);
    assert_eq!(
        read.labels.voxels,
        voxels.map(|&[i, j, k, key]| ([i, j, k], key)).collect()
    );
    let names = read.table.into_iter().map(|entry| (entry.key, entry.name));
    assert_eq!(expected.names, names.collect());
    let space = read.volume_space.unwrap();
    assert_eq!(space.shape, [5, 4, 3]);
    assert_eq!(space.affine[0], [-2.0, 0.0, 0.0, 4.0]);
}

#[test]
fn means_agree_with_numpy_on_files_of_nibabel() {
    let expected = expected();
    let labels = golden_labels().labels;
    for name in ["dense.dtseries.nii", "transposed.dtseries.nii"] {
        let file = CiftiFile::open(&golden(name)).unwrap();
        assert_eq!(file.n_grayordinates(), expected.n_grayordinates);
        assert_eq!(file.tr_secs(), Some(expected.tr_secs));
        let means = file.roi_means(&labels, 6, None, 2).unwrap();
        assert_eq!(means.signals.n_volumes(), expected.means.len());
        for (volume, expected) in expected.means.iter().enumerate() {
            assert_eq!(means.signals.n_rois, expected.len());
            for (roi, expected) in expected.iter().enumerate() {
                let mean = means.signals.roi(roi)[volume];
                match expected {
                    Some(expected) => assert!((mean / expected - 1.0).abs() < 1e-12),
                    None => assert!(mean.is_nan()),
                }
            }
        }
        assert_eq!(means.coverage, [1., 1., 1., 0., 1., 1.]);
    }
}

#[test]
fn means_agree_with_those_of_workbench() {
    let expected = expected();
    let file = CiftiFile::open(&golden("workbench.ptseries.nii")).unwrap();
    assert_eq!(file.tr_secs(), Some(expected.tr_secs));
    let (names, signals) = file.roi_signals_of_parcels(None).unwrap();
    let keys: Vec<usize> = names
        .iter()
        .map(|name| {
            let key = expected.names.iter().find(|(_, known)| *known == name);
            *key.unwrap().0 as usize
        })
        .collect();
    assert_eq!(keys, [1, 2, 3, 5, 6]);
    assert_eq!(signals.n_volumes(), expected.means.len());
    for (volume, expected) in expected.means.iter().enumerate() {
        for (roi, key) in keys.iter().enumerate() {
            let expected = expected[key - 1].unwrap();
            assert!((signals.roi(roi)[volume] / expected - 1.0).abs() < 1e-6);
        }
    }
}
