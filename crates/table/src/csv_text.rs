//! CSV text of a table, for people.

use std::fmt::Write as _;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, downcast_integer_array};
use arrow_schema::DataType;

use crate::values::unlike;
use crate::{Table, TableError};

/// Whole numbers below this one are written without an exponent.
const LARGEST_PLAIN: f64 = 999_999.0;

/// Smallest number that is written with decimals instead of an exponent, if it has many digits.
const SMALLEST_PLAIN: f64 = 1e-6;

/// Longest list that is written completely.
const LONGEST_LIST: usize = 3;

/// Text of the cell in a row.
type CellText<'a> = Box<dyn Fn(usize) -> String + 'a>;

impl Table {
    /// CSV text with a header; an empty cell is null. Floats are rounded to six decimals, or to
    /// five digits if they have an exponent; long lists are abbreviated.
    ///
    /// # Errors
    /// [`TableError::ColumnType`] for a column that is neither text, numbers, flags nor lists of
    /// numbers; [`TableError::Csv`].
    pub fn to_csv(&self) -> Result<Vec<u8>, TableError> {
        let columns = self.names().zip(self.batch().columns());
        let texts = columns.map(|(name, values)| {
            cell_texts(values)
                .ok_or_else(|| unlike(name, values, "text, numbers, flags or lists of numbers"))
        });
        let texts = texts.collect::<Result<Vec<_>, TableError>>()?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.names())?;
        for row in 0..self.height() {
            writer.write_record(texts.iter().map(|text| text(row)))?;
        }
        writer
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()).into())
    }
}

/// Text of each cell of a column; `None` for a type that is not written.
fn cell_texts(values: &ArrayRef) -> Option<CellText<'_>> {
    let column: &dyn Array = values;
    let texts: CellText<'_> = downcast_integer_array!(
        column => { Box::new(move |row| column.value(row).to_string()) }
        DataType::Null => Box::new(|_| String::new()),
        DataType::Utf8 => {
            let column = column.as_string_opt::<i32>()?;
            Box::new(move |row| column.value(row).to_owned())
        }
        DataType::Boolean => {
            let column = column.as_boolean_opt()?;
            Box::new(move |row| column.value(row).to_string())
        }
        DataType::Float32 | DataType::Float64 => {
            let of = float(column)?;
            Box::new(move |row| of(row))
        }
        DataType::List(item) if item.data_type().is_floating() => {
            let column = column.as_list_opt::<i32>()?;
            Box::new(move |row| list(&column.value(row)))
        }
        _ => return None,
    );
    Some(Box::new(move |row| match values.is_null(row) {
        true => String::new(),
        false => texts(row),
    }))
}

fn float(column: &dyn Array) -> Option<CellText<'_>> {
    if let Some(column) = column.as_primitive_opt::<Float32Type>() {
        return Some(Box::new(move |row| number(f64::from(column.value(row)))));
    }
    let column = column.as_primitive_opt::<Float64Type>()?;
    Some(Box::new(move |row| number(column.value(row))))
}

/// A list of numbers; of a long one, the first two and the last number.
fn list(values: &ArrayRef) -> String {
    let Some(of) = float(values) else {
        return String::new();
    };
    let text = |i: usize| match values.is_null(i) {
        true => "null".to_owned(),
        false => of(i),
    };
    let n = values.len();
    if n > LONGEST_LIST {
        let last = format!("… {}", text(n - 1));
        return format!("[{}, {}, {last}]", text(0), text(1));
    }
    let mut all = String::from("[");
    for i in 0..n {
        let comma = if i > 0 { ", " } else { "" };
        // Writing into a string does not fail.
        let _ = write!(all, "{comma}{}", text(i));
    }
    all.push(']');
    all
}

fn number(value: f64) -> String {
    let is_whole = value.fract() == 0.0;
    if is_whole && value.abs() < LARGEST_PLAIN {
        return format!("{value:.1}");
    }
    let shortest = value.to_string();
    if shortest.len() > 9 {
        if !(SMALLEST_PLAIN..=LARGEST_PLAIN).contains(&value.abs()) {
            return format!("{value:.4e}");
        }
        let rounded = format!("{value:.6}");
        let bare = rounded.trim_end_matches('0');
        let zero = if bare.ends_with('.') { "0" } else { "" };
        return format!("{bare}{zero}");
    }
    if is_whole {
        return format!("{value:e}");
    }
    shortest
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Date32Array;

    use super::*;
    use crate::Column;

    fn csv(columns: Vec<Column>, height: usize) -> String {
        let table = Table::new(height, columns).expect("equal lengths");
        String::from_utf8(table.to_csv().expect("CSV")).expect("text")
    }

    #[test]
    fn texts_are_quoted_and_nulls_are_empty() {
        let columns = vec![
            Column::new("predictor", ["zero", "mean, visible", "a \"b\"\nc"]),
            Column::new("mse", [Some(1.0), None, Some(0.1)]),
            Column::new("n", [2_u32, 0, 7]),
            Column::new("hidden", [true, false, true]),
        ];
        assert_eq!(
            csv(columns, 3),
            "predictor,mse,n,hidden\nzero,1.0,2,true\n\"mean, visible\",,0,false\n\
             \"a \"\"b\"\"\nc\",0.1,7,true\n"
        );
    }

    #[test]
    fn numbers_are_rounded() {
        let written = [
            (0.0, "0.0"),
            (-3.0, "-3.0"),
            (999_998.0, "999998.0"),
            (999_999.0, "9.99999e5"),
            (12_345_678.0, "1.2345678e7"),
            (1_234_567_890.0, "1.2346e9"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.3"),
            (2.0 / 3.0, "0.666667"),
            (1.000_000_000_1, "1.0"),
            (0.000_012_345_678, "0.000012"),
            (0.000_000_123_456, "1.2346e-7"),
            (0.000_000_1, "0.0000001"),
            (-1_234_567.891, "-1.2346e6"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ];
        for (value, text) in written {
            assert_eq!(number(value), text);
        }
        assert_eq!(csv(vec![Column::new("x", [0.1_f32])], 1), "x\n0.1\n");
    }

    #[test]
    fn lists_are_abbreviated() {
        let rows: [&[f32]; 3] = [&[], &[1.0, 0.1, -2.0], &[1.0, 2.0, 3.0, 4.0, 5.0]];
        assert_eq!(
            csv(vec![Column::new("v", rows)], 3),
            "v\n[]\n\"[1.0, 0.1, -2.0]\"\n\"[1.0, 2.0, … 5.0]\"\n"
        );
    }

    #[test]
    fn other_types_are_refused() {
        let column = Column {
            name: "day".into(),
            values: Some(Arc::new(Date32Array::from(vec![1]))),
        };
        let table = Table::new(1, vec![column]).expect("equal lengths");
        let error = table.to_csv().expect_err("a date");
        assert!(matches!(error, TableError::ColumnType { column, .. } if column == "day"));
    }
}
