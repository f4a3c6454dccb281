use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::is;

fn golden(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/golden", name]
        .iter()
        .collect()
}

/// A file of version 1.0 with this dictionary and these numbers.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn read_bytes(bytes: &[u8]) -> Result<RoiSignals, FormatError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    std::fs::write(&path, bytes).unwrap();
    read(&path)
}

fn read(path: &Path) -> Result<RoiSignals, FormatError> {
    let file = NpyFile::open(path)?;
    let signals = file.read()?;
    assert_eq!(signals.n_volumes(), file.n_volumes());
    assert_eq!(signals.n_rois, file.n_rois());
    Ok(signals)
}

fn problem(result: Result<RoiSignals, FormatError>) -> NpyProblem {
    match result.unwrap_err() {
        FormatError::Npy { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

const GOOD: &str = "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2), }";

#[test]
fn numpys_own_files_are_read() {
    for name in [
        "signals_f4.npy",
        "signals_f8_fortran.npy",
        "signals_f8_big_endian.npy",
    ] {
        let signals = read(&golden(name)).unwrap();
        assert_eq!(
            (signals.n_volumes(), signals.n_rois, signals.tr_secs),
            (5, 4, None)
        );
        for (at, &value) in signals.values.iter().enumerate() {
            let (roi, volume) = (at / 5, at % 5);
            if (volume, roi) == (3, 2) {
                assert!(value.is_nan(), "{name}");
            } else {
                assert_eq!(value, 10. * volume as f64 + roi as f64 + 0.5, "{name}");
            }
        }
    }
    // Version 2 with 16-bit integers: twice the values, and 0 for the missing one.
    let signals = read(&golden("signals_i2_version_2.npy")).unwrap();
    assert_eq!(
        [0, 1, 2, 3].map(|roi| signals.roi(roi)[0]),
        [1., 3., 5., 7.]
    );
    assert_eq!((signals.roi(0)[1], signals.roi(2)[3]), (21., 0.));
}

#[test]
fn rows_are_volumes_in_either_order() {
    let data = [1, 2, 3, 4, 5, 6];
    assert_eq!(
        read_bytes(&npy(GOOD, &data)).unwrap().values,
        [1., 3., 5., 2., 4., 6.]
    );
    let fortran = GOOD.replace("False", "True");
    assert_eq!(
        read_bytes(&npy(&fortran, &data)).unwrap().values,
        [1., 2., 3., 4., 5., 6.]
    );
}

#[test]
fn more_numbers_than_one_block_are_read() {
    let data: Vec<u8> = (0..3 * BLOCK_BYTES).map(|at| at as u8).collect();
    let header = GOOD.replace("(3, 2)", "(65536, 3)");
    let signals = read_bytes(&npy(&header, &data)).unwrap();
    assert!(
        data.iter()
            .enumerate()
            .all(|(at, &byte)| signals.roi(at % 3)[at / 3] == f64::from(byte))
    );
    assert_eq!(signals.values.len(), data.len());
}

#[test]
fn a_file_that_does_not_hold_what_it_claims_is_refused() {
    let whole = npy(GOOD, &[0; 6]);
    assert!(read_bytes(&whole).is_ok());
    for length in 0..whole.len() {
        // Truncation in the first bytes, in the header, and in the numbers.
        let problem = problem(read_bytes(&whole[..length]));
        let is_expected = match length {
            ..10 => problem == NpyProblem::HeaderEndsEarly,
            _ => matches!(
                problem,
                NpyProblem::HeaderLength { .. } | NpyProblem::Length { .. }
            ),
        };
        assert!(is_expected, "{length}: {problem}");
    }
    assert_eq!(
        problem(read_bytes(&npy(GOOD, &[0; 7]))),
        NpyProblem::Length {
            found_bytes: 7,
            n_volumes: 3,
            n_rois: 2,
            number_bytes: 1
        }
    );
    type Is = fn(&NpyProblem) -> bool;
    let cases: [(&str, Is); 4] = [
        ("(4000000000, 4000000000)", is!(NpyProblem::Length { .. })),
        ("(18446744073709551615, 2)", is!(NpyProblem::Length { .. })),
        ("(0, 2)", is!(NpyProblem::Empty { n_volumes: 0, .. })),
        ("(3, 0)", is!(NpyProblem::Empty { n_rois: 0, .. })),
    ];
    for (shape, is_expected) in cases {
        let problem = problem(read_bytes(&npy(&GOOD.replace("(3, 2)", shape), &[])));
        assert!(is_expected(&problem), "{shape}: {problem}");
    }
    let mut long = npy(GOOD, &[0; 6]);
    long[6] = 3; // Version 3 has four bytes for the length of its header.
    assert!(matches!(
        problem(read_bytes(&long)),
        NpyProblem::HeaderLength { .. }
    ));
}

#[test]
fn what_is_not_supported_is_named() {
    let shape = |shape: &[u64]| NpyProblem::Shape {
        found: shape.into(),
    };
    let numbers = |code: &str| NpyProblem::DataType { found: code.into() };
    let syntax = |found: &str, expected: &str| NpyProblem::HeaderSyntax {
        found: found.into(),
        expected: expected.into(),
    };
    let object = problem(read(&golden("signals_object.npy")));
    assert_eq!(object, NpyProblem::PickledObjects);
    for (from, to, expected) in [
        ("(3, 2)", "(6,)", shape(&[6])),
        ("(3, 2)", "(1, 3, 2)", shape(&[1, 3, 2])),
        ("(3, 2)", "()", shape(&[])),
        (
            "(3, 2)",
            "(3, -2)",
            syntax("-2), }", "the length of an axis"),
        ),
        ("(3, 2)", "(3, 2", syntax("}", "the length of an axis")),
        ("'|u1'", "'<f2'", numbers("<f2")),
        ("'|u1'", "'<c8'", numbers("<c8")),
        ("'|u1'", "'é'", numbers("é")),
        ("'|u1'", "[('a', '<f4')]", NpyProblem::NamedColumns),
        (
            "False",
            "Maybe",
            syntax("Maybe, 'shape': (3, ", "\"False\""),
        ),
        (
            "'shape'",
            "'size'",
            NpyProblem::UnknownEntry {
                name: "size".into(),
            },
        ),
        (
            ", 'shape': (3, 2)",
            "",
            NpyProblem::MissingEntry { name: "shape" },
        ),
        ("{", "(", syntax("('descr': '|u1', 'fo", "\"{\"")),
    ] {
        let found = problem(read_bytes(&npy(&GOOD.replace(from, to), &[0; 6])));
        assert_eq!(found, expected, "{to}");
    }
    assert_eq!(
        problem(read_bytes(b"PK\x03\x04 a zip file")),
        NpyProblem::NotNpy
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        start in prop::sample::select(vec![0, 8, 10, 73]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut file = npy(GOOD, &[0; 6])[..start].to_vec();
        file.extend(bytes);
        let _ = read_bytes(&file);
    }

    #[test]
    fn no_change_makes_it_panic(
        changes in prop::collection::vec((0..79_usize, any::<u8>()), 1..6),
    ) {
        let mut file = npy(GOOD, &[0; 6]);
        for (at, byte) in changes {
            let at = at % file.len();
            file[at] = byte;
        }
        if let Ok(signals) = read_bytes(&file) {
            prop_assert!(signals.n_rois > 0 && signals.values.len() % signals.n_rois == 0);
        }
    }
}
