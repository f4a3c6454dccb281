//! Files that are refused: other formats, damaged files, hostile files.

use proptest::prelude::*;

use super::file_bytes::{axis, open, refusal};
use super::*;
use crate::is;
use crate::nifti::{HeaderProblem, NiftiProblem};

/// Test that a CIFTI problem is the expected one.
type Check = fn(&CiftiProblem) -> bool;

fn assert_refused(bytes: &[u8], is_expected: Check) {
    match refusal(bytes) {
        FormatError::Cifti { problem, .. } => assert!(is_expected(&problem), "{problem}"),
        other => panic!("{other}"),
    }
}

#[test]
fn the_intent_code_may_be_unset_but_not_wrong() {
    use CiftiKind::{DenseLabels, DenseSeries, ParcelSeries};
    let cases: [(i32, Check); 6] = [
        (
            3001,
            is!(CiftiProblem::Intent { kind, .. } if kind.ends_with("(.dconn.nii)")),
        ),
        (
            3003,
            is!(CiftiProblem::Intent { kind, .. } if kind.ends_with("(.pconn.nii)")),
        ),
        (
            3006,
            is!(CiftiProblem::Intent { kind, .. } if kind.ends_with("(.dscalar.nii)")),
        ),
        (
            3008,
            is!(CiftiProblem::Intent { kind, .. } if kind.ends_with("(.pscalar.nii)")),
        ),
        (
            3004,
            is!(CiftiProblem::IntentAndAxes {
                declared: ParcelSeries,
                found: DenseSeries
            }),
        ),
        (
            3007,
            is!(CiftiProblem::IntentAndAxes {
                declared: DenseLabels,
                found: DenseSeries
            }),
        ),
    ];
    for (intent, is_expected) in cases {
        let mut bytes = FileBytes::dense(true);
        bytes.intent = intent;
        assert_refused(&bytes.finish(), is_expected);
    }
    for intent in [0, 3000] {
        let mut bytes = FileBytes::dense(true);
        bytes.intent = intent;
        assert_eq!(bytes.open().unwrap().kind(), CiftiKind::DenseSeries);
    }
}

#[test]
fn axes_that_are_not_read_are_named() {
    let cases: [([String; 2], Check); 5] = [
        (
            [axis(0, "SCALARS", "", ""), models(1)],
            is!(CiftiProblem::Axes {
                columns: "scalars",
                rows: "brain models"
            }),
        ),
        (
            [series(0, 3), series(1, 5)],
            is!(CiftiProblem::Axes {
                columns: "series",
                rows: "series"
            }),
        ),
        (
            [series(0, 3), axis(1, "MOONS", "", "")],
            is!(CiftiProblem::AxisType { found } if found == "CIFTI_INDEX_TYPE_MOONS"),
        ),
        (
            [series(0, 4), models(1)],
            is!(CiftiProblem::AxisLengths {
                header: [3, 5],
                axes: [4, 5]
            }),
        ),
        (
            [series(0, 3), series(0, 3)],
            is!(CiftiProblem::Xml(XmlProblem::RepeatedAxis { dimension: 0 })),
        ),
    ];
    for (axes, is_expected) in cases {
        let bytes = FileBytes::new(3, 5, 0, axes, vec![0; 60]);
        assert_refused(&bytes.finish(), is_expected);
    }
}

#[test]
fn a_file_that_is_no_cifti_is_refused_with_what_it_is() {
    let whole = FileBytes::dense(true).finish();
    let patched = |at: usize, patch: &[u8]| {
        let mut bytes = whole.clone();
        bytes[at..at + patch.len()].copy_from_slice(patch);
        bytes
    };
    let without_xml = {
        let mut bytes = FileBytes::dense(true);
        bytes.extensions = vec![(6, b"a comment".to_vec())];
        bytes.finish()
    };
    let not_utf8 = {
        let mut bytes = FileBytes::dense(true);
        bytes.extensions[0].1[20] = 0xff;
        bytes.finish()
    };
    use CiftiProblem as P;
    let cases: Vec<(Vec<u8>, Check)> = vec![
        (vec![0x1f, 0x8b, 8, 0], is!(P::Compressed)),
        (patched(0, &348_i32.to_le_bytes()), is!(P::PlainNifti)),
        (patched(0, &348_i32.to_be_bytes()), is!(P::PlainNifti)),
        (patched(540, &[0]), is!(P::PlainNifti)),
        (without_xml, is!(P::PlainNifti)),
        (not_utf8, is!(P::Xml(XmlProblem::NotUtf8(_)))),
        (
            patched(24, &2_i64.to_le_bytes()),
            is!(P::Shape { found } if found[0] == 2),
        ),
        (
            patched(64, &4_i64.to_le_bytes()),
            is!(P::AxisLengths {
                header: [3, 4],
                axes: [3, 5]
            }),
        ),
        (
            patched(168, &(1_i64 << 40).to_le_bytes()),
            is!(P::NoData {
                data_offset: 0x100_0000_0000,
                ..
            }),
        ),
        (
            patched(544, &0_i32.to_le_bytes()),
            is!(P::ExtensionSize {
                at: 544,
                found: 0,
                ..
            }),
        ),
        (
            patched(544, &24_i32.to_le_bytes()),
            is!(P::ExtensionSize { found: 24, .. }),
        ),
        (
            patched(544, &(-16_i32).to_le_bytes()),
            is!(P::ExtensionSize { found: -16, .. }),
        ),
        (
            patched(544, &i32::MAX.to_le_bytes()),
            is!(P::ExtensionSize {
                found: i32::MAX,
                ..
            }),
        ),
    ];
    for (bytes, is_expected) in cases {
        assert_refused(&bytes, is_expected);
    }
    type Is = fn(&HeaderProblem) -> bool;
    let cases: [(Vec<u8>, Is); 4] = [
        (
            vec![],
            is!(HeaderProblem::Short {
                found: 0,
                expected: 544
            }),
        ),
        (b"ID3".to_vec(), is!(HeaderProblem::Short { found: 3, .. })),
        (patched(0, b"GIF8"), is!(HeaderProblem::Size)),
        (
            patched(12, &1792_i16.to_le_bytes()),
            is!(HeaderProblem::DataType { code: 1792 }),
        ),
    ];
    for (bytes, is_expected) in cases {
        match refusal(&bytes) {
            FormatError::Nifti {
                problem: NiftiProblem::Header(problem),
                ..
            } => {
                assert!(is_expected(&problem), "{problem}");
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_header_that_claims_more_than_the_file_is_refused() {
    let n_volumes = 80_000;
    let axes = [series(0, n_volumes), plain_surface(1, 5)];
    let bytes = FileBytes::new(n_volumes, 5, 3002, axes, vec![0; 60]);
    let is_expected = is!(CiftiProblem::Truncated {
        found: 60,
        needed: 1_600_000,
        ..
    });
    assert_refused(&bytes.finish(), is_expected);
}

/// Opens a file and reads all its content.
fn read_all(bytes: &[u8]) -> Result<(), FormatError> {
    let file = open(bytes)?;
    match file.kind() {
        CiftiKind::DenseSeries => file.roi_means(&three_rois(), 3, None, 2).map(drop),
        CiftiKind::ParcelSeries => file.roi_signals_of_parcels(None).map(drop),
        CiftiKind::DenseLabels => file.dense_labels().map(drop),
    }
}

/// One file of each kind.
fn samples() -> Vec<Vec<u8>> {
    vec![
        FileBytes::dense(true).finish(),
        FileBytes::dense(false).finish(),
        FileBytes::new(3, 2, 3004, [series(0, 3), parcels(1)], vec![0; 24]).finish(),
        FileBytes::new(2, 5, 0, [label_maps(0, 2), models(1)], vec![0; 40]).finish(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_do_not_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        let _ = read_all(&bytes);
    }

    #[test]
    fn changed_bytes_do_not_make_it_panic(
        sample in 0..4_usize,
        header in prop::collection::vec((0..560_usize, any::<u8>()), 0..4),
        anywhere in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        digits in prop::collection::vec((any::<prop::sample::Index>(), b'0'..=b'9'), 0..4),
    ) {
        let mut bytes = samples().swap_remove(sample);
        for (at, byte) in header {
            bytes[at] = byte;
        }
        for (at, byte) in anywhere {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // Changes of numbers in the XML; the changes above rarely leave the XML well-formed.
        let places: Vec<usize> = (0..bytes.len())
            .filter(|&at| bytes[at].is_ascii_digit())
            .collect();
        for (at, digit) in digits {
            if !places.is_empty() {
                bytes[places[at.index(places.len())]] = digit;
            }
        }
        let _ = read_all(&bytes);
    }

    #[test]
    fn a_file_cut_short_is_refused(sample in 0..4_usize, at in any::<prop::sample::Index>()) {
        let bytes = samples().swap_remove(sample);
        prop_assert!(read_all(&bytes).is_ok());
        let refused = open(&bytes[..at.index(bytes.len())]);
        let is_expected = matches!(
            refused,
            Err(FormatError::Cifti { .. } | FormatError::Nifti { .. })
        );
        prop_assert!(is_expected);
    }
}
