use super::*;
use brainmae_signals::confounds::ACompCor;
use proptest::prelude::*;

fn read(
    kind: fn(std::path::PathBuf) -> ConfoundFile,
    text: impl AsRef<[u8]>,
    n_volumes: usize,
) -> Result<ConfoundTable, StudyError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("confounds");
    std::fs::write(&path, text).unwrap();
    read_confounds(&kind(path), n_volumes)
}

fn refusal(
    kind: fn(std::path::PathBuf) -> ConfoundFile,
    text: impl AsRef<[u8]>,
    n_volumes: usize,
) -> (Option<u64>, ConfoundProblem) {
    match read(kind, text, n_volumes) {
        Err(StudyError::Confounds { line, problem, .. }) => (line, problem),
        other => panic!("{other:?}"),
    }
}

const FMRIPREP: &str = "\
csf\ttrans_y\ttrans_x\ttrans_x_derivative1\ttrans_z\trot_x\trot_y\trot_z\tframewise_displacement\t\
a_comp_cor_01\ta_comp_cor_00\tw_comp_cor_00\tnon_steady_state_outlier00\tnon_steady_state_outlier_01\tnote
n/a\t2\t1\tn/a\t3\t0.1\t0.2\t0.3\tn/a\t21\t20\tn/a\t1\t0\tx
8.5\t2\t-1e-1\t-1.1\t3\t0.1\t0.2\t0.3\t1.1\t23\t22\t5\t0\t1\ty
";

#[test]
fn columns_of_fmriprep_are_found_by_name() {
    let table = read(ConfoundFile::Fmriprep, FMRIPREP, 2).unwrap();
    assert_eq!(table.n_volumes(), 2);
    let motion = table.motion.unwrap();
    assert_eq!(motion[0], [1.0, -0.1]);
    assert_eq!(motion[1], [2.0, 2.0]);
    assert_eq!(motion[5], [0.3, 0.3]);
    assert_eq!(table.framewise_displacement_mm.unwrap(), [0.0, 1.1]);
    // The columns w_comp_cor show that the columns a_comp_cor are of both tissues.
    let ACompCor::Combined(components) = table.a_comp_cor else {
        panic!("{:?}", table.a_comp_cor)
    };
    assert_eq!(components.len(), 2);
    assert_eq!(components[0].name, "a_comp_cor_00");
    assert_eq!(components[0].values, [20., 22.]);
    assert_eq!(components[1].values, [21., 23.]);
    assert_eq!(table.non_steady_state, Some(2));
    let csf = table.csf.unwrap();
    assert!(csf[0].is_nan() && csf[1] == 8.5);
    assert_eq!((table.white_matter, table.global_signal), (None, None));
}

#[test]
fn components_that_nothing_tells_apart_leave_the_rest_of_the_table() {
    let text = FMRIPREP.replace("w_comp_cor_00", "t_comp_cor_00");
    let table = read(ConfoundFile::Fmriprep, text, 2).unwrap();
    assert_eq!(table.a_comp_cor, ACompCor::Ambiguous);
    assert_eq!(table.motion.unwrap()[0], [1.0, -0.1]);
    assert_eq!(table.non_steady_state, Some(2));
}

#[test]
fn line_and_column_of_a_bad_cell_are_named() {
    use ConfoundProblem as P;
    let cell = |column: &str, found: &str| P::Cell {
        column: column.into(),
        found: found.into(),
        expected: "a number",
    };
    let cells = P::Cells {
        found: 14,
        expected: 15,
    };
    let twice = P::ColumnTwice {
        column: "trans_y".into(),
    };
    let no_component = P::MissingComponent { number: 0 };
    for (from, to, line, expected) in [
        ("-1e-1", "abc", 3, cell("trans_x", "abc")),
        ("-1e-1", "n/a", 3, cell("trans_x", "n/a")),
        ("-1e-1", "inf", 3, cell("trans_x", "inf")),
        (
            "\t1.1\t",
            "\tn/a\t",
            3,
            cell("framewise_displacement", "n/a"),
        ),
        ("8.5", "8,5", 3, cell("csf", "8,5")),
        ("\ty\n", "\n", 3, cells),
        ("trans_z", "trans_y", 1, twice),
        (
            "trans_z",
            "trans",
            1,
            P::MissingMotion { column: "trans_z" },
        ),
        ("a_comp_cor_00", "a_comp_cor_02", 1, no_component.clone()),
        ("a_comp_cor_00", "a_comp_cor_1", 1, no_component),
    ] {
        assert!(FMRIPREP.contains(from));
        let refused = refusal(ConfoundFile::Fmriprep, FMRIPREP.replace(from, to), 2);
        assert_eq!(refused, (Some(line), expected), "{from} {to}");
    }
}

#[test]
fn the_rows_must_be_the_volumes() {
    let rows = |found| ConfoundProblem::Rows { found, expected: 3 };
    let refused = refusal(ConfoundFile::Fmriprep, FMRIPREP, 3);
    assert_eq!(refused, (None, rows(2)));
    assert_eq!(refusal(ConfoundFile::Hcp, "", 3), (None, rows(0)));
}

#[test]
fn xcpd_may_tell_the_displacement_alone() {
    let text = "framewise_displacement_filtered\tframewise_displacement\trmsd\n0\t0\tz\n1\t2\tz\n";
    let table = read(ConfoundFile::Xcpd, text, 2).unwrap();
    assert_eq!(table.fd_mm(), Some(vec![0.0, 2.0]));
    assert_eq!((table.motion, table.non_steady_state), (None, None));
    let text = "framewise_displacement\ttrans_x\n0\t0\n";
    let missing = |column| (Some(1), ConfoundProblem::MissingMotion { column });
    assert_eq!(refusal(ConfoundFile::Xcpd, text, 1), missing("trans_y"));
    assert_eq!(refusal(ConfoundFile::Xcpd, "", 0), missing("trans_x"));
}

#[test]
fn hcp_rotations_come_in_degrees() {
    let rows = "0.5 -1 2  180\t90 -180 0 0 0 0 0 0\n  1 1 1 0 0 0 .5 2 -1 -180 -90 180  \n\n";
    let table = read(ConfoundFile::Hcp, rows, 2).unwrap();
    let pi = std::f64::consts::PI;
    let motion = table.motion.as_ref().unwrap();
    assert_eq!(motion[0], [0.5, 1.0]);
    assert_eq!(motion[3], [pi, 0.0]);
    assert_eq!(motion[4], [pi / 2.0, 0.0]);
    let six = "0.5 -1 2 180 90 -180\n1 1 1 0 0 0\n";
    assert_eq!(read(ConfoundFile::Hcp, six, 2).unwrap(), table);
    // 0.5 + 2 + 1 + 50 (π + π/2 + π)
    let fd_mm = table.fd_mm().unwrap();
    assert!((fd_mm[1] - 3.5 - 125.0 * pi).abs() < 1e-9, "{fd_mm:?}");
}

#[test]
fn what_is_no_table_of_the_hcp_is_told() {
    use ConfoundProblem as P;
    let cell = |column, name, found: &str| P::MovementCell {
        column,
        name,
        found: found.into(),
    };
    for (text, line, expected) in [
        (
            &b"1 2 3 4 5 6\n1 2 3 4 5\n"[..],
            2,
            P::MovementColumns { found: 5 },
        ),
        (
            b"1 2 3 4 5 6\n\n1 2 3 4 five 6\n",
            3,
            cell(5, "rot_y", "five"),
        ),
        (b"1 2 3 4 5 NaN\n", 1, cell(6, "rot_z", "NaN")),
        (b"1 2 3 4 5 6\n1 2 3 \xff 5 6\n", 2, P::NotUtf8),
    ] {
        assert_eq!(refusal(ConfoundFile::Hcp, text, 1), (Some(line), expected));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut bytes = FMRIPREP.as_bytes().to_vec();
    let last = bytes.len() - 2;
    bytes[last] = 0xff;
    let refused = refusal(ConfoundFile::Fmriprep, bytes, 2);
    assert_eq!(refused, (Some(3), ConfoundProblem::NotUtf8));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in [ConfoundFile::Hcp, ConfoundFile::Fmriprep, ConfoundFile::Xcpd] {
            let _ = read(kind, &bytes, 1);
        }
    }

    #[test]
    fn no_spoilt_table_panics(at in 0..FMRIPREP.len(), byte in any::<u8>()) {
        let mut bytes = FMRIPREP.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(table) = read(ConfoundFile::Fmriprep, &bytes, 2) {
            prop_assert_eq!(table.n_volumes(), 2);
        }
    }
}
