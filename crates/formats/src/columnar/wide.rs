//! Wide and list forms: one row per volume, with a column per ROI or a list of all ROIs.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field};

use super::cell::{each_number, is_number};
use super::column::{BOLD, KEPT, SCAN, TIME, VOLUME};
use super::{ColumnarFile, ColumnarProblem, MAX_VALUES};
use crate::error::FormatError;
use crate::roi_signals::{RoiSignals, joined};
use crate::signal_table::{SignalTable, telling_names};

/// Time steps are even when they differ by less than this share of the TR.
const EVEN_WITHIN: f64 = 1e-3;

/// Rows in the order of the file.
#[derive(Default)]
struct Volumes {
    /// By batch, `[roi][row]`.
    blocks: Vec<Vec<f64>>,
    /// Rows of all batches.
    n_rows: usize,
    /// By row, where the file numbers them.
    numbers: Vec<f64>,
    /// By row: the time, if the file has it.
    times_secs: Vec<f64>,
    /// By row: whether the volume may be used, if the file has `kept`.
    kept: Vec<bool>,
}

/// The names of the ROIs of a file of either form; `None` for lists.
pub(super) fn names(file: &ColumnarFile) -> Result<Option<Vec<String>>, FormatError> {
    match list_len(file) {
        Some(_) => Ok(None),
        None => roi_columns(file).map(Some),
    }
}

/// The time between volumes of `rows`.
pub(super) fn tr_secs(
    file: &ColumnarFile,
    rows: Option<&[Range<usize>]>,
) -> Result<Option<f64>, FormatError> {
    let mut columns: Vec<usize> = [VOLUME, TIME]
        .iter()
        .filter_map(|name| file.place(name))
        .collect();
    columns.sort_unstable();
    let mut volumes = Volumes::default();
    for batch in file.batches(&columns, rows)? {
        volumes.take_marks(&batch?);
    }
    volumes.order(file)?;
    Ok(even_step(&volumes.times_secs))
}

/// Length of the list of all ROIs; `None` for a file of columns.
fn list_len(file: &ColumnarFile) -> Option<usize> {
    file.fields().find_map(|field| match field.data_type() {
        DataType::FixedSizeList(item, len)
            if field.name() == BOLD && is_number(item.data_type()) =>
        {
            usize::try_from(*len).ok()
        }
        _ => None,
    })
}

/// Reads `rows` of a file of either form.
pub(super) fn read(
    file: &ColumnarFile,
    rows: Option<&[Range<usize>]>,
) -> Result<SignalTable, FormatError> {
    let list_len = list_len(file);
    let (names, n_rois) = match list_len {
        Some(n_rois) => (None, n_rois),
        None => {
            let names = roi_columns(file)?;
            let n_rois = names.len();
            (Some(names), n_rois)
        }
    };
    if n_rois == 0 {
        return Err(file.refuse(ColumnarProblem::NoSignals));
    }
    let mut kept = file.fields().filter(|field| field.name() == KEPT);
    if let Some(kept) = kept.find(|field| *field.data_type() != DataType::Boolean) {
        let found = kept.data_type().clone();
        return Err(file.refuse(ColumnarProblem::KeptType { found }));
    }
    let columns: Vec<usize> = file
        .fields()
        .enumerate()
        .filter(|(_, field)| match list_len {
            Some(_) => [VOLUME, TIME, KEPT, BOLD].contains(&field.name().as_str()),
            None => is_roi(field) || [VOLUME, TIME, KEPT].contains(&field.name().as_str()),
        })
        .map(|(place, _)| place)
        .collect();

    let mut volumes = Volumes::default();
    for batch in file.batches(&columns, rows)? {
        let batch = batch?;
        let n_values = batch.num_rows().checked_mul(n_rois);
        if n_values.is_none_or(|n| n > MAX_VALUES - volumes.n_rows * n_rois) {
            return Err(file.refuse(ColumnarProblem::TooMany {
                what: "values",
                most: MAX_VALUES,
            }));
        }
        volumes.blocks.push(match list_len {
            Some(_) => block_of_lists(&batch, n_rois),
            None => block_of_columns(&batch, n_rois),
        });
        volumes.take_marks(&batch);
    }
    volumes.finish(file, names, n_rois)
}

/// Whether the name of a column in the wide form allows it to hold signals.
fn is_roi(field: &Field) -> bool {
    let name = field.name().as_str();
    // pandas writes its row numbers under such a name.
    ![SCAN, VOLUME, TIME, KEPT].contains(&name) && !name.starts_with("__index_level_")
}

/// The names of the signal columns, which must all hold numbers.
fn roi_columns(file: &ColumnarFile) -> Result<Vec<String>, FormatError> {
    file.fields()
        .filter(|field| is_roi(field))
        .map(|field| {
            if is_number(field.data_type()) {
                Ok(field.name().clone())
            } else {
                Err(file.refuse(ColumnarProblem::RoiType {
                    name: field.name().clone(),
                    found: field.data_type().clone(),
                }))
            }
        })
        .collect()
}

/// The signals in the columns of `batch`, `[roi][row]`.
fn block_of_columns(batch: &RecordBatch, n_rois: usize) -> Vec<f64> {
    let n_rows = batch.num_rows();
    let mut block = vec![f64::NAN; n_rois * n_rows];
    let schema = batch.schema_ref();
    let columns = batch.columns().iter().zip(schema.fields());
    let rois = columns.filter(|(_, field)| is_roi(field));
    for (roi, (column, _)) in rois.enumerate() {
        let cells = &mut block[roi * n_rows..];
        each_number(column, |row, value| cells[row] = value);
    }
    block
}

/// The signals in the lists of `batch`, `[roi][row]`.
fn block_of_lists(batch: &RecordBatch, n_rois: usize) -> Vec<f64> {
    let n_rows = batch.num_rows();
    let mut block = vec![f64::NAN; n_rois * n_rows];
    let lists = batch
        .column_by_name(BOLD)
        .and_then(|bold| bold.as_fixed_size_list_opt());
    if let Some(lists) = lists {
        each_number(lists.values(), |at, value| {
            let (row, roi) = (at / n_rois, at % n_rois);
            // A damaged file may have more numbers than its lists.
            if row < n_rows && lists.is_valid(row) {
                block[roi * n_rows + row] = value;
            }
        });
    }
    block
}

impl Volumes {
    /// Takes the numbers, times and marks of the rows of `batch`.
    fn take_marks(&mut self, batch: &RecordBatch) {
        if let Some(numbers) = batch.column_by_name(VOLUME) {
            each_number(numbers, |_, number| self.numbers.push(number));
        }
        if let Some(times) = batch.column_by_name(TIME) {
            each_number(times, |_, time| self.times_secs.push(time));
        }
        let kept = batch.column_by_name(KEPT);
        if let Some(kept) = kept.and_then(|kept| kept.as_boolean_opt()) {
            self.kept
                .extend(kept.iter().map(|kept| kept.unwrap_or(true)));
        }
        self.n_rows += batch.num_rows();
    }

    /// Puts times and marks in the order of the numbers of their rows, where rows have numbers;
    /// gives the row of every volume where that is another.
    fn order(&mut self, file: &ColumnarFile) -> Result<Option<Vec<usize>>, FormatError> {
        if file.place(VOLUME).is_none() {
            return Ok(None);
        }
        let places = places(&self.numbers, self.n_rows).map_err(|problem| file.refuse(problem))?;
        if places.is_sorted() {
            return Ok(None);
        }
        let mut rows: Vec<usize> = vec![0; self.n_rows];
        for (row, &place) in places.iter().enumerate() {
            rows[place] = row;
        }
        self.times_secs = rows
            .iter()
            .filter_map(|&row| self.times_secs.get(row).copied())
            .collect();
        self.kept = rows
            .iter()
            .filter_map(|&row| self.kept.get(row).copied())
            .collect();
        Ok(Some(rows))
    }

    fn finish(
        mut self,
        file: &ColumnarFile,
        names: Option<Vec<String>>,
        n_rois: usize,
    ) -> Result<SignalTable, FormatError> {
        let rows = self.order(file)?;
        let mut values = joined(self.blocks, n_rois);
        if let Some(rows) = rows {
            let mut signal = vec![0.0; rows.len()];
            for in_file in values.chunks_exact_mut(rows.len().max(1)) {
                signal.copy_from_slice(in_file);
                for (place, &row) in in_file.iter_mut().zip(&rows) {
                    *place = signal[row];
                }
            }
        }
        Ok(SignalTable {
            names: names.and_then(telling_names),
            signals: RoiSignals {
                values,
                n_rois,
                tr_secs: even_step(&self.times_secs),
            },
            kept: file.place(KEPT).map(|_| self.kept),
        })
    }
}

/// The volume index of each row, from volume numbers that must count from 0 or from 1.
fn places(numbers: &[f64], n_volumes: usize) -> Result<Vec<usize>, ColumnarProblem> {
    let first = if numbers.contains(&0.0) { 0.0 } else { 1.0 };
    let mut seen = vec![false; n_volumes];
    let mut places = Vec::with_capacity(n_volumes);
    for number in numbers {
        let place = number - first;
        if place.fract() != 0.0 || !(0.0..n_volumes as f64).contains(&place) {
            return Err(ColumnarProblem::VolumeNumber {
                n_volumes,
                found: *number,
                first,
            });
        }
        let place = place as usize;
        if std::mem::replace(&mut seen[place], true) {
            let number = *number;
            return Err(ColumnarProblem::RepeatedVolume { number });
        }
        places.push(place);
    }
    if places.len() < n_volumes {
        return Err(ColumnarProblem::NoVolumeNumbers);
    }
    Ok(places)
}

/// The time between volumes, if it is constant.
fn even_step(times_secs: &[f64]) -> Option<f64> {
    let [first, .., last] = times_secs else {
        return None;
    };
    let step = (last - first) / (times_secs.len() - 1) as f64;
    let even = times_secs
        .windows(2)
        .all(|pair| ((pair[1] - pair[0]) - step).abs() <= EVEN_WITHIN * step);
    let tr_secs = (even && step > 0.0 && step.is_finite()).then_some(step);
    if tr_secs.is_none() {
        tracing::warn!("times that are not evenly spaced tell no TR");
    }
    tr_secs
}
