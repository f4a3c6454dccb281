//! How much of every ROI a scan covers, as XCP-D tells it in a table beside its signals.
//!
//! | made from | table |
//! |---|---|
//! | CIFTI, 0.7 and later | a header row of ROIs, one row of shares |
//! | volumes, and CIFTI before | two columns, `Node` and the share, one row per ROI |
//!
//! Both have one name (XCP-D, `CiftiToTSV` and `NiftiParcellate` in `interfaces/connectivity.py`).

use std::fs::File;
use std::path::Path;

use crate::error::DataError;
use brainmae_atlas::{Atlas, guard};
use brainmae_formats::signal_table::SignalTable;

/// Shares above 1 by less are rounded ones.
const ROUNDING: f64 = 1e-3;

/// The name of the column that names the ROIs, where each has a row.
const NODE: &str = "Node";

/// Reads the covered share of every ROI of `atlas`, 0 to 1; 0 where it has none or `n/a`.
///
/// # Errors
/// [`DataError::File`] for names that are not those of the atlas, more than one row of shares, and
/// a share that is none; [`DataError::TextTable`] for a table that cannot be read.
pub(super) fn read(path: &Path, atlas: &Atlas) -> Result<Vec<f32>, DataError> {
    let refuse = |problem: String| DataError::file(path, problem);
    let (names, shares) = match rows_of_nodes(path)? {
        Some(rows) => {
            let (names, shares) = rows.into_iter().unzip();
            (Some(names), shares)
        }
        None => {
            let table = SignalTable::read(path)?;
            let n_rows = table.signals.n_volumes();
            if n_rows != 1 {
                return Err(refuse(format!(
                    "it has {n_rows} rows, expected one of the share of every ROI that is covered"
                )));
            }
            (table.names, table.signals.values)
        }
    };
    let wrong = |share: &f64| *share < 0.0 || *share > 1.0 + ROUNDING;
    if let Some(share) = shares.iter().copied().find(wrong) {
        return Err(refuse(format!(
            "the share {share} of an ROI is covered, expected 0 to 1"
        )));
    }
    let columns = match &names {
        Some(names) => guard::match_columns(atlas, names).map(|found| found.columns),
        None => guard::match_count(atlas, shares.len(), 1)
            .map(|_| (0..atlas.n_rois()).map(Some).collect()),
    }
    .map_err(|error| refuse(error.to_string()))?;
    let share = |column: Option<usize>| match column.map(|column| shares[column]) {
        Some(share) if !share.is_nan() => share as f32,
        _ => 0.0,
    };
    Ok(columns.into_iter().map(share).collect())
}

/// The names and shares of a table with a row per ROI; none of another table.
fn rows_of_nodes(path: &Path) -> Result<Option<Vec<(String, f64)>>, DataError> {
    let broken = |error: csv::Error| DataError::TextTable {
        path: path.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        problem: error.to_string(),
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
            cell => cell.parse().map_err(|_| DataError::TextTable {
                path: path.to_owned(),
                line: row.position().map_or(1, csv::Position::line),
                problem: "its second cell is no number".into(),
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
    fn shares(text: &str) -> Result<Vec<f32>, String> {
        let names = ["LH_A", "LH_B", "RH_A"].map(str::to_owned);
        let names: Vec<(u32, String)> = (1..).zip(names).collect();
        let atlas = Atlas::from_label_table("three", "1", &names).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a_stat-coverage_bold.tsv");
        std::fs::write(&path, text).unwrap();
        read(&path, &atlas).map_err(|error| error.to_string())
    }

    #[test]
    fn shares_are_put_in_the_order_of_the_atlas_in_both_forms() {
        let expected = Ok(vec![1.0, 0.0, 0.25]);
        assert_eq!(shares("RH_A\tLH_A\tLH_B\n0.25\t1.0\tn/a\n"), expected);
        let rows = "Node\tcoverage\nRH_A\t0.25\nLH_A\t1.0\nLH_B\tn/a\n";
        assert_eq!(shares(rows), expected);
        assert_eq!(shares("RH_A\tLH_A\n0.25\t1.0\n"), expected);
    }

    #[test]
    fn what_is_no_share_of_every_roi_is_refused() {
        for (text, problem) in [
            ("LH_A\tLH_B\tRH_A\n1\t1\t1\n1\t1\t1\n", "it has 2 rows"),
            ("LH_A\tLH_B\tRH_A\n1\t98.5\t1\n", "the share 98.5"),
            ("LH_A\tLH_B\tRH_A\n1\t-0.5\t1\n", "the share -0.5"),
            ("LH_A\tLH_B\tLH_C\n1\t1\t1\n", "LH_C"),
            ("Node\tcoverage\nLH_A\t1\nLH_A\t1\n", "LH_A"),
            ("Node\tcoverage\nLH_A\tmuch\n", "second cell is no number"),
            ("Node\tcoverage\nLH_A\t1\t1\n", "line: 2"),
        ] {
            let error = shares(text).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
        assert!(shares("").is_err());
    }
}
