//! Small tables of a prepared data set, read and written with polars.

use std::fs::File;
use std::path::Path;

use brainmae_files::CommonErrors as _;
use polars::prelude::{
    Column, DataFrame, DataType, ParquetReader, ParquetWriter, PlSmallStr, SerReader,
};

use crate::error::{DataError, PreparedProblem};

/// Writes columns of equal length, compressed with zstd.
///
/// # Errors
/// [`DataError::Table`] for columns of different lengths; [`DataError::Files`].
pub fn write_table(path: &Path, height: usize, columns: Vec<Column>) -> Result<(), DataError> {
    let mut table = DataFrame::new(height, columns).map_err(DataError::table(path))?;
    let file = File::create(path).map_err(DataError::io("create", path))?;
    ParquetWriter::new(&file)
        .finish(&mut table)
        .map_err(DataError::table(path))?;
    file.sync_all().map_err(DataError::io("write", path))
}

/// A table in memory, whose columns are accessed by name and type.
pub(super) struct Table<'a> {
    path: &'a Path,
    frame: DataFrame,
}

impl<'a> Table<'a> {
    pub fn read(path: &'a Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io("open", path))?;
        let frame = ParquetReader::new(file)
            .finish()
            .map_err(DataError::table(path))?;
        Ok(Self { path, frame })
    }

    pub fn names(&self) -> Vec<String> {
        self.frame
            .get_column_names()
            .into_iter()
            .map(PlSmallStr::to_string)
            .collect()
    }

    /// Whether a column holds text.
    pub fn is_text(&self, name: &str) -> Result<bool, DataError> {
        Ok(self.column(name)?.dtype() == &DataType::String)
    }

    /// A column of text.
    pub fn texts(&self, name: &str) -> Result<Vec<Option<String>>, DataError> {
        let column = self.column(name)?;
        let texts = column.str().map_err(DataError::table(self.path))?;
        Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
    }

    /// A column of any numeric type.
    pub fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>, DataError> {
        let column = self
            .column(name)?
            .cast(&DataType::Float64)
            .map_err(DataError::table(self.path))?;
        let numbers = column.f64().map_err(DataError::table(self.path))?;
        Ok(numbers.iter().collect())
    }

    /// The values of a column without missing values; a missing value is an error.
    pub fn present<T>(&self, name: &str, values: Vec<Option<T>>) -> Result<Vec<T>, DataError> {
        let row = values.iter().position(Option::is_none);
        let no_value = || PreparedProblem::NoValue {
            column: name.to_owned(),
            row: row.unwrap_or_default(),
        };
        values
            .into_iter()
            .collect::<Option<_>>()
            .ok_or_else(|| self.refuse(no_value()))
    }

    pub fn refuse(&self, problem: PreparedProblem) -> DataError {
        DataError::prepared(self.path, problem)
    }

    fn column(&self, name: &str) -> Result<&Column, DataError> {
        let column = || name.to_owned();
        self.frame
            .column(name)
            .map_err(|_| self.refuse(PreparedProblem::NoColumn { column: column() }))
    }
}
