//! Censored volumes of XCP-D: their table, and their reinsertion into the signals.

use std::path::Path;

use brainmae_formats::roi_signals::RoiSignals;
use brainmae_signals::cleaning::fill;

use super::FD;
use super::bids_columns::{Cells, read_columns};
use crate::error::{ConfoundProblem, StudyError};

/// Maximum number of volumes per uncensored volume. Scans with fewer uncensored volumes are
/// useless, and the limit bounds the memory that a file of marks can request.
const MOST_PER_KEPT: usize = 100;

/// Columns with the volumes that XCP-D has censored.
const BY_MOTION: [&str; 2] = [FD, "framewise_displacement_filtered"];

/// Prefix of columns that mark volumes excluded from XCP-D's analyses of an exact length, but not
/// from the signals.
const EXACT: &str = "exact_";

/// Reads `_outliers.tsv`: a header and one row per volume, with 1 for a censored volume in
/// `framewise_displacement` or `framewise_displacement_filtered`. In a table of another tool,
/// without these columns, any column whose name does not start with `exact_` is used.
///
/// # Errors
/// [`StudyError::Files`]; [`StudyError::Confounds`] with line and column for a cell that is neither
/// 0 nor 1, and for a table without a usable column.
pub fn read_outliers(path: &Path) -> Result<Vec<bool>, StudyError> {
    let (_, header) = read_columns(path, |_| Some(Cells::Unread))?;
    let names: Vec<&str> = header.iter().map(|column| column.name.as_str()).collect();
    let has_motion = names.iter().any(|name| BY_MOTION.contains(name));
    let tells = |name: &str| match has_motion {
        true => BY_MOTION.contains(&name),
        false => !name.starts_with(EXACT),
    };
    if !names.iter().any(|name| tells(name)) {
        let found = names.iter().map(|name| (*name).to_owned()).collect();
        let problem = ConfoundProblem::NoOutlierColumn { found };
        return Err(StudyError::confounds(path, 1, problem));
    }
    let (n_rows, columns) = read_columns(path, |name| tells(name).then_some(Cells::Flags))?;
    let mut outliers = vec![false; n_rows];
    for column in columns {
        for (outlier, value) in outliers.iter_mut().zip(column.values) {
            *outlier |= value == 1.0;
        }
    }
    Ok(outliers)
}

/// Inserts the volumes that are missing in a table, as given by `outliers`.
///
/// XCP-D omits censored volumes in its `linc` mode and interpolates them in other modes. A table
/// with one row per volume is returned unchanged. If a table has one row per uncensored volume, the
/// other volumes are interpolated linearly, with the nearest row at the ends.
/// [`clean_scan`](brainmae_signals::cleaning::clean_scan()) then needs the same `outliers`, which
/// mark the inserted volumes as censored.
/// added.
///
/// [`StudyError::Confounds`] with the `path` of the signals, when they have another number of rows,
/// or less than one row per 100 volumes.
/// of rows, or one row for more than 100 volumes.
pub fn rebuild_censored(
    signals: RoiSignals,
    outliers: &[bool],
    path: &Path,
) -> Result<RoiSignals, StudyError> {
    let (rows, all) = (signals.n_volumes(), outliers.len());
    if rows == all {
        return Ok(signals);
    }
    let kept_at: Vec<usize> = (0..all).filter(|volume| !outliers[*volume]).collect();
    if rows != kept_at.len() {
        let problem = ConfoundProblem::CensoredRows {
            found: rows,
            n_volumes: all,
            n_kept: kept_at.len(),
        };
        return Err(StudyError::confounds(path, None, problem));
    }
    if rows == 0 || all / MOST_PER_KEPT > rows {
        let problem = ConfoundProblem::TooFewKept {
            found: rows,
            n_volumes: all,
        };
        return Err(StudyError::confounds(path, None, problem));
    }
    let mut values = Vec::with_capacity(signals.n_rois * all);
    let mut whole = Vec::with_capacity(all);
    for roi in 0..signals.n_rois {
        fill(signals.roi(roi), &kept_at, all, &mut whole);
        values.extend_from_slice(&whole);
    }
    Ok(RoiSignals { values, ..signals })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<bool>, StudyError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x_outliers.tsv");
        std::fs::write(&path, text).unwrap();
        read_outliers(&path)
    }

    /// The line and the problem of an error.
    fn refused<T: std::fmt::Debug>(
        result: Result<T, StudyError>,
    ) -> (Option<u64>, ConfoundProblem) {
        match result {
            Err(StudyError::Confounds { line, problem, .. }) => (line, problem),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_is_an_outlier_in_any_column_of_another_tool() {
        assert_eq!(
            read_text("framewise_displacement\n0\n1\n0.0\n").unwrap(),
            [false, true, false]
        );
        assert_eq!(read_text("a\tb\n0\t1\n0\t0\n").unwrap(), [true, false]);
        for (text, line, found) in [("a\n0\n2\n", 3, "2"), ("a\nn/a\n", 2, "n/a")] {
            let expected = ConfoundProblem::Cell {
                column: "a".into(),
                found: found.into(),
                expected: "0 or 1",
            };
            assert_eq!(refused(read_text(text)), (Some(line), expected));
        }
    }

    #[test]
    fn only_motion_marks_the_outliers_of_xcp_d() {
        let text = "framewise_displacement\texact_100\tinterpolation\n0\t1\tn/a\n1\t0\t1\n";
        assert_eq!(read_text(text).unwrap(), [false, true]);
        let text = "exact_100\tframewise_displacement_filtered\n1\t0\n0\t1\n";
        assert_eq!(read_text(text).unwrap(), [false, true]);
        let both = "framewise_displacement\tframewise_displacement_filtered\n1\t0\n0\t0\n0\t1\n";
        assert_eq!(read_text(both).unwrap(), [true, false, true]);
        assert_eq!(read_text("exact_100\tscrubbed\n1\t0\n").unwrap(), [false]);
    }

    #[test]
    fn a_table_without_a_column_that_tells_is_refused() {
        for (text, found) in [
            (
                "exact_100\texact_200\n1\t0\n",
                vec!["exact_100", "exact_200"],
            ),
            ("", vec![]),
        ] {
            let found = found.into_iter().map(str::to_owned).collect();
            let expected = ConfoundProblem::NoOutlierColumn { found };
            assert_eq!(refused(read_text(text)), (Some(1), expected));
        }
    }

    fn signals(values: &[f64]) -> RoiSignals {
        RoiSignals {
            values: values.to_vec(),
            n_rois: 2,
            tr_secs: Some(2.0),
        }
    }

    #[test]
    fn volumes_that_were_left_out_come_back_at_their_times() {
        let outliers = [true, false, true, false, true];
        let kept = signals(&[1.0, 3.0, 10.0, 20.0]);
        let whole = signals(&[1., 1., 2., 3., 3., 10., 10., 15., 20., 20.]);
        let rebuilt = rebuild_censored(kept, &outliers, Path::new("x")).unwrap();
        assert_eq!(rebuilt, whole);
        // All rows exist, so nothing changes.
        let rebuilt = rebuild_censored(whole.clone(), &outliers, Path::new("x")).unwrap();
        assert_eq!(rebuilt, whole);
    }

    #[test]
    fn any_other_number_of_rows_is_refused_with_the_numbers() {
        let three = signals(&[0.0; 6]);
        let outliers = [true, false, true, false, true];
        let expected = ConfoundProblem::CensoredRows {
            found: 3,
            n_volumes: 5,
            n_kept: 2,
        };
        let rebuilt = rebuild_censored(three, &outliers, Path::new("x"));
        assert_eq!(refused(rebuilt), (None, expected));
    }

    #[test]
    fn marks_alone_ask_for_no_memory() {
        let mut outliers = vec![true; 1_000_000];
        outliers[7] = false;
        for (signals, outliers, found) in [
            (signals(&[1.0, 2.0]), &outliers[..], 1),
            (signals(&[]), &[true; 5], 0),
        ] {
            let n_volumes = outliers.len();
            let expected = ConfoundProblem::TooFewKept { found, n_volumes };
            let rebuilt = rebuild_censored(signals, outliers, Path::new("x"));
            assert_eq!(refused(rebuilt), (None, expected));
        }
    }
}
