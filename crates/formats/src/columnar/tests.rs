use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use proptest::prelude::*;

use super::*;
use crate::is;

const NAMES: [&str; 4] = ["LH_Vis_1", "LH_SomMot_1", "RH_Vis_1", "RH_Default_1"];

fn golden(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/golden", name]
        .iter()
        .collect()
}

/// Reads a scan and checks that the separate queries for names, TR and length agree with it.
fn read(path: &std::path::Path, scan: Option<&str>) -> Result<SignalTable, FormatError> {
    let file = ColumnarFile::open(path)?;
    let read = file.read(scan);
    if let Ok(table) = &read {
        assert_eq!(file.names(scan).unwrap(), table.names);
        assert_eq!(file.tr_secs(scan).unwrap(), table.signals.tr_secs);
        assert_eq!(file.n_volumes(scan).unwrap(), table.signals.n_volumes());
    }
    read
}

fn scans(path: &std::path::Path) -> Result<Vec<String>, FormatError> {
    ColumnarFile::open(path)?.scans()
}

fn problem(result: Result<SignalTable, FormatError>) -> ColumnarProblem {
    match result.unwrap_err() {
        FormatError::Columnar { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

/// Checks the values that the golden files hold.
fn assert_scan(table: &SignalTable, scan: &str, what: &str) {
    let (sign, n_volumes) = if scan == "a" { (1., 5) } else { (-1., 4) };
    assert_eq!(
        (table.signals.n_rois, table.signals.n_volumes()),
        (4, n_volumes),
        "{what}"
    );
    for (at, &value) in table.signals.values.iter().enumerate() {
        let (roi, volume) = (at / n_volumes, at % n_volumes);
        if (volume, roi) == (3, 2) {
            assert!(value.is_nan(), "{what}");
        } else {
            assert_eq!(
                value,
                sign * (10. * volume as f64 + roi as f64 + 0.5),
                "{what} {at}"
            );
        }
    }
}

/// Writes one batch as a Parquet or an Arrow file and reads a scan.
fn read_columns(
    columns: &[(&str, ArrayRef)],
    scan: Option<&str>,
) -> Result<SignalTable, FormatError> {
    let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.arrow");
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(file, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let found = read(&path, scan);

    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ::parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let as_text = |found: &Result<SignalTable, FormatError>| match found {
        Ok(table) => format!("{table:?}"),
        Err(error) => error.to_string().replace(&path.display().to_string(), ""),
    };
    assert_eq!(
        as_text(&found),
        as_text(&read(&path, scan)),
        "Arrow and Parquet"
    );
    found
}

fn numbers(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn whole(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn wide_files_of_pandas_are_read_scan_by_scan() {
    for name in ["wide_gzip.parquet", "wide_snappy.parquet", "wide.arrow"] {
        let mut known = scans(&golden(name)).unwrap();
        known.sort();
        assert_eq!(known, ["a", "b"], "{name}");
        for scan in ["a", "b"] {
            let table = read(&golden(name), Some(scan)).unwrap();
            assert_scan(&table, scan, name);
            assert_eq!(table.names.unwrap(), NAMES, "{name}");
            assert!(
                (table.signals.tr_secs.unwrap() - 0.72).abs() < 1e-9,
                "{name}"
            );
        }
    }
}

#[test]
fn long_files_of_pandas_are_read_whatever_the_order_of_their_rows() {
    for scan in ["a", "b"] {
        let mut table = read(&golden("long_names.parquet"), Some(scan)).unwrap();
        // ROIs have the order of their names in the shuffled rows.
        let names = table.names.take().unwrap();
        let places = NAMES.map(|name| names.iter().position(|other| other == name).unwrap());
        let sorted = places.map(|place| table.signals.roi(place)).concat();
        table.signals.values = sorted;
        assert_scan(&table, scan, "long_names.parquet");
    }
    let table = read(&golden("long_numbers.arrow"), None).unwrap();
    assert_eq!(table.names, None);
    assert_scan(&table, "a", "long_numbers.arrow");
}

#[test]
fn lists_of_all_rois_are_read() {
    for name in ["lists.arrow", "lists.parquet"] {
        for scan in ["a", "b"] {
            let table = read(&golden(name), Some(scan)).unwrap();
            assert_eq!(table.names, None);
            assert_scan(&table, scan, name);
        }
    }
}

#[test]
fn volumes_that_are_not_kept_are_told() {
    // The wide form, with rows in another order than the volumes.
    let marks = [Some(false), None, Some(true)].to_vec();
    let marks: ArrayRef = Arc::new(BooleanArray::from(marks));
    let columns = [
        ("volume", whole(&[2, 0, 1])),
        ("kept", marks),
        ("a", numbers(&[3., 1., 2.])),
    ];
    let table = read_columns(&columns, None).unwrap();
    assert_eq!(table.kept, Some(vec![true, true, false]));
    assert_eq!(table.names.unwrap(), ["a"]);
    assert_eq!(read_columns(&columns[2..], None).unwrap().kept, None);

    let columns = [("kept", whole(&[0, 1])), ("a", numbers(&[1., 2.]))];
    assert!(matches!(
        problem(read_columns(&columns, None)),
        ColumnarProblem::KeptType {
            found: DataType::Int64
        }
    ));
}

#[test]
fn a_scan_must_be_named_when_there_are_several_and_must_be_there() {
    let several = golden("wide.arrow");
    assert!(matches!(
        problem(read(&several, None)),
        ColumnarProblem::SeveralScans { first, second } if first == "a" && second == "b"
    ));
    assert!(matches!(
        problem(read(&several, Some("c"))),
        ColumnarProblem::NoScan { scan, found } if scan == "c" && found == ["a", "b"]
    ));
    assert!(matches!(
        problem(read(&golden("long_numbers.arrow"), Some("a"))),
        ColumnarProblem::NoScanColumn { scan } if scan == "a"
    ));
    // The only scan needs no name; the name may be a number.
    let columns = [("scan", whole(&[101, 101])), ("a", numbers(&[1., 2.]))];
    assert_eq!(
        read_columns(&columns, None).unwrap().signals.values,
        [1., 2.]
    );
    assert_eq!(
        read_columns(&columns, Some("101"))
            .unwrap()
            .signals
            .n_volumes(),
        2
    );
}

#[test]
fn rows_without_numbers_of_volumes_are_in_order() {
    let table = read_columns(&[("a", numbers(&[1., 2.])), ("b", whole(&[3, 4]))], None).unwrap();
    assert_eq!(table.signals.values, [1., 2., 3., 4.]);
    assert_eq!(
        (table.names.unwrap().join(" "), table.signals.tr_secs),
        ("a b".into(), None)
    );
}

#[test]
fn rows_are_sorted_by_volume_with_their_times() {
    let table = read_columns(
        &[
            ("volume", whole(&[3, 1, 2])),
            ("time_secs", numbers(&[4., 0., 2.])),
            ("0", numbers(&[30., 10., 20.])),
            ("1", numbers(&[31., 11., 21.])),
            ("2", numbers(&[32., 12., 22.])),
        ],
        None,
    );
    let SignalTable { names, signals, .. } = table.unwrap();
    assert_eq!(
        signals.values,
        [10., 20., 30., 11., 21., 31., 12., 22., 32.]
    );
    // Columns named 0, 1, … give no ROI names.
    assert_eq!((names, signals.tr_secs), (None, Some(2.)));
}

#[test]
fn uneven_times_tell_no_tr() {
    let columns = [
        ("time_secs", numbers(&[0., 2., 5.])),
        ("a", numbers(&[1., 2., 3.])),
    ];
    assert_eq!(read_columns(&columns, None).unwrap().signals.tr_secs, None);
}

#[test]
fn what_has_no_row_in_the_long_form_is_missing() {
    let table = read_columns(
        &[
            ("volume", whole(&[0, 1, 1])),
            ("roi", texts(&["b", "a", "b"])),
            ("bold", numbers(&[1., 2., 3.])),
            ("note", texts(&["", "", ""])),
        ],
        None,
    );
    let SignalTable { names, signals, .. } = table.unwrap();
    assert_eq!(names.unwrap(), ["b", "a"]);
    assert!(signals.values[2].is_nan());
    assert_eq!(
        [signals.values[0], signals.values[1], signals.values[3]],
        [1., 3., 2.]
    );
}

#[test]
fn what_is_wrong_is_named() {
    let long = |volume: &[i64], roi: &[i64]| {
        let value = vec![1.; volume.len()];
        read_columns(
            &[
                ("volume", whole(volume)),
                ("roi", whole(roi)),
                ("value", numbers(&value)),
            ],
            None,
        )
    };
    let wide = |volume: &[f64]| {
        let value = vec![1.; volume.len()];
        read_columns(&[("volume", numbers(volume)), ("a", numbers(&value))], None)
    };
    use ColumnarProblem as P;
    type Found = Result<SignalTable, FormatError>;
    type Is = fn(&P) -> bool;
    let cases: Vec<(Found, Is)> = vec![
        (
            long(&[0, 0], &[1, 1]),
            is!(P::RepeatedRow { volume: 0, roi: 1 }),
        ),
        (
            long(&[0, 2], &[1, 1]),
            is!(P::Gap {
                what: VOLUME,
                missing: 1,
                last: 2
            }),
        ),
        (
            long(&[2, 3], &[1, 1]),
            is!(P::Gap {
                what: VOLUME,
                missing: 1,
                ..
            }),
        ),
        (
            long(&[0, -1], &[1, 1]),
            is!(P::RowNumber {
                what: VOLUME,
                found: -1.0
            }),
        ),
        (
            long(&[0, 4_000_000_000], &[1, 1]),
            is!(P::Gap {
                what: VOLUME,
                missing: 1,
                ..
            }),
        ),
        (
            long(&[0, 1], &[0, 7]),
            is!(P::Gap {
                what: ROI,
                missing: 1,
                last: 7
            }),
        ),
        (
            long(&Vec::from_iter(0..30), &Vec::from_iter(0..30)),
            is!(P::TooFew {
                values: 30,
                volumes: 30,
                rois: 30
            }),
        ),
        (wide(&[0., 0.]), is!(P::RepeatedVolume { number: 0.0 })),
        (
            wide(&[0., 2.]),
            is!(P::VolumeNumber {
                n_volumes: 2,
                found: 2.0,
                first: 0.0
            }),
        ),
        (wide(&[1., 1.5]), is!(P::VolumeNumber { found: 1.5, .. })),
        (
            wide(&[f64::NAN]),
            is!(P::VolumeNumber { found, .. } if found.is_nan()),
        ),
        (wide(&[]), is!(P::NoValue)),
        (
            read_columns(&[("a", numbers(&[])), ("b", numbers(&[]))], None),
            is!(P::NoValue),
        ),
        (
            read_columns(&[("volume", texts(&["1"])), ("a", numbers(&[1.]))], None),
            is!(P::NoVolumeNumbers),
        ),
        (
            read_columns(&[("a", numbers(&[1.])), ("sex", texts(&["F"]))], None),
            is!(P::RoiType { name, found: DataType::Utf8 } if name == "sex"),
        ),
        (
            read_columns(&[("volume", whole(&[0]))], None),
            is!(P::NoSignals),
        ),
        (
            read_columns(&[("scan", numbers(&[1.])), ("a", numbers(&[1.]))], None),
            is!(P::ScanType {
                found: DataType::Float64
            }),
        ),
        (
            read(&golden("wide_lz4.arrow"), Some("a")),
            is!(P::CompressedBlocks),
        ),
        (read(&golden("signals_f4.npy"), None), is!(P::NotColumnar)),
    ];
    for (found, is_expected) in cases {
        let problem = problem(found);
        assert!(is_expected(&problem), "{problem}");
    }
}

#[test]
fn a_file_cut_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["wide_gzip.parquet", "wide.arrow"] {
        let bytes = std::fs::read(golden(name)).unwrap();
        let path = folder.path().join(name);
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let refused = read(&path, Some("a")).unwrap_err();
            assert!(
                matches!(
                    refused,
                    FormatError::Columnar { .. } | FormatError::Parquet { .. }
                ),
                "{name} {length}: {refused}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        start in prop::sample::select(vec!["", "PAR1", "ARROW1\0\0"]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        end in prop::sample::select(vec!["", "PAR1", "ARROW1"]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, [start.as_bytes(), &bytes, end.as_bytes()].concat()).unwrap();
        let _ = read(&path, None);
        let _ = scans(&path);
    }

    #[test]
    fn any_order_of_rows_is_the_same_scan(order in Just(Vec::from_iter(0..12_i64)).prop_shuffle()) {
        let volumes: Vec<i64> = order.iter().map(|at| at / 3 + 1).collect();
        let rois: Vec<i64> = order.iter().map(|at| at % 3).collect();
        let values: Vec<f64> = order.iter().map(|&at| at as f64).collect();
        let table = read_columns(
            &[("value", numbers(&values)), ("volume", whole(&volumes)), ("roi", whole(&rois))],
            None,
        );
        let expected = (0..3).flat_map(|roi| (0..4).map(move |volume| f64::from(3 * volume + roi)));
        prop_assert_eq!(table.unwrap().signals.values, Vec::from_iter(expected));
    }

    /// For Arrow files only: the parquet crate itself panics at some damaged pages.
    #[test]
    fn no_change_of_an_arrow_file_makes_it_panic(
        name in prop::sample::select(vec!["wide.arrow", "long_numbers.arrow", "lists.arrow"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = std::fs::read(golden(name)).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.arrow");
        std::fs::write(&path, bytes).unwrap();
        for scan in [Some("a"), None] {
            let file = ColumnarFile::open(&path);
            if let Ok(SignalTable { names, signals, .. }) = file.and_then(|file| file.read(scan)) {
                prop_assert_eq!(signals.values.len() % signals.n_rois, 0);
                prop_assert!(names.is_none_or(|names| names.len() == signals.n_rois));
            }
        }
    }
}
