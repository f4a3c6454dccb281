//! CSV text of a table, for people.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, downcast_integer_array};
use arrow_schema::DataType;

use crate::values::unlike;
use crate::{Table, TableError};

/// Text of the cell in a row.
type CellText<'a> = Box<dyn Fn(usize) -> String + 'a>;

impl Table {
    /// CSV text with a header; an empty cell is null. A float has the digits that identify it, and
    /// a list is written as `[0.5, 1.0]`.
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
            Box::new(of)
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
        return Some(Box::new(move |row| format!("{:?}", column.value(row))));
    }
    let column = column.as_primitive_opt::<Float64Type>()?;
    Some(Box::new(move |row| format!("{:?}", column.value(row))))
}

fn list(values: &ArrayRef) -> String {
    let Some(of) = float(values) else {
        return String::new();
    };
    let text = |i: usize| match values.is_null(i) {
        true => "null".to_owned(),
        false => of(i),
    };
    let all: Vec<String> = (0..values.len()).map(text).collect();
    format!("[{}]", all.join(", "))
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
    fn numbers_have_all_their_digits() {
        let written = [
            (0.0, "0.0"),
            (-3.0, "-3.0"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1.2e-7, "1.2e-7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ];
        for (value, text) in written {
            assert_eq!(
                csv(vec![Column::new("x", [value])], 1),
                format!("x\n{text}\n")
            );
        }
        assert_eq!(csv(vec![Column::new("x", [0.1_f32])], 1), "x\n0.1\n");
    }

    #[test]
    fn lists_are_one_cell() {
        let rows: [&[f32]; 3] = [&[], &[1.0], &[1.0, 0.1, -2.0]];
        assert_eq!(
            csv(vec![Column::new("v", rows)], 3),
            "v\n[]\n[1.0]\n\"[1.0, 0.1, -2.0]\"\n"
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
