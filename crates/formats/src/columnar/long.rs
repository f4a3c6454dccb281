//! One row per value: a volume, an ROI and a number.

use std::collections::HashMap;
use std::ops::Range;

use super::cell::{each_number, each_text, is_number};
use super::file::ColumnarFile;
use super::{BOLD, MAX_VALUES, ROI, VALUE, VOLUME};
use crate::error::FormatError;
use crate::roi_signals::RoiSignals;
use crate::signal_table::SignalTable;

/// Of so many pairs of volume and ROI, one at least must have a value.
const SPARSEST: usize = 10;

/// A row: number of the volume, number or place of the ROI, value.
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
    let kind_of = |name: &str| {
        let field = file.fields().find(|field| field.name() == name);
        field.map(|field| field.data_type())
    };
    for name in [VOLUME, value] {
        if let Some(kind) = kind_of(name).filter(|kind| !is_number(kind)) {
            return Err(file.refuse(format!("its column {name} is {kind}, expected numbers")));
        }
    }
    let numbered = kind_of(ROI).is_some_and(is_number);
    let mut columns: Vec<usize> = [VOLUME, ROI, value]
        .iter()
        .filter_map(|name| file.place(name))
        .collect();
    columns.sort_unstable();

    let mut cells: Vec<Row> = Vec::new();
    let mut names: HashMap<String, u32> = HashMap::new();
    for batch in file.batches(&columns, rows)? {
        let batch = batch?;
        if batch.num_rows() > MAX_VALUES - cells.len() {
            return Err(file.refuse(format!("one scan has more than {MAX_VALUES} rows")));
        }
        let start = cells.len();
        cells.resize(start + batch.num_rows(), (0, 0, f64::NAN));
        let cells = &mut cells[start..];
        let column = |name: &str| {
            let column = batch.column_by_name(name);
            column.ok_or_else(|| file.refuse(format!("it has no column {name}")))
        };
        let mut wrong = None;
        each_number(column(VOLUME)?, |row, number| match whole(number) {
            Some(number) => cells[row].0 = number,
            None => wrong = Some((VOLUME, number)),
        });
        if numbered {
            each_number(column(ROI)?, |row, number| match whole(number) {
                Some(number) => cells[row].1 = number,
                None => wrong = Some((ROI, number)),
            });
        } else {
            each_text(column(ROI)?, |row, name| {
                let name = name.ok_or_else(|| file.refuse("a row names no ROI"))?;
                cells[row].1 = match names.get(name) {
                    Some(&place) => place,
                    None => {
                        let place = names.len() as u32;
                        names.insert(name.to_owned(), place);
                        place
                    }
                };
                Ok(())
            })
            .unwrap_or_else(|| {
                Err(file.refuse(format!("its column {ROI} holds neither names nor numbers")))
            })?;
        }
        if let Some((name, number)) = wrong {
            return Err(file.refuse(format!(
                "a row has the {name} {number}, expected a whole number from 0 or 1 on"
            )));
        }
        each_number(column(value)?, |row, number| cells[row].2 = number);
    }
    let names = (!numbered).then(|| {
        let mut names: Vec<(String, u32)> = names.into_iter().collect();
        names.sort_unstable_by_key(|&(_, place)| place);
        names.into_iter().map(|(name, _)| name).collect()
    });
    let signals = spread(&cells).map_err(|problem| file.refuse(problem))?;
    Ok(SignalTable {
        names,
        signals,
        kept: None,
    })
}

/// Puts every value in its place.
fn spread(rows: &[Row]) -> Result<RoiSignals, String> {
    let volumes = count(VOLUME, rows.iter().map(|row| row.0), rows.len())?;
    let rois = count(ROI, rows.iter().map(|row| row.1), rows.len())?;
    let n_values = volumes.len().checked_mul(rois.len());
    let n_values = n_values
        .filter(|&n| n / SPARSEST <= rows.len())
        .ok_or_else(|| {
            format!(
                "it has {} values for {} volumes of {} ROIs, far too few",
                rows.len(),
                volumes.len(),
                rois.len()
            )
        })?;
    let mut values = vec![f64::NAN; n_values];
    let mut seen = vec![false; n_values];
    for &(volume, roi, value) in rows {
        let at = (volume - volumes.start) as usize * rois.len() + (roi - rois.start) as usize;
        if std::mem::replace(&mut seen[at], true) {
            return Err(format!("two rows are for volume {volume} and ROI {roi}"));
        }
        values[at] = value;
    }
    Ok(RoiSignals {
        values,
        n_rois: rois.len(),
        tr_secs: None,
    })
}

/// The numbers that occur, which must be all of those from 0 or 1 to the largest.
fn count(
    what: &str,
    numbers: impl Iterator<Item = u32> + Clone,
    n_rows: usize,
) -> Result<Range<u32>, String> {
    let Some(last) = numbers.clone().max() else {
        return Ok(0..0);
    };
    let gap = |number: u32| format!("there is no {what} {number}, but there is a {what} {last}");
    // More numbers than rows cannot all be there.
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
