//! Table in memory: named columns of one length.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema};

use crate::{Column, TableError};

/// Named columns of one length. Clones share their values.
///
/// Tables are equal if their columns have the same names, types and values in the same order; two
/// nulls are equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// All fields are nullable and without metadata.
    batch: RecordBatch,
}

impl Table {
    /// Makes a table of `height` rows.
    ///
    /// # Errors
    /// [`TableError::Lengths`] if a column has another number of rows, [`TableError::SameName`],
    /// and [`TableError::TooLarge`] for texts of 2³¹ bytes or more in a column.
    pub fn new(height: usize, columns: Vec<Column>) -> Result<Self, TableError> {
        let columns = columns.into_iter().map(|Column { name, values }| {
            let column = || name.clone();
            let values = values.ok_or_else(|| TableError::TooLarge { column: column() })?;
            Ok((name, values))
        });
        Self::from_arrays(height, columns.collect::<Result<_, TableError>>()?)
    }

    pub(crate) fn from_batch(batch: &RecordBatch) -> Result<Self, TableError> {
        let fields = batch.schema_ref().fields().iter();
        let names = fields.map(|field| field.name().clone());
        let columns = names.zip(batch.columns().iter().cloned());
        Self::from_arrays(batch.num_rows(), columns.collect())
    }

    fn from_arrays(height: usize, columns: Vec<(String, ArrayRef)>) -> Result<Self, TableError> {
        let mut names = BTreeSet::new();
        for (name, values) in &columns {
            let column = || name.clone();
            if values.len() != height {
                return Err(TableError::Lengths {
                    column: column(),
                    found: values.len(),
                    expected: height,
                });
            }
            if !names.insert(name) {
                return Err(TableError::SameName { column: column() });
            }
        }
        let fields = columns
            .iter()
            .map(|(name, values)| Field::new(name, values.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let options = RecordBatchOptions::new().with_row_count(Some(height));
        let arrays = columns.into_iter().map(|(_, values)| values).collect();
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
        Ok(Self { batch })
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.batch.num_rows()
    }

    /// Names of the columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let fields = self.batch.schema_ref().fields().iter();
        fields.map(|field| field.name().as_str())
    }

    /// The table with a further last column, or with another column in the place of one of the same
    /// name.
    ///
    /// # Errors
    /// As [`Table::new`].
    pub fn with_column(&self, column: Column) -> Result<Self, TableError> {
        let mut columns: Vec<Column> = self.columns().collect();
        match columns.iter_mut().find(|old| old.name == column.name) {
            Some(old) => *old = column,
            None => columns.push(column),
        }
        Self::new(self.height(), columns)
    }

    /// The table without one of its columns.
    ///
    /// # Errors
    /// [`TableError::MissingColumn`].
    pub fn without(&self, name: &str) -> Result<Self, TableError> {
        self.column(name)?;
        let others = self.columns().filter(|column| column.name != name);
        Self::new(self.height(), others.collect())
    }

    fn columns(&self) -> impl Iterator<Item = Column> {
        self.names()
            .zip(self.batch.columns())
            .map(|(name, values)| Column {
                name: name.to_owned(),
                values: Some(values.clone()),
            })
    }

    pub(crate) fn column(&self, name: &str) -> Result<&ArrayRef, TableError> {
        let missing = || TableError::MissingColumn {
            column: name.to_owned(),
            found: self.names().collect::<Vec<_>>().join(", "),
        };
        self.batch.column_by_name(name).ok_or_else(missing)
    }

    pub(crate) fn batch(&self) -> &RecordBatch {
        &self.batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = vec![
            Column::new("x", [Some(1.0), None]),
            Column::new("t", ["a", "b"]),
        ];
        Table::new(2, columns).expect("equal lengths")
    }

    #[test]
    fn columns_of_other_lengths_and_equal_names_are_refused() {
        let error = Table::new(3, vec![Column::new("x", [1.0, 2.0])]).expect_err("two rows");
        assert!(matches!(
            error,
            TableError::Lengths { found: 2, expected: 3, column } if column == "x"
        ));
        let twice = vec![Column::new("x", [1.0]), Column::new("x", ["a"])];
        let error = Table::new(1, twice).expect_err("one name");
        assert!(matches!(error, TableError::SameName { column } if column == "x"));
        assert_eq!(Table::new(7, vec![]).expect("no column").height(), 7);
    }

    #[test]
    fn equal_tables_have_equal_names_types_and_nulls() {
        assert_eq!(table(), table());
        let other = |x: Column| table().with_column(x).expect("two rows");
        assert_eq!(other(Column::new("x", [Some(1.0), None])), table());
        assert_ne!(other(Column::new("x", [Some(1.0), Some(2.0)])), table());
        assert_ne!(other(Column::new("x", [Some(1.0_f32), None])), table());
        assert_ne!(other(Column::new("y", [1.0, 2.0])), table());
    }

    #[test]
    fn columns_are_replaced_and_left_out() {
        let table = table();
        let replaced = table.with_column(Column::new("x", [true, false]));
        let replaced = replaced.expect("two rows");
        assert_eq!(replaced.names().collect::<Vec<_>>(), ["x", "t"]);
        assert_eq!(replaced.flags("x").expect("flags"), [true, false]);
        let without = table.without("x").expect("a column");
        assert_eq!(without.names().collect::<Vec<_>>(), ["t"]);
        let error = without.without("x").expect_err("no such column");
        assert!(matches!(
            error,
            TableError::MissingColumn { column, found } if column == "x" && found == "t"
        ));
    }
}
