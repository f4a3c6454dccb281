//! Signals in columns: Parquet, and Arrow IPC files (Feather version 2).
//!
//! The column names determine which of three forms a file has:
//!
//! | form | columns |
//! |---|---|
//! | wide | one column of numbers per ROI; optional `scan`, `volume`, `time_secs`, `kept` |
//! | list | `bold`, a list of one number per ROI; optional `scan`, `volume`, `time_secs`, `kept` |
//! | long | `volume`, `roi` (name or number), and `value` or `bold`; optional `scan` |
//!
//! `scan` is needed when a file holds several scans. Volumes count from 0 or from 1. `kept` is
//! false for a volume that must not be used, as in a prepared data set; a null is true.

mod arrow;
mod cell;
mod column;
mod file;
mod long;
mod parquet;
mod problem;
mod wide;

use std::collections::HashSet;
use std::ops::Range;

use crate::error::FormatError;
use crate::signal_table::{SignalTable, telling_names};
use column::{BOLD, ROI, SCAN, TIME, VALUE, VOLUME};
pub use file::ColumnarFile;
pub use problem::{BlockProblem, ColumnarProblem};

/// Maximum number of values, above that of any scan: a few bytes can encode any number of equal
/// rows.
const MAX_VALUES: usize = 1 << 28;

/// Maximum number of scan names in an error message.
const SHOWN_SCANS: usize = 5;

impl ColumnarFile {
    /// The scans of the file, in the order of their first row; `None` when it has no `scan` column.
    /// Only the column `scan` is decoded.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn scans(&self) -> Result<Vec<String>, FormatError> {
        self.guarded(|| {
            let mut known = HashSet::new();
            let mut scans = Vec::new();
            each_scan(self, |_, scan| {
                if !known.contains(scan) {
                    known.insert(scan.to_owned());
                    scans.push(scan.to_owned());
                }
                Ok(())
            })?;
            Ok(scans)
        })
    }

    /// The names of the ROIs, as [`read`](Self::read) returns them with the signals of a scan. They
    /// are names of columns; in the long form, `scan` and `roi` are decoded.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn names(&self, scan: Option<&str>) -> Result<Option<Vec<String>>, FormatError> {
        self.guarded(|| match self.is_long() {
            true => long::names(self, rows_of(self, scan)?.as_deref()),
            false => Ok(wide::names(self)?.and_then(telling_names)),
        })
    }

    /// Seconds between the volumes of a scan, if `time_secs` exists and is evenly spaced. Only the
    /// columns `scan`, `volume` and `time_secs` are decoded.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn tr_secs(&self, scan: Option<&str>) -> Result<Option<f64>, FormatError> {
        if self.is_long() || self.place(TIME).is_none() {
            return Ok(None);
        }
        self.guarded(|| wide::tr_secs(self, rows_of(self, scan)?.as_deref()))
    }

    /// Volumes of a scan. Only `scan` is decoded, and `volume` in the long form.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn n_volumes(&self, scan: Option<&str>) -> Result<usize, FormatError> {
        self.guarded(|| {
            let rows = rows_of(self, scan)?;
            match &rows {
                _ if self.is_long() => long::n_volumes(self, rows.as_deref()),
                Some(rows) => Ok(rows.iter().map(|rows| rows.len()).sum()),
                None => (self.batches(&[0], None)?)
                    .try_fold(0, |sum, batch| Ok(sum + batch?.num_rows())),
            }
        })
    }

    /// Reads the signals of one scan; of the only scan when `scan` is `None`.
    ///
    /// Rows may come in any order if they have a `volume`. In the long form, a pair of volume and
    /// ROI without a row is missing: NaN. The ROIs have the order of the columns, of their numbers,
    /// or of the first row of each name. Names that only count the columns from 0 are ignored. The
    /// TR is known if `time_secs` exists and is evenly spaced.
    ///
    /// Memory holds the rows of the scan and one block of the file.
    ///
    /// # Errors
    /// [`FormatError::Columnar`] for a file of another form, a scan that does not exist or must be
    /// named, volumes that do not count from 0 or 1 without a gap, and two rows for one value;
    /// [`FormatError::Parquet`] for a damaged file.
    pub fn read(&self, scan: Option<&str>) -> Result<SignalTable, FormatError> {
        self.guarded(|| {
            let rows = rows_of(self, scan)?;
            let table = match self.is_long() {
                true => long::read(self, rows.as_deref())?,
                false => wide::read(self, rows.as_deref())?,
            };
            if table.signals.values.is_empty() {
                return Err(self.refuse(ColumnarProblem::NoValue));
            }
            Ok(table)
        })
    }

    /// Whether a row holds one value instead of a volume.
    fn is_long(&self) -> bool {
        let has = |name: &str| self.place(name).is_some();
        has(VOLUME) && has(ROI) && (has(VALUE) || has(BOLD))
    }
}

/// The rows of a scan; `None` means all rows.
fn rows_of(
    file: &ColumnarFile,
    scan: Option<&str>,
) -> Result<Option<Vec<Range<usize>>>, FormatError> {
    if file.place(SCAN).is_none() {
        return match scan {
            Some(scan) => {
                let scan = scan.to_owned();
                Err(file.refuse(ColumnarProblem::NoScanColumn { scan }))
            }
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
                return Err(file.refuse(ColumnarProblem::SeveralScans {
                    first: wanted.to_owned(),
                    second: found.to_owned(),
                }));
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
            Some(scan) => ColumnarProblem::NoScan {
                scan: scan.to_owned(),
                found: others,
            },
            None => ColumnarProblem::NoRow,
        }));
    }
    Ok(Some(rows))
}

/// Calls the closure with the name of the scan and the number of every row.
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
            None => {
                let row = start + row;
                Err(file.refuse(ColumnarProblem::RowWithoutScan { row }))
            }
        })
        .unwrap_or_else(|| {
            let found = batch.column(0).data_type().clone();
            Err(file.refuse(ColumnarProblem::ScanType { found }))
        })?;
        start += batch.num_rows();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
