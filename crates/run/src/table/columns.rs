//! Typed columns of a table that was read from a file.

use polars::prelude::{DataFrame, DataType, PolarsError};

/// Reads columns of a table as texts and numbers. A column that holds only nulls has no type, and
/// is read as either.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a>(pub &'a DataFrame);

impl Columns<'_> {
    /// Reads a column of texts; `None` for a null.
    ///
    /// # Errors
    /// If the column is missing.
    pub fn optional_texts(&self, name: &str) -> Result<Vec<Option<String>>, PolarsError> {
        let column = self.0.column(name)?.cast(&DataType::String)?;
        Ok(column.str()?.iter().map(|t| t.map(str::to_owned)).collect())
    }

    /// Reads a column of texts without nulls.
    ///
    /// # Errors
    /// If the column is missing, holds other values than texts, or holds a null.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, PolarsError> {
        let column = self.0.column(name)?.str()?;
        let text = |text: Option<&str>| Ok(text.ok_or_else(|| null(name))?.to_owned());
        column.iter().map(text).collect()
    }

    /// Reads a column of numbers; `None` for a null.
    ///
    /// # Errors
    /// If the column is missing or does not hold numbers.
    pub fn optional_numbers(&self, name: &str) -> Result<Vec<Option<f64>>, PolarsError> {
        let column = self.0.column(name)?.cast(&DataType::Float64)?;
        Ok(column.f64()?.iter().collect())
    }

    /// Reads a column of numbers without nulls.
    ///
    /// # Errors
    /// As [`Columns::optional_numbers`], or if it holds a null.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, PolarsError> {
        let numbers = self.optional_numbers(name)?.into_iter();
        numbers
            .map(|number| number.ok_or_else(|| null(name)))
            .collect()
    }

    /// Reads a column of flags without nulls.
    ///
    /// # Errors
    /// If the column is missing, holds other values than flags, or holds a null.
    pub fn flags(&self, name: &str) -> Result<Vec<bool>, PolarsError> {
        let column = self.0.column(name)?.bool()?;
        let flag = |flag: Option<bool>| flag.ok_or_else(|| null(name));
        column.iter().map(flag).collect()
    }
}

fn null(name: &str) -> PolarsError {
    PolarsError::ComputeError(format!("a null in column {name}").into())
}

#[cfg(test)]
mod tests {
    use polars::df;

    use super::*;

    #[test]
    fn nulls_are_none_or_refused() {
        let none: [Option<f64>; 2] = [None, None];
        let table = df!("x" => [Some(1.5), None], "t" => ["a", "b"], "none" => none);
        let table = table.expect("equal lengths");
        let columns = Columns(&table);
        let x = columns.optional_numbers("x").expect("numbers");
        assert_eq!(x, [Some(1.5), None]);
        let refused = columns.numbers("x").expect_err("a null");
        assert!(matches!(refused, PolarsError::ComputeError(_)));
        assert_eq!(columns.texts("t").expect("texts"), ["a", "b"]);
        let none = columns.optional_texts("none").expect("nulls");
        assert_eq!(none, [None, None]);
        let missing = columns.numbers("y").expect_err("no such column");
        assert!(matches!(missing, PolarsError::ColumnNotFound(_)));
    }
}
