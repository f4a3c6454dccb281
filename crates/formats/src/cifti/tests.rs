//! Tests on small files built in memory, with known means and labels.

mod file_bytes;
mod golden;
mod refusals;

use std::ops::Range;

use super::*;
use crate::label_map::GrayordinateLabels;
use brainmae_files::InvalidField;
use file_bytes::{FileBytes, label_maps, models, parcels, plain_surface, series};

/// ROI 1 is left vertices 0, 1 and 3; ROI 2 is the right vertex 0 and the voxel; ROI 3 is missing.
fn three_rois() -> GrayordinateLabels {
    GrayordinateLabels {
        left: vec![1, 1, 0, 1],
        right: vec![2, 0, 3],
        voxels: [([1, 0, 1], 2)].into(),
    }
}

fn bytes_of<const N: usize, T>(values: &[T], bytes: impl Fn(&T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(bytes).collect()
}

/// Means of the ROIs of [`three_rois`], without the missing third ROI.
fn two_means(file: &CiftiFile, part: Option<Range<usize>>) -> Vec<f64> {
    let means = file.roi_means(&three_rois(), 3, part, 2).unwrap();
    let signals = means.signals;
    assert!(signals.roi(2).iter().all(|value| value.is_nan()));
    [signals.roi(0), signals.roi(1)].concat()
}

#[test]
fn means_are_those_of_the_grayordinates_in_both_orders() {
    for places_are_rows in [true, false] {
        let file = FileBytes::dense(places_are_rows).open().unwrap();
        assert_eq!(file.kind(), CiftiKind::DenseSeries);
        assert_eq!((file.n_volumes(), file.n_grayordinates()), (3, 5));
        assert_eq!(file.tr_secs(), Some(0.72));
        assert_eq!(file.volume_space().unwrap().shape, [2, 2, 2]);
        // ROI 1: grayordinates 0 and 1, ROI 2: 2 and 4.
        assert_eq!(two_means(&file, None), [5., 6., 7., 30., 31., 32.]);
        assert_eq!(two_means(&file, Some(1..2)), [6., 31.]);
        let means = file.roi_means(&three_rois(), 3, None, 1).unwrap();
        assert_eq!(means.coverage, [2. / 3., 1., 0.]);
        assert_eq!(means.signals.tr_secs, Some(0.72));
    }
}

#[test]
fn every_data_type_is_read_in_both_byte_orders_and_scaled() {
    let numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15_u8];
    macro_rules! case {
        ($code:literal, $number:ty) => {
            (
                $code,
                bytes_of(&numbers, |&value| (value as $number).to_le_bytes()),
                bytes_of(&numbers, |&value| (value as $number).to_be_bytes()),
            )
        };
    }
    for (code, little, big) in [
        case!(2, u8),
        case!(4, i16),
        case!(8, i32),
        case!(16, f32),
        case!(64, f64),
        case!(256, i8),
        case!(512, u16),
        case!(768, u32),
        case!(1024, i64),
        case!(1280, u64),
    ] {
        for (big_endian, data) in [(false, little), (true, big)] {
            let mut bytes = FileBytes::dense(true);
            (bytes.data_type, bytes.big_endian, bytes.data) = (code, big_endian, data);
            bytes.scaling = [2.0, -1.0];
            let file = bytes.open().unwrap();
            // Rows start at 1, 4, 7, 10, 13: means 2.5 and 10, times two, minus one.
            assert_eq!(
                two_means(&file, Some(0..1)),
                [4., 19.],
                "data type {code}, big-endian: {big_endian}"
            );
        }
    }
}

#[test]
fn a_slope_of_zero_or_nan_scales_nothing() {
    for slope in [0.0, f64::NAN] {
        let mut bytes = FileBytes::dense(true);
        bytes.scaling = [slope, 5.0];
        assert_eq!(two_means(&bytes.open().unwrap(), Some(0..1)), [5., 30.]);
    }
}

#[test]
fn a_nan_in_one_grayordinate_is_one_in_the_mean() {
    let mut bytes = FileBytes::dense(true);
    bytes.data[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let means = two_means(&bytes.open().unwrap(), None);
    assert!(means[0].is_nan());
    assert_eq!(means[1..], [6., 7., 30., 31., 32.]);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    // Rows of 80 kB, three in a block, and a range of unlabelled rows to skip.
    let (n_places, n_volumes) = (60, 20_000);
    let value =
        |place: usize, volume: usize| ((place * 7919 + volume * 104_729) % 1009) as f32 / 7.0 + 1e4;
    let labels = GrayordinateLabels {
        left: (0..n_places as u32)
            .map(|place| {
                if (20..35).contains(&place) {
                    0
                } else {
                    place % 3
                }
            })
            .collect(),
        ..GrayordinateLabels::default()
    };
    let of_roi = |roi: u32| {
        let labels = &labels.left;
        (0..n_places).filter(move |&place| labels[place] == roi)
    };
    let mut values = vec![0_f32; n_places * n_volumes];
    for places_are_rows in [true, false] {
        for place in 0..n_places {
            for volume in 0..n_volumes {
                values[if places_are_rows {
                    place * n_volumes + volume
                } else {
                    volume * n_places + place
                }] = value(place, volume);
            }
        }
        let data = bytes_of(&values, |value| value.to_le_bytes());
        let file = if places_are_rows {
            let axes = [series(0, n_volumes), plain_surface(1, n_places)];
            FileBytes::new(n_volumes, n_places, 3002, axes, data)
        } else {
            let axes = [plain_surface(0, n_places), series(1, n_volumes)];
            FileBytes::new(n_places, n_volumes, 3002, axes, data)
        };
        let file = file.open().unwrap();
        let part = 5_000..19_999;
        let means = |threads| {
            file.roi_means(&labels, 2, Some(part.clone()), threads)
                .unwrap()
        };
        let one = means(1);
        for threads in [0, 2, 3, 4, 100] {
            assert!(one == means(threads), "{threads} threads");
        }
        for (roi, signal) in (1..).zip([one.signals.roi(0), one.signals.roi(1)]) {
            for (mean, volume) in signal.iter().zip(part.clone()) {
                let sum: f64 = of_roi(roi)
                    .map(|place| f64::from(value(place, volume)))
                    .sum();
                let expected = sum / of_roi(roi).count() as f64;
                assert!((mean / expected - 1.0).abs() < 1e-12, "{mean} {expected}");
            }
        }
    }
}

/// The CIFTI problem of a refused file.
fn problem<T: std::fmt::Debug>(result: Result<T, FormatError>) -> CiftiProblem {
    match result.unwrap_err() {
        FormatError::Cifti { problem, .. } => *problem,
        other => panic!("{other}"),
    }
}

#[test]
fn what_cannot_be_asked_of_a_file_is_refused() {
    let dense = FileBytes::dense(true).open().unwrap();
    let labels = three_rois();
    let means = |labels, n_rois, part| dense.roi_means(labels, n_rois, part, 1);
    match means(&labels, 2, None).unwrap_err() {
        FormatError::Config(InvalidField { found, .. }) => assert_eq!(found, "3"),
        other => panic!("{other}"),
    }
    for part in [1..1, 2..4, 3..4, usize::MAX..usize::MAX] {
        match problem(means(&labels, 3, Some(part.clone()))) {
            CiftiProblem::Volumes { asked, n_volumes } => {
                assert_eq!((asked, n_volumes), (part, 3));
            }
            other => panic!("{other}"),
        }
    }
    let other_mesh = GrayordinateLabels {
        left: vec![0; 5],
        ..labels.clone()
    };
    assert!(matches!(
        problem(means(&other_mesh, 3, None)),
        CiftiProblem::Mesh {
            side: Side::Left,
            found: 4,
            labels: 5
        }
    ));

    assert!(matches!(
        problem(dense.roi_signals_of_parcels(None)),
        CiftiProblem::Kind {
            found: CiftiKind::DenseSeries,
            needed: CiftiKind::ParcelSeries
        }
    ));
    assert!(matches!(
        problem(dense.dense_labels()),
        CiftiProblem::Kind {
            needed: CiftiKind::DenseLabels,
            ..
        }
    ));
}

#[test]
fn parcels_come_by_name_in_both_orders() {
    let values = |values: [f32; 6]| bytes_of(&values, |value| value.to_le_bytes());
    for bytes in [
        FileBytes::new(
            3,
            2,
            3004,
            [series(0, 3), parcels(1)],
            values([1., 2., 3., 10., 20., 30.]),
        ),
        FileBytes::new(
            2,
            3,
            0,
            [parcels(0), series(1, 3)],
            values([1., 10., 2., 20., 3., 30.]),
        ),
    ] {
        let file = bytes.open().unwrap();
        assert_eq!(file.kind(), CiftiKind::ParcelSeries);
        assert_eq!((file.n_volumes(), file.n_grayordinates()), (3, 0));
        assert_eq!(file.names().unwrap(), ["A", "B"]);
        let (names, signals) = file.roi_signals_of_parcels(None).unwrap();
        assert_eq!(names, ["A", "B"]);
        assert_eq!(signals.values, [1., 2., 3., 10., 20., 30.]);
        assert_eq!((signals.n_rois, signals.tr_secs), (2, Some(0.72)));
        let (_, signals) = file.roi_signals_of_parcels(Some(1..3)).unwrap();
        assert_eq!(signals.values, [2., 3., 20., 30.]);
    }
}

#[test]
fn labels_come_from_the_first_map_in_both_orders() {
    let values = |values: &[f32]| bytes_of(values, |value| value.to_le_bytes());
    for bytes in [
        FileBytes::new(
            2,
            5,
            3007,
            [label_maps(0, 2), models(1)],
            values(&[4., 9., 0., 9., 4., 9., 7., 9., 4., 9.]),
        ),
        FileBytes::new(
            5,
            2,
            3007,
            [models(0), label_maps(1, 2)],
            values(&[4., 0., 4., 7., 4., 9., 9., 9., 9., 9.]),
        ),
    ] {
        let file = bytes.open().unwrap();
        assert_eq!((file.tr_secs(), file.n_volumes()), (None, 0));
        let labels = file.dense_labels().unwrap();
        assert_eq!(labels.labels.left, [0, 4, 0, 0]);
        assert_eq!(labels.labels.right, [4, 0, 0]);
        assert_eq!(labels.labels.voxels, [([1, 0, 1], 4)].into());
        assert_eq!(
            labels.table[1],
            LabelEntry {
                key: 4,
                name: "A & B".into()
            }
        );
        assert_eq!(labels.volume_space.as_ref(), file.volume_space());
    }
}

#[test]
fn a_value_that_is_no_key_is_refused_and_a_negative_one_is_none() {
    let labels = |value: f32| {
        let values = bytes_of(&[4., value, 4., 4., 4.], |value| value.to_le_bytes());
        let bytes = FileBytes::new(1, 5, 3007, [label_maps(0, 1), models(1)], values);
        bytes.open().unwrap().dense_labels()
    };
    assert_eq!(labels(-1.0).unwrap().labels.left, [0, 4, 0, 0]);
    for value in [1.5, f32::NAN, f32::INFINITY, -f32::INFINITY, 1e10] {
        assert!(matches!(
            problem(labels(value)),
            CiftiProblem::LabelValue {
                grayordinate: 1,
                ..
            }
        ));
    }
}

#[test]
fn other_extensions_are_passed_over() {
    let mut bytes = FileBytes::dense(true);
    bytes.extensions.insert(0, (6, b"a comment".to_vec()));
    bytes.extensions.push((4, b"after".to_vec()));
    assert_eq!(two_means(&bytes.open().unwrap(), Some(0..1)), [5., 30.]);
}
