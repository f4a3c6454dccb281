use proptest::prelude::*;

use super::*;
use crate::is;

fn read_text(name: &str, text: impl AsRef<[u8]>) -> Result<SignalTable, FormatError> {
    read_some(name, text, &[], &[], |path, _, _| {
        let read = SignalTable::read(path);
        if let Ok(table) = &read {
            let opened = TextFile::open(path).unwrap();
            assert_eq!(opened.names(), table.names.as_deref());
            assert_eq!(opened.n_rois(), table.signals.n_rois);
        }
        read
    })
}

fn read_chosen(text: &str, columns: &[&str], drop: &[&str]) -> Result<SignalTable, FormatError> {
    read_some("a.csv", text, columns, drop, SignalTable::read_columns)
}

fn read_some(
    name: &str,
    text: impl AsRef<[u8]>,
    columns: &[&str],
    drop: &[&str],
    read: impl Fn(&Path, &[String], &[String]) -> Result<SignalTable, FormatError>,
) -> Result<SignalTable, FormatError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let own = |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.into()).collect() };
    read(&path, &own(columns), &own(drop))
}

/// The line number and the problem of an error.
fn problem(result: Result<SignalTable, FormatError>) -> (u64, TextProblem) {
    match result.unwrap_err() {
        FormatError::Text { line, problem, .. } => (line, problem),
        other => panic!("{other}"),
    }
}

fn names(table: &SignalTable) -> Vec<&str> {
    table.names.iter().flatten().map(String::as_str).collect()
}

#[test]
fn a_table_of_xcp_d_has_tabs_names_and_n_a() {
    let table = read_text(
        "a.tsv",
        "7Networks_LH_Vis_1\tRH-Amygdala\n1.5\tn/a\n-2\t4e1\n",
    )
    .unwrap();
    assert_eq!(names(&table), ["7Networks_LH_Vis_1", "RH-Amygdala"]);
    let signals = &table.signals;
    assert_eq!(
        (signals.n_rois, signals.n_volumes(), signals.tr_secs),
        (2, 2, None)
    );
    assert!(signals.values[2].is_nan());
    assert_eq!(
        [signals.values[0], signals.values[1], signals.values[3]],
        [1.5, -2., 40.]
    );
}

#[test]
fn numbers_in_the_first_row_are_a_volume() {
    for (name, text) in [
        ("a.csv", "1,2\n3, 4\n"),
        ("a.tsv", "1\t2\r\n3\t4"),
        ("a.1D", "# 1 2\n\n  1 2\n 3\t4 \n#5 6\n"),
        ("a.TXT", "1 2\n3 4\n"),
    ] {
        let table = read_text(name, text).unwrap();
        assert_eq!(table.names, None, "{name}");
        assert_eq!(
            (table.signals.n_rois, table.signals.values),
            (2, vec![1., 3., 2., 4.]),
            "{name}"
        );
    }
}

#[test]
fn whatever_means_missing_is_nan() {
    let table = read_text("a.csv", "a,b,c,d,e,f\n,n/a,nan,NaN,NA, \n1,1,1,1,1,1\n").unwrap();
    for roi in 0..6 {
        let [missing, one] = table.signals.roi(roi) else {
            panic!("two rows")
        };
        assert!(missing.is_nan());
        assert_eq!(*one, 1.);
    }
}

#[test]
fn a_column_that_counts_the_volumes_is_left_out() {
    for index in ["", "Unnamed: 0", "index", "frame", "volume", "time"] {
        let table = read_text("a.csv", format!("{index},a,b\n0,5,6\n1,7,8\n")).unwrap();
        assert_eq!(names(&table), ["a", "b"], "{index}");
        assert_eq!(
            (table.signals.n_rois, table.signals.values),
            (2, vec![5., 7., 6., 8.])
        );
    }
    // With another name, or numbers that do not count from 0, the column may be an ROI.
    for text in ["x,a\n0,5\n1,7\n", "time,a\n0,5\n2,7\n", "time\n0\n1\n"] {
        let table = read_text("a.csv", text).unwrap();
        assert_eq!(
            Some(table.signals.n_rois),
            text.lines().next().map(|names| names.split(',').count())
        );
    }
}

#[test]
fn a_header_that_counts_the_columns_is_no_volume_and_names_nothing() {
    for text in [
        "0,1,2\n5.5,6,7\n",
        ",0,1,2\n0,5.5,6,7\n",
        "Unnamed: 0,0,1,2\n0,5.5,6,7\n",
    ] {
        let table = read_text("a.csv", text).unwrap();
        assert_eq!(table.names, None, "{text}");
        assert_eq!(
            (table.signals.n_rois, table.signals.values),
            (3, vec![5.5, 6., 7.]),
            "{text}"
        );
    }
    // An index column identifies the header even if all signals are whole numbers.
    let table = read_text("a.csv", ",0,1,2\n0,5,6,7\n1,5,6,8\n").unwrap();
    assert_eq!(table.signals.values, [5., 5., 6., 6., 7., 8.]);
    // Whole numbers throughout: nothing tells a header from a volume.
    let table = read_text("a.csv", "0,1,2\n3,4,5\n").unwrap();
    assert_eq!(table.signals.n_volumes(), 2);
}

#[test]
fn a_header_that_counts_from_one_is_no_volume_and_names_nothing() {
    for text in [
        "1,2,3,4,5,6\n0.5,1,2,3,4,5\n1.5,1,2,3,4,5\n",
        ",1,2,3,4,5,6\n0,0.5,1,2,3,4,5\n1,1.5,1,2,3,4,5\n",
    ] {
        let table = read_text("a.csv", text).unwrap();
        assert_eq!(table.names, None, "{text}");
        assert_eq!(
            (table.signals.n_rois, table.signals.values),
            (6, vec![0.5, 1.5, 1., 1., 2., 2., 3., 3., 4., 4., 5., 5.]),
            "{text}"
        );
    }
}

#[test]
fn ids_in_the_first_row_are_names() {
    for text in ["2001,2011,2021\n0.5,1,2\n", ",2001,2011,2021\n0,0.5,1,2\n"] {
        let table = read_text("a.csv", text).unwrap();
        assert_eq!(names(&table), ["2001", "2011", "2021"], "{text}");
        assert_eq!(table.signals.values, [0.5, 1., 2.], "{text}");
    }
    // Column numbers with a gap may belong to an atlas with a missing ROI.
    let table = read_text("a.tsv", "1\t2\t4\n0.5\t1\t2\n").unwrap();
    assert_eq!(names(&table), ["1", "2", "4"]);
}

#[test]
fn a_first_row_that_may_be_a_volume_stays_one() {
    for text in [
        "2001,2011,2021\n3,4,5\n",
        "1.5,2.5,3.5\n0.5,1,2\n",
        "1,2.0,3\n0.5,1,2\n",
        "1,3,2\n0.5,1,2\n",
        "1,1,2\n0.5,1,2\n",
        "-1,1,2\n0.5,1,2\n",
        "1,2\n0.5,1\n",
    ] {
        let table = read_text("a.csv", text).unwrap();
        assert_eq!(
            (table.names, table.signals.values.len()),
            (None, 2 * table.signals.n_rois),
            "{text}"
        );
    }
}

#[test]
fn columns_are_chosen_in_the_order_asked_for_or_dropped() {
    let text = "WM,\"L, Put\",RPut\n-,2,3\n-, \"5e1\" , 6\n";
    let table = read_chosen(text, &[], &["WM"]).unwrap();
    assert_eq!(names(&table), ["L, Put", "RPut"]);
    assert_eq!(table.signals.values, [2., 50., 3., 6.]);
    let table = read_chosen(text, &["RPut", "L, Put"], &[]).unwrap();
    assert_eq!(names(&table), ["RPut", "L, Put"]);
    assert_eq!(table.signals.values, [3., 6., 2., 50.]);
    // A column that is asked for is an ROI, whatever its name.
    let table = read_chosen("time,a\n0,5\n1,6\n", &["time"], &[]).unwrap();
    assert_eq!(table.signals.values, [0., 1.]);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    use TextProblem as P;
    type Is = fn(&P) -> bool;
    let cases: [(&str, &str, u64, Is); 12] = [
        (
            "a.csv",
            "a,b\n1,2\n3,x\n",
            3,
            is!(P::NotANumber { cell, column, .. } if cell == "x" && column == "\"b\""),
        ),
        (
            "a.csv",
            "1,2\n\n3,x\n",
            3,
            is!(P::NotANumber { cell, column, .. } if cell == "x" && column == "2"),
        ),
        (
            "a.csv",
            "a,b\n1,2\n3\n",
            3,
            is!(P::Cells {
                found: 1,
                expected: 2,
                first_line: 1,
                ..
            }),
        ),
        (
            "a.txt",
            "# c\n1 2\n3\n",
            3,
            is!(P::Cells {
                found: 1,
                expected: 2,
                first_line: 2,
                ..
            }),
        ),
        (
            "a.txt",
            "1 x\n",
            1,
            is!(P::NotANumber { column, .. } if column == "2"),
        ),
        (
            "a.csv",
            "a,b\r\n1,2\r\n\r\n3,x\r\n",
            4,
            is!(P::NotANumber { cell, .. } if cell == "x"),
        ),
        ("a.csv", "a,\"b\n1,2\n", 1, is!(P::OpenQuote)),
        ("a.csv", "a,\"b\"\"c\"\n1,2\n", 1, is!(P::AfterQuote)),
        ("a.csv", "a,a\n1,2\n", 1, is!(P::RepeatedColumn)),
        ("a.csv", "a,b\n", 1, is!(P::NoRow)),
        ("a.1D", "# nothing\n", 1, is!(P::NoRow)),
        ("a.tsv", "", 1, is!(P::NoRow)),
    ];
    for (name, text, line, is_expected) in cases {
        let (found, problem) = problem(read_text(name, text));
        assert_eq!(found, line, "{problem}");
        assert!(is_expected(&problem), "{problem}");
    }
    assert!(matches!(
        read_text("a.xls", "1,2\n"),
        Err(FormatError::TextEnding { .. })
    ));
    let cases: [(&str, &[&str], &[&str], Is); 3] = [
        (
            "a,b\n1,2\n",
            &[],
            &["c"],
            is!(P::NoColumn { name, known, .. } if name == "c" && known == "a, b"),
        ),
        ("a\n1\n", &[], &["a"], is!(P::NoColumnLeft)),
        ("1\n", &["a"], &[], is!(P::NoHeader { name } if name == "a")),
    ];
    for (text, columns, drop, is_expected) in cases {
        let (_, problem) = problem(read_chosen(text, columns, drop));
        assert!(is_expected(&problem), "{problem}");
    }
}

#[test]
fn opening_reads_the_rows_that_tell_the_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    // Each has an unreadable row after the rows that determine the columns.
    for (text, expected) in [
        ("a,b\n1,2\nx\n", Some(vec!["a", "b"])),
        ("1,2\nx\n", None),
        (
            "2001,2011,2021\n3,4,5\n0.5,1,2\nx\n",
            Some(vec!["2001", "2011", "2021"]),
        ),
        ("time,b\n0,2\n2,2\nx\n", Some(vec!["time", "b"])),
    ] {
        std::fs::write(&path, text).unwrap();
        let file = TextFile::open(&path).unwrap();
        let names = file
            .names()
            .map(|names| names.iter().map(String::as_str).collect());
        assert_eq!(names, expected, "{text}");
        assert!(matches!(file.read(), Err(FormatError::Text { .. })));
    }
    // A column is an index only if it counts to the last row.
    std::fs::write(&path, "time,b\n0,2\n1,2\nx\n").unwrap();
    assert!(matches!(
        TextFile::open(&path),
        Err(FormatError::Text { line: 4, .. })
    ));
}

#[test]
fn a_table_of_semicolons_is_told_and_its_header_is_cut_short() {
    let header: Vec<String> = (1..=100).map(|roi| format!("region{roi}")).collect();
    let header = header.join(";");
    for (row, columns) in [
        ("1.5;2.5", &[][..]),
        ("1,5;2,5", &[]),
        ("1.5;2.5", &["region2"]),
    ] {
        let (_, problem) = problem(read_chosen(&format!("{header}\n{row}\n"), columns, &[]));
        assert!(
            matches!(
                problem,
                TextProblem::NotANumber {
                    semicolons: true,
                    ..
                } | TextProblem::Cells {
                    semicolons: true,
                    ..
                } | TextProblem::NoColumn {
                    semicolons: true,
                    ..
                }
            ),
            "{problem}"
        );
        assert!(!problem.to_string().contains("region6"), "{problem}");
    }
    let long = "n".repeat(41);
    let (_, problem) = problem(read_text("a.csv", format!("a;b;c,{long}\n1,x\n")));
    let short = format!("\"{}…\"", &long[1..]);
    assert!(
        matches!(&problem, TextProblem::NotANumber { column, semicolons: false, .. }
            if *column == short),
        "{problem}"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        ending in prop::sample::select(vec!["csv", "tsv", "txt"]),
        bytes in prop::collection::vec(
            prop_oneof![prop::sample::select(b"0123456789.,\t\n\r\"# -naN/".to_vec()), any::<u8>()],
            0..300,
        ),
    ) {
        if let Ok(table) = read_text(&format!("a.{ending}"), bytes) {
            let SignalTable { names, signals, .. } = table;
            prop_assert!(signals.n_rois > 0 && signals.n_volumes() > 0);
            prop_assert_eq!(signals.values.len() % signals.n_rois, 0);
            prop_assert!(names.is_none_or(|names| names.len() == signals.n_rois));
        }
    }

    #[test]
    fn a_written_table_is_read_back(
        rows in (1..6_usize).prop_flat_map(|n| {
            prop::collection::vec(prop::collection::vec(-1e6..1e6_f64, n), 1..6)
        }),
    ) {
        let n_rois = rows[0].len();
        let header: Vec<String> = (0..n_rois).map(|roi| format!("roi {roi}")).collect();
        let mut text = header.join("\t") + "\n";
        for row in &rows {
            let cells: Vec<String> = row.iter().map(f64::to_string).collect();
            text += &(cells.join("\t") + "\n");
        }
        let table = read_text("a.tsv", text).unwrap();
        prop_assert_eq!(table.names, Some(header));
        let expected = (0..n_rois).flat_map(|roi| rows.iter().map(move |row| row[roi]));
        prop_assert_eq!(table.signals.values, Vec::from_iter(expected));
    }
}
