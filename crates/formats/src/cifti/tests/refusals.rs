//! Files that are something else, damaged or hostile.

use proptest::prelude::*;

use super::file_bytes::{axis, open, refusal};
use super::*;

#[test]
fn the_intent_code_may_be_unset_but_not_wrong() {
    for (intent, word) in [
        (3001, ".dconn.nii"),
        (3003, ".pconn.nii"),
        (3006, ".dscalar.nii"),
        (3008, ".pscalar.nii"),
        (3004, "one of them is wrong"),
        (3007, "one of them is wrong"),
    ] {
        let mut bytes = FileBytes::dense(true);
        bytes.intent = intent;
        let text = refusal(&bytes.finish());
        assert!(text.contains(word), "{text}");
    }
    for intent in [0, 3000] {
        let mut bytes = FileBytes::dense(true);
        bytes.intent = intent;
        assert_eq!(bytes.open().unwrap().kind(), CiftiKind::DenseSeries);
    }
}

#[test]
fn axes_that_are_not_read_are_named() {
    for (axes, word) in [
        ([axis(0, "SCALARS", "", ""), models(1)], "scalars"),
        ([series(0, 3), series(1, 5)], "series and series"),
        ([series(0, 3), axis(1, "MOONS", "", "")], "MOONS"),
        ([series(0, 4), models(1)], "5 rows of 3 values"),
        ([series(0, 3), series(0, 3)], "two axes"),
    ] {
        let text = refusal(&FileBytes::new(3, 5, 0, axes, vec![0; 60]).finish());
        assert!(text.contains(word), "{text}");
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
    for (bytes, word) in [
        (vec![0x1f, 0x8b, 8, 0], "gunzip"),
        (patched(0, &348_i32.to_le_bytes()), "plain NIfTI"),
        (patched(0, &348_i32.to_be_bytes()), "plain NIfTI"),
        (patched(540, &[0]), "plain NIfTI"),
        (without_xml, "plain NIfTI"),
        (not_utf8, "not UTF-8"),
        (vec![], "0 bytes"),
        (b"ID3".to_vec(), "3 bytes"),
        (patched(0, b"GIF8"), "neither 348"),
        (patched(12, &1792_i16.to_le_bytes()), "data type 1792"),
        (patched(24, &2_i64.to_le_bytes()), "expected [1, 1, 1, 1"),
        (patched(64, &4_i64.to_le_bytes()), "4 rows of 3 values"),
        (patched(168, &(1_i64 << 40).to_le_bytes()), "too early"),
        (patched(544, &0_i32.to_le_bytes()), "size of 0"),
        (patched(544, &24_i32.to_le_bytes()), "size of 24"),
        (patched(544, &(-16_i32).to_le_bytes()), "size of -16"),
        (patched(544, &i32::MAX.to_le_bytes()), "size of 2147483647"),
    ] {
        let text = refusal(&bytes);
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_header_that_claims_more_than_the_file_is_refused() {
    let n_volumes = 80_000;
    let axes = [series(0, n_volumes), plain_surface(1, 5)];
    let text = refusal(&FileBytes::new(n_volumes, 5, 3002, axes, vec![0; 60]).finish());
    assert!(
        text.contains("has 60 bytes of data") && text.contains("need 1600000"),
        "{text}"
    );
}

/// Opens and reads everything that can be read.
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
        // Numbers in the XML, which the changes above hardly ever leave well-formed.
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
        prop_assert!(open(&bytes[..at.index(bytes.len())]).is_err());
    }
}
