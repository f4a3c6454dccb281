//! Columns of numbers in a BIDS table: a header, tabs between cells, `n/a` for missing values.

use std::collections::BTreeSet;
use std::path::Path;

use brainmae_files::CommonErrors as _;
use brainmae_signals::confounds::ConfoundColumn as Column;

use crate::error::{ConfoundProblem, StudyError};
use crate::rows::{Broken, line_of};

/// Cells for missing values.
const MISSING: [&str; 5] = ["", "n/a", "N/A", "nan", "NaN"];

/// The allowed cells of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cells {
    /// Finite numbers.
    Measured,
    /// Finite numbers; a missing value in the first row is 0.
    MeasuredButFirst,
    /// Finite numbers, or missing values, which are NaN.
    MayMiss,
    /// 0 or 1.
    Flags,
    /// Any text: only the presence of the column matters.
    Unread,
}

/// Reads the columns for which `wanted` returns the allowed cells; returns the number of rows and
/// the columns.
pub(super) fn read_columns(
    path: &Path,
    wanted: impl Fn(&str) -> Option<Cells>,
) -> Result<(usize, Vec<Column>), StudyError> {
    let broken = |error: csv::Error| match Broken::from(error) {
        Broken::Io(error) => StudyError::io("read", path)(error),
        Broken::Cells {
            line,
            found,
            expected,
        } => StudyError::confounds(path, line, ConfoundProblem::Cells { found, expected }),
        Broken::NotUtf8 { line } => StudyError::confounds(path, line, ConfoundProblem::NotUtf8),
        Broken::Other { line, reason } => {
            StudyError::confounds(path, line, ConfoundProblem::Unreadable { reason })
        }
    };
    let file = std::fs::File::open(path).map_err(StudyError::io("open", path))?;
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .trim(csv::Trim::All)
        .from_reader(file);

    let mut used: Vec<(usize, Cells)> = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    let mut names = BTreeSet::new();
    for (at, name) in rows.headers().map_err(broken)?.iter().enumerate() {
        let Some(cells) = wanted(name) else { continue };
        if !names.insert(name.to_owned()) {
            let column = name.to_owned();
            let problem = ConfoundProblem::ColumnTwice { column };
            return Err(StudyError::confounds(path, 1, problem));
        }
        used.push((at, cells));
        columns.push(Column {
            name: name.to_owned(),
            values: Vec::new(),
        });
    }

    let mut n_rows = 0;
    let mut row = csv::StringRecord::new();
    while rows.read_record(&mut row).map_err(broken)? {
        for ((at, cells), column) in used.iter().zip(&mut columns) {
            if *cells == Cells::Unread {
                continue;
            }
            let cell = row.get(*at).unwrap_or_default();
            let value = read_cell(cell, *cells, n_rows == 0).ok_or_else(|| {
                let problem = ConfoundProblem::Cell {
                    column: column.name.clone(),
                    found: cell.to_owned(),
                    expected: match cells {
                        Cells::Flags => "0 or 1",
                        _ => "a number",
                    },
                };
                StudyError::confounds(path, line_of(&row), problem)
            })?;
            column.values.push(value);
        }
        n_rows += 1;
    }
    Ok((n_rows, columns))
}

fn read_cell(cell: &str, cells: Cells, is_first: bool) -> Option<f64> {
    if MISSING.contains(&cell) {
        return match cells {
            Cells::MeasuredButFirst if is_first => Some(0.0),
            Cells::MayMiss => Some(f64::NAN),
            _ => None,
        };
    }
    let value: f64 = cell.parse().ok()?;
    let fits = match cells {
        Cells::Flags => value == 0.0 || value == 1.0,
        _ => value.is_finite(),
    };
    fits.then_some(value)
}
