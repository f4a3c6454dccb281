//! Long form: one row per value, with a volume, an ROI and a number.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

use super::cell::{each_number, each_text, is_number};
use super::column::{BOLD, ROI, VALUE, VOLUME};
use super::{ColumnarFile, ColumnarProblem, MAX_VALUES};
use crate::error::FormatError;
use crate::roi_signals::RoiSignals;
use crate::signal_table::SignalTable;

/// At least one of this many pairs of volume and ROI must have a value.
const SPARSEST: usize = 10;

/// A row: volume number, ROI number or index, value.
type Row = (u32, u32, f64);

/// Reads `rows` of a file.
pub(super) fn read(
    file: &ColumnarFile,
    rows: Option<&[Range<usize>]>,
) -> Result<SignalTable, FormatError> {
    let value = if file.place(VALUE).is_some() {
        VALUE
    } else {
        BOLD
    };
    for name in [VOLUME, value] {
        if let Some(found) = type_of(file, name).filter(|found| !is_number(found)) {
            let found = found.clone();
            return Err(file.refuse(ColumnarProblem::NumberType { name, found }));
        }
    }
    let numbered = is_numbered(file);
    let columns = places(file, &[VOLUME, ROI, value]);

    let mut cells: Vec<Row> = Vec::new();
    let mut names = Names::default();
    for batch in file.batches(&columns, rows)? {
        let batch = batch?;
        if batch.num_rows() > MAX_VALUES - cells.len() {
            return Err(file.refuse(ColumnarProblem::TooMany {
                what: "rows",
                most: MAX_VALUES,
            }));
        }
        let start = cells.len();
        cells.resize(start + batch.num_rows(), (0, 0, f64::NAN));
        let cells = &mut cells[start..];
        let mut wrong = None;
        each_number(column(file, &batch, VOLUME)?, |row, number| {
            match whole(number) {
                Some(number) => cells[row].0 = number,
                None => wrong = Some((VOLUME, number)),
            }
        });
        if numbered {
            each_number(column(file, &batch, ROI)?, |row, number| {
                match whole(number) {
                    Some(number) => cells[row].1 = number,
                    None => wrong = Some((ROI, number)),
                }
            });
        } else {
            names.take(file, &batch, |row, place| cells[row].1 = place)?;
        }
        if let Some((name, number)) = wrong {
            return Err(file.refuse(ColumnarProblem::RowNumber {
                what: name,
                found: number,
            }));
        }
        each_number(column(file, &batch, value)?, |row, number| {
            cells[row].2 = number
        });
    }
    let names = (!numbered).then(|| names.in_order());
    let signals = spread(&cells).map_err(|problem| file.refuse(problem))?;
    Ok(SignalTable {
        names,
        signals,
        kept: None,
    })
}

/// The names of the ROIs in `rows`; `None` if the ROIs have numbers.
pub(super) fn names(
    file: &ColumnarFile,
    rows: Option<&[Range<usize>]>,
) -> Result<Option<Vec<String>>, FormatError> {
    if is_numbered(file) {
        return Ok(None);
    }
    let mut names = Names::default();
    for batch in file.batches(&places(file, &[ROI]), rows)? {
        names.take(file, &batch?, |_, _| {})?;
    }
    Ok(Some(names.in_order()))
}

/// Volumes in `rows`.
pub(super) fn n_volumes(
    file: &ColumnarFile,
    rows: Option<&[Range<usize>]>,
) -> Result<usize, FormatError> {
    let mut volumes = HashSet::new();
    for batch in file.batches(&places(file, &[VOLUME]), rows)? {
        each_number(column(file, &batch?, VOLUME)?, |_, number| {
            volumes.insert(number.to_bits());
        });
    }
    Ok(volumes.len())
}

/// Names of ROIs with their indices, in the order of their first row.
#[derive(Default)]
struct Names(HashMap<String, u32>);

impl Names {
    /// Calls the closure with the index of the name in every row of `batch`.
    fn take(
        &mut self,
        file: &ColumnarFile,
        batch: &RecordBatch,
        mut place_of_row: impl FnMut(usize, u32),
    ) -> Result<(), FormatError> {
        each_text(column(file, batch, ROI)?, |row, name| {
            let name = name.ok_or_else(|| file.refuse(ColumnarProblem::RowWithoutRoi))?;
            let next = self.0.len() as u32;
            let place = match self.0.get(name) {
                Some(&place) => place,
                None => *self.0.entry(name.to_owned()).or_insert(next),
            };
            place_of_row(row, place);
            Ok(())
        })
        .unwrap_or_else(|| Err(file.refuse(ColumnarProblem::NameType { name: ROI })))
    }

    fn in_order(self) -> Vec<String> {
        let mut names: Vec<(String, u32)> = self.0.into_iter().collect();
        names.sort_unstable_by_key(|&(_, place)| place);
        names.into_iter().map(|(name, _)| name).collect()
    }
}

/// The type of a column.
fn type_of<'a>(file: &'a ColumnarFile, name: &str) -> Option<&'a DataType> {
    let field = file.fields().find(|field| field.name() == name);
    field.map(|field| field.data_type())
}

/// Whether ROIs have numbers instead of names.
fn is_numbered(file: &ColumnarFile) -> bool {
    type_of(file, ROI).is_some_and(is_number)
}

/// The indices of columns in the file, ascending.
fn places(file: &ColumnarFile, names: &[&str]) -> Vec<usize> {
    let mut places: Vec<usize> = names.iter().filter_map(|name| file.place(name)).collect();
    places.sort_unstable();
    places
}

/// A column of a batch.
fn column<'a>(
    file: &ColumnarFile,
    batch: &'a RecordBatch,
    name: &'static str,
) -> Result<&'a dyn Array, FormatError> {
    match batch.column_by_name(name) {
        Some(column) => Ok(column.as_ref()),
        None => Err(file.refuse(ColumnarProblem::NoColumn { name })),
    }
}

/// Writes every value to its position in `[volume][roi]`.
fn spread(rows: &[Row]) -> Result<RoiSignals, ColumnarProblem> {
    let volumes = count(VOLUME, rows.iter().map(|row| row.0), rows.len())?;
    let rois = count(ROI, rows.iter().map(|row| row.1), rows.len())?;
    let n_values = volumes.len().checked_mul(rois.len());
    let n_values =
        n_values
            .filter(|&n| n / SPARSEST <= rows.len())
            .ok_or(ColumnarProblem::TooFew {
                values: rows.len(),
                volumes: volumes.len(),
                rois: rois.len(),
            })?;
    let mut values = vec![f64::NAN; n_values];
    let mut seen = vec![false; n_values];
    for &(volume, roi, value) in rows {
        let at = (roi - rois.start) as usize * volumes.len() + (volume - volumes.start) as usize;
        if std::mem::replace(&mut seen[at], true) {
            return Err(ColumnarProblem::RepeatedRow { volume, roi });
        }
        values[at] = value;
    }
    Ok(RoiSignals {
        values,
        n_rois: rois.len(),
        tr_secs: None,
    })
}

/// The count of distinct numbers, which must be complete from 0 or 1 to the largest.
fn count(
    what: &'static str,
    numbers: impl Iterator<Item = u32> + Clone,
    n_rows: usize,
) -> Result<Range<u32>, ColumnarProblem> {
    let Some(last) = numbers.clone().max() else {
        return Ok(0..0);
    };
    let gap = |missing: u32| ColumnarProblem::Gap {
        what,
        missing,
        last,
    };
    // A largest number above the number of rows means that numbers are missing.
    let mut seen = vec![false; n_rows + 1];
    for number in numbers {
        if let Some(seen) = seen.get_mut(number as usize) {
            *seen = true;
        }
    }
    let first = u32::from(!seen[0]);
    for number in first..=last {
        if seen.get(number as usize) != Some(&true) {
            return Err(gap(number));
        }
    }
    Ok(first..last + 1)
}

fn whole(number: f64) -> Option<u32> {
    let fits = number.fract() == 0.0 && (0.0..f64::from(u32::MAX)).contains(&number);
    fits.then_some(number as u32)
}
