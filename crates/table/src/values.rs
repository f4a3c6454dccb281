//! Values of columns, as Rust types.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, downcast_integer_array};
use arrow_schema::DataType;

use crate::{Table, TableError};

/// A column that holds only nulls is read as texts, numbers or flags, whatever its type.
impl Table {
    /// Reads a column of texts; `None` for a null.
    ///
    /// # Errors
    /// [`TableError::MissingColumn`] or [`TableError::ColumnType`].
    pub fn optional_texts(&self, name: &str) -> Result<Vec<Option<String>>, TableError> {
        let column = self.column(name)?;
        if has_only_nulls(column) {
            return Ok(vec![None; self.height()]);
        }
        let texts = column.as_string_opt::<i32>();
        let texts = texts.ok_or_else(|| unlike(name, column, "text"))?;
        Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
    }

    /// Reads a column of texts without nulls.
    ///
    /// # Errors
    /// As [`Table::optional_texts`], or [`TableError::Null`].
    pub fn texts(&self, name: &str) -> Result<Vec<String>, TableError> {
        present(name, self.optional_texts(name)?)
    }

    /// Reads a column of integers or floats of any width; `None` for a null.
    ///
    /// # Errors
    /// [`TableError::MissingColumn`] or [`TableError::ColumnType`].
    pub fn optional_numbers(&self, name: &str) -> Result<Vec<Option<f64>>, TableError> {
        let column = self.column(name)?;
        if has_only_nulls(column) {
            return Ok(vec![None; self.height()]);
        }
        numbers(column).ok_or_else(|| unlike(name, column, "numbers"))
    }

    /// Reads a column of integers or floats without nulls.
    ///
    /// # Errors
    /// As [`Table::optional_numbers`], or [`TableError::Null`].
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, TableError> {
        present(name, self.optional_numbers(name)?)
    }

    /// Reads a column of flags without nulls.
    ///
    /// # Errors
    /// [`TableError::MissingColumn`], [`TableError::ColumnType`] or [`TableError::Null`].
    pub fn flags(&self, name: &str) -> Result<Vec<bool>, TableError> {
        let column = self.column(name)?;
        if has_only_nulls(column) {
            return present(name, vec![None; self.height()]);
        }
        let flags = column.as_boolean_opt();
        let flags = flags.ok_or_else(|| unlike(name, column, "flags"))?;
        present(name, flags.iter().collect())
    }

    /// Whether the type of a column is text; its values may all be null.
    ///
    /// # Errors
    /// [`TableError::MissingColumn`].
    pub fn is_text(&self, name: &str) -> Result<bool, TableError> {
        Ok(self.column(name)?.data_type() == &DataType::Utf8)
    }
}

fn numbers(column: &ArrayRef) -> Option<Vec<Option<f64>>> {
    let column: &dyn Array = column;
    let numbers = downcast_integer_array!(
        column => { column.iter().map(|value| value.map(|value| value as f64)).collect() }
        DataType::Float16 => {
            let values = column.as_primitive_opt::<Float16Type>()?.iter();
            values.map(|value| value.map(f64::from)).collect()
        }
        DataType::Float32 => {
            let values = column.as_primitive_opt::<Float32Type>()?.iter();
            values.map(|value| value.map(f64::from)).collect()
        }
        DataType::Float64 => column.as_primitive_opt::<Float64Type>()?.iter().collect(),
        _ => return None,
    );
    Some(numbers)
}

fn has_only_nulls(column: &ArrayRef) -> bool {
    column.logical_null_count() == column.len()
}

fn present<T>(name: &str, values: Vec<Option<T>>) -> Result<Vec<T>, TableError> {
    let null = |row| TableError::Null {
        column: name.to_owned(),
        row,
    };
    let values = values.into_iter().enumerate();
    values
        .map(|(row, value)| value.ok_or_else(|| null(row)))
        .collect()
}

pub(crate) fn unlike(name: &str, column: &ArrayRef, expected: &'static str) -> TableError {
    TableError::ColumnType {
        column: name.to_owned(),
        found: column.data_type().to_string(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int8Array, Int64Array, NullArray, UInt16Array};

    use super::*;
    use crate::Column;

    #[test]
    fn nulls_are_none_or_refused() {
        let columns = vec![
            Column::new("x", [Some(1.5), None]),
            Column::new("t", ["a", "b"]),
            Column::new("f", [Some(true), None]),
        ];
        let table = Table::new(2, columns).expect("equal lengths");
        let x = table.optional_numbers("x").expect("numbers");
        assert_eq!(x, [Some(1.5), None]);
        let refused = table.numbers("x").expect_err("a null");
        assert!(matches!(refused, TableError::Null { row: 1, column } if column == "x"));
        assert_eq!(table.texts("t").expect("texts"), ["a", "b"]);
        let refused = table.flags("f").expect_err("a null");
        assert!(matches!(refused, TableError::Null { row: 1, .. }));
        let missing = table.numbers("y").expect_err("no such column");
        assert!(matches!(
            missing,
            TableError::MissingColumn { column, found } if column == "y" && found == "x, t, f"
        ));
    }

    #[test]
    fn other_types_are_refused() {
        let columns = vec![Column::new("x", [1.5]), Column::new("t", ["1.5"])];
        let table = Table::new(1, columns).expect("equal lengths");
        let errors = [
            table.optional_texts("x").map(|_| ()),
            table.numbers("t").map(|_| ()),
            table.flags("x").map(|_| ()),
        ];
        let texts = errors.map(|error| error.expect_err("another type").to_string());
        assert_eq!(
            texts,
            [
                "column x holds Float64, expected text",
                "column t holds Utf8, expected numbers",
                "column x holds Float64, expected flags",
            ]
        );
        assert!(table.is_text("t").expect("a column"));
        assert!(!table.is_text("x").expect("a column"));
    }

    #[test]
    fn nulls_alone_are_of_every_type() {
        let none: [Option<f64>; 2] = [None, None];
        let typed = Column::new("none", none);
        let untyped = Column {
            name: "none".into(),
            values: Some(Arc::new(NullArray::new(2))),
        };
        for column in [typed, untyped] {
            let table = Table::new(2, vec![column]).expect("equal lengths");
            let texts = table.optional_texts("none").expect("nulls");
            assert_eq!(texts, [None, None]);
            let numbers = table.optional_numbers("none").expect("nulls");
            assert_eq!(numbers, [None, None]);
            let refused = table.flags("none").expect_err("nulls");
            assert!(matches!(refused, TableError::Null { row: 0, .. }));
        }
    }

    #[test]
    fn numbers_of_every_width_are_read() {
        let arrays: [ArrayRef; 3] = [
            Arc::new(Int8Array::from(vec![-1, 2])),
            Arc::new(Int64Array::from(vec![-1, 2])),
            Arc::new(UInt16Array::from(vec![1, 2])),
        ];
        for array in arrays {
            let column = Column {
                name: "n".into(),
                values: Some(array),
            };
            let table = Table::new(2, vec![column]).expect("equal lengths");
            let numbers = table.numbers("n").expect("numbers");
            assert_eq!([numbers[0].abs(), numbers[1]], [1.0, 2.0]);
        }
        let table = Table::new(1, vec![Column::new("n", [0.25_f32])]).expect("equal lengths");
        assert_eq!(table.numbers("n").expect("numbers"), [0.25]);
    }
}
