//! Signals in columns: Parquet, and Arrow IPC files (Feather version 2).
//!
//! Three forms are told apart by the names of the columns:
//!
//! | form | columns |
//! |---|---|
//! | wide | one column of numbers per ROI; `scan`, `volume`, `time_secs` and `kept` where wanted |
//! | list | `bold`, a list of one number per ROI; `scan`, `volume`, `time_secs` and `kept` where wanted |
//! | long | `volume`, `roi` (name or number), and `value` or `bold`; `scan` where wanted |
//!
//! `scan` is needed where a file holds several. Volumes count from 0 or from 1. `kept` is false for a
//! volume that is not to be used, as in a prepared data set; a missing one is true.

mod arrow;
mod cell;
mod file;
mod long;
mod parquet;
mod wide;

use std::collections::HashSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::error::FormatError;
use crate::signal_table::SignalTable;
use file::ColumnarFile;

/// The name of the scan that a row belongs to.
const SCAN: &str = "scan";
/// The number of a volume in its scan.
const VOLUME: &str = "volume";
/// When a volume was measured, seconds from the start of its scan.
const TIME: &str = "time_secs";
/// The ROI of a row of the long form.
const ROI: &str = "roi";
/// The number in a row of the long form, which may be called [`BOLD`] as well.
const VALUE: &str = "value";
/// The signals of all ROIs in the list form.
const BOLD: &str = "bold";
/// Whether a volume was measured well enough to be used.
const KEPT: &str = "kept";

/// More values than any scan has: a few bytes can stand for any number of equal rows.
const MAX_VALUES: usize = 1 << 28;

/// Names of scans that an error shows.
const SHOWN_SCANS: usize = 5;

/// Reads the signals of one scan, of the only one when `scan` is none.
///
/// Rows may come in any order where they have a `volume`. In the long form a pair of volume and ROI
/// that has no row is missing: NaN. ROIs come in the order of the columns, of their numbers, or in
/// which their names first occur; names that only count the columns from 0 are none. The TR is
/// told where `time_secs` is there and evenly spaced.
///
/// Only the rows of the scan are held in memory, and one block of the file.
///
/// # Errors
/// [`FormatError::File`] for a file of another form or format, a scan that is not there or must be
/// named, volumes that do not count from 0 or 1 without a gap, and two rows for one value;
/// [`FormatError::Parquet`] for a damaged file.
pub fn read(path: &Path, scan: Option<&str>) -> Result<SignalTable, FormatError> {
    guarded(path, || read_scan(path, scan))
}

fn read_scan(path: &Path, scan: Option<&str>) -> Result<SignalTable, FormatError> {
    let file = ColumnarFile::open(path)?;
    let rows = rows_of(&file, scan)?;
    let has = |name: &str| file.place(name).is_some();
    let table = if has(VOLUME) && has(ROI) && (has(VALUE) || has(BOLD)) {
        long::read(&file, rows.as_deref())?
    } else {
        wide::read(&file, rows.as_deref())?
    };
    if table.signals.values.is_empty() {
        return Err(file.refuse("it holds no value"));
    }
    Ok(table)
}

/// The scans of a file, in the order in which they first occur; none when it has no `scan` column.
///
/// # Errors
/// As [`read`].
pub fn scans(path: &Path) -> Result<Vec<String>, FormatError> {
    guarded(path, || list_scans(path))
}

/// The decoder of Parquet trusts the pages of a file: it panics on some that are damaged. Nothing
/// outlives the call that could have been left half done.
fn guarded<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, FormatError>,
) -> Result<T, FormatError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(FormatError::file(
            path,
            "its pages are damaged so that they cannot be decoded: fetch or write it again",
        ))
    })
}

fn list_scans(path: &Path) -> Result<Vec<String>, FormatError> {
    let file = ColumnarFile::open(path)?;
    let mut known = HashSet::new();
    let mut scans = Vec::new();
    each_scan(&file, |_, scan| {
        if !known.contains(scan) {
            known.insert(scan.to_owned());
            scans.push(scan.to_owned());
        }
        Ok(())
    })?;
    Ok(scans)
}

/// The rows of a scan; none stands for all of them.
fn rows_of(
    file: &ColumnarFile,
    scan: Option<&str>,
) -> Result<Option<Vec<Range<usize>>>, FormatError> {
    if file.place(SCAN).is_none() {
        return match scan {
            Some(scan) => Err(file.refuse(format!(
                "it has no column {SCAN:?} to find scan {scan:?} in"
            ))),
            None => Ok(None),
        };
    }
    let mut rows: Vec<Range<usize>> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    let mut only: Option<String> = None;
    each_scan(file, |row, found| {
        let wanted = scan.unwrap_or_else(|| only.get_or_insert_with(|| found.to_owned()));
        if found != wanted {
            if scan.is_none() {
                return Err(file.refuse(format!(
                    "it holds scan {wanted:?}, {found:?} and perhaps more: name the one to read"
                )));
            }
            if others.len() < SHOWN_SCANS && !others.iter().any(|other| other == found) {
                others.push(found.to_owned());
            }
            return Ok(());
        }
        match rows.last_mut() {
            Some(last) if last.end == row => last.end += 1,
            _ => rows.push(row..row + 1),
        }
        Ok(())
    })?;
    if rows.is_empty() {
        return Err(file.refuse(match scan {
            Some(scan) => format!("it has no scan {scan:?}, only {}", others.join(", ")),
            None => "it holds no row".into(),
        }));
    }
    Ok(Some(rows))
}

/// Gives every row of the column `scan` with its number.
fn each_scan(
    file: &ColumnarFile,
    mut take: impl FnMut(usize, &str) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    let Some(place) = file.place(SCAN) else {
        return Ok(());
    };
    let mut start = 0;
    for batch in file.batches(&[place], None)? {
        let batch = batch?;
        cell::each_text(batch.column(0), |row, scan| match scan {
            Some(scan) => take(start + row, scan),
            None => Err(file.refuse(format!("row {} has no {SCAN}", start + row))),
        })
        .unwrap_or_else(|| {
            Err(file.refuse(format!(
                "its column {SCAN} is {}, expected text or whole numbers",
                batch.column(0).data_type()
            )))
        })?;
        start += batch.num_rows();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
