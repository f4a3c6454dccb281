//! Covered share of every ROI of a scan, from the table that XCP-D writes beside its signals.
//!
//! | made from | table |
//! |---|---|
//! | CIFTI, 0.7 and later | a header row of ROIs, one row of shares |
//! | volumes, and CIFTI before | two columns, `Node` and the share, one row per ROI |
//!
//! Both tables have the same file name (XCP-D, `CiftiToTSV` and `NiftiParcellate` in
//! `interfaces/connectivity.py`).

use std::fs::File;
use std::path::Path;

use crate::error::{CoverageProblem, DataError};
use brainmae_atlas::{Atlas, guard};
use brainmae_files::CommonErrors as _;
use brainmae_formats::signal_table::SignalTable;

/// Shares that exceed 1 by less than this have rounding errors.
const ROUNDING: f64 = 1e-3;

/// The column with the ROI names, in a table with one row per ROI.
const NODE: &str = "Node";

/// Reads the covered share of every ROI of `atlas`, 0 to 1; a missing share or `n/a` is 0.
///
/// # Errors
/// [`DataError::Coverage`] for names that do not match the atlas, more than one row of shares, and
/// a share that is not within 0 to 1; otherwise an error when the table cannot be read.
pub(super) fn read(path: &Path, atlas: &Atlas) -> Result<Vec<f32>, DataError> {
    let refuse = |problem| DataError::Coverage {
        path: path.to_owned(),
        problem,
    };
    let (names, shares) = match rows_of_nodes(path)? {
        Some(rows) => {
            let (names, shares) = rows.into_iter().unzip();
            (Some(names), shares)
        }
        None => {
            let table = SignalTable::read(path)?;
            let n_rows = table.signals.n_volumes();
            if n_rows != 1 {
                return Err(refuse(CoverageProblem::Rows { found: n_rows }));
            }
            (table.names, table.signals.values)
        }
    };
    let wrong = |share: &f64| *share < 0.0 || *share > 1.0 + ROUNDING;
    if let Some(share) = shares.iter().copied().find(wrong) {
        return Err(refuse(CoverageProblem::Share(share)));
    }
    let columns = match &names {
        Some(names) => guard::match_columns(atlas, names).map(|found| found.columns),
        None => guard::match_count(atlas, shares.len(), 1)
            .map(|_| (0..atlas.n_rois()).map(Some).collect()),
    }
    .map_err(|error| refuse(CoverageProblem::Rois(Box::new(error))))?;
    let share = |column: Option<usize>| match column.map(|column| shares[column]) {
        Some(share) if !share.is_nan() => share as f32,
        _ => 0.0,
    };
    Ok(columns.into_iter().map(share).collect())
}

/// The names and shares of a table with one row per ROI; `None` for another table.
fn rows_of_nodes(path: &Path) -> Result<Option<Vec<(String, f64)>>, DataError> {
    let refuse = |problem| DataError::Coverage {
        path: path.to_owned(),
        problem,
    };
    let broken = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        refuse(CoverageProblem::Row { line, error })
    };
    let file = File::open(path).map_err(DataError::io("open", path))?;
    let mut rows = csv::ReaderBuilder::new().delimiter(b'\t').from_reader(file);
    let header = rows.headers().map_err(broken)?;
    if header.len() != 2 || &header[0] != NODE {
        return Ok(None);
    }
    let mut shares = Vec::new();
    for row in rows.into_records() {
        let row = row.map_err(broken)?;
        let share = match row[1].trim() {
            "" | "n/a" => f64::NAN,
            cell => cell.parse().map_err(|_| {
                let line = row.position().map_or(1, csv::Position::line);
                refuse(CoverageProblem::NoNumber { line })
            })?,
        };
        shares.push((row[0].to_owned(), share));
    }
    Ok(Some(shares))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a table for the ROIs `LH_A`, `LH_B` and `RH_A`.
    fn shares(text: &str) -> Result<Vec<f32>, DataError> {
        let names = ["LH_A", "LH_B", "RH_A"].map(str::to_owned);
        let names: Vec<(u32, String)> = (1..).zip(names).collect();
        let atlas = Atlas::from_label_table("three", "1", &names).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a_stat-coverage_bold.tsv");
        std::fs::write(&path, text).unwrap();
        read(&path, &atlas)
    }

    fn problem(text: &str) -> CoverageProblem {
        match shares(text) {
            Err(DataError::Coverage { problem, .. }) => problem,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn shares_are_put_in_the_order_of_the_atlas_in_both_forms() {
        let expected = [1.0, 0.0, 0.25];
        let row = "RH_A\tLH_A\tLH_B\n0.25\t1.0\tn/a\n";
        let rows = "Node\tcoverage\nRH_A\t0.25\nLH_A\t1.0\nLH_B\tn/a\n";
        for text in [row, rows, "RH_A\tLH_A\n0.25\t1.0\n"] {
            assert_eq!(shares(text).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_share_of_every_roi_is_refused() {
        use CoverageProblem::{NoNumber, Rois, Row, Rows, Share};
        let twice = problem("LH_A\tLH_B\tRH_A\n1\t1\t1\n1\t1\t1\n");
        assert!(matches!(twice, Rows { found: 2 }));
        for share in [98.5, -0.5] {
            let found = problem(&format!("LH_A\tLH_B\tRH_A\n1\t{share}\t1\n"));
            assert!(matches!(found, Share(found) if found == share));
        }
        for (text, name) in [
            ("LH_A\tLH_B\tLH_C\n1\t1\t1\n", "LH_C"),
            ("Node\tcoverage\nLH_A\t1\nLH_A\t1\n", "LH_A"),
        ] {
            match problem(text) {
                Rois(error) => assert!(error.to_string().contains(name), "{error}"),
                other => panic!("{other}"),
            }
        }
        let word = problem("Node\tcoverage\nLH_A\tmuch\n");
        assert!(matches!(word, NoNumber { line: 2 }), "{word}");
        let longer = problem("Node\tcoverage\nLH_A\t1\t1\n");
        assert!(matches!(longer, Row { line: 2, .. }), "{longer}");
        assert!(matches!(shares(""), Err(DataError::Formats(_))));
    }
}
