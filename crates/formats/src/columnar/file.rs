//! A file of columns, whichever its format is.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Field, Schema};

use super::arrow::ArrowFile;
use super::parquet::ParquetFile;
use crate::error::FormatError;

/// Batches of rows, read one by one.
pub(super) type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch, FormatError>> + 'a>;

/// A file whose columns are known.
pub(super) struct ColumnarFile {
    path: PathBuf,
    format: Format,
}

enum Format {
    Parquet(ParquetFile),
    Arrow(ArrowFile),
}

impl ColumnarFile {
    /// Opens `path`, in the format that its first bytes tell.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        let mut magic = Vec::new();
        File::open(path)
            .map_err(FormatError::io("open", path))?
            .take(6)
            .read_to_end(&mut magic)
            .map_err(FormatError::io("read", path))?;
        let format = if magic.starts_with(b"PAR1") {
            Format::Parquet(ParquetFile::open(path)?)
        } else if magic.starts_with(b"ARROW1") {
            Format::Arrow(ArrowFile::open(path)?)
        } else if magic.starts_with(b"FEA1") {
            return Err(FormatError::file(
                path,
                "it is a Feather file of version 1: write it again, in version 2",
            ));
        } else {
            return Err(FormatError::file(
                path,
                "it is neither a Parquet nor an Arrow IPC file",
            ));
        };
        let file = Self {
            path: path.to_owned(),
            format,
        };
        let mut names: Vec<&str> = file.fields().map(|field| field.name().as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(file.refuse(format!("two of its columns are called {:?}", pair[0])));
        }
        Ok(file)
    }

    /// Its columns.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.schema().fields().iter().map(AsRef::as_ref)
    }

    /// Which of its columns is called `name`.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.schema().index_of(name).ok()
    }

    fn schema(&self) -> &Schema {
        match &self.format {
            Format::Parquet(file) => file.schema(),
            Format::Arrow(file) => file.schema(),
        }
    }

    /// Some columns, in the order of the file, in some rows, ascending, or in all.
    pub fn batches(
        &self,
        columns: &[usize],
        rows: Option<&[Range<usize>]>,
    ) -> Result<Batches<'_>, FormatError> {
        match &self.format {
            Format::Parquet(file) => file.batches(&self.path, columns, rows),
            Format::Arrow(file) => file.batches(&self.path, columns, rows),
        }
    }

    /// What is wrong with this file.
    pub fn refuse(&self, problem: impl Into<String>) -> FormatError {
        FormatError::file(&self.path, problem)
    }
}

/// Bytes that are no valid file of their format.
pub(super) fn damaged(path: &Path, error: &ArrowError) -> FormatError {
    FormatError::file(path, format!("it is damaged or not supported ({error})"))
}
