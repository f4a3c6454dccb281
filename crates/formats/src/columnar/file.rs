//! File of columns in either format, Parquet or Arrow.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Field, Schema};
use brainmae_files::CommonErrors as _;

use super::ColumnarProblem;
use super::arrow::ArrowFile;
use super::parquet::ParquetFile;
use crate::error::FormatError;

/// Batches of rows, read one by one.
pub(super) type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch, FormatError>> + 'a>;

/// A Parquet or Arrow file of signals whose footer has been read, so that its columns are known.
pub struct ColumnarFile {
    path: PathBuf,
    format: Format,
}

enum Format {
    Parquet(ParquetFile),
    Arrow(ArrowFile),
}

impl ColumnarFile {
    /// Opens `path` in the format given by its first bytes, and reads its footer.
    ///
    /// # Errors
    /// [`FormatError::Columnar`] for a file of another format or with two columns of one name;
    /// [`FormatError::Parquet`] for a damaged footer; [`FormatError::Files`] when it cannot be
    /// read.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        guarded(path, || Self::open_format(path))
    }

    fn open_format(path: &Path) -> Result<Self, FormatError> {
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
            return Err(FormatError::columnar(
                path,
                ColumnarProblem::FeatherVersion1,
            ));
        } else {
            return Err(FormatError::columnar(path, ColumnarProblem::NotColumnar));
        };
        let file = Self {
            path: path.to_owned(),
            format,
        };
        let mut names: Vec<&str> = file.fields().map(|field| field.name().as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let name = pair[0].to_owned();
            return Err(file.refuse(ColumnarProblem::RepeatedColumn { name }));
        }
        Ok(file)
    }

    /// Its columns.
    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.schema().fields().iter().map(AsRef::as_ref)
    }

    /// Index of the column with this name.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.schema().index_of(name).ok()
    }

    fn schema(&self) -> &Schema {
        match &self.format {
            Format::Parquet(file) => file.schema(),
            Format::Arrow(file) => file.schema(),
        }
    }

    /// The columns at `columns`, in the order of the file; `rows` are ascending ranges, or `None`
    /// for all.
    pub(super) fn batches(
        &self,
        columns: &[usize],
        rows: Option<&[Range<usize>]>,
    ) -> Result<Batches<'_>, FormatError> {
        match &self.format {
            Format::Parquet(file) => file.batches(&self.path, columns, rows),
            Format::Arrow(file) => file.batches(&self.path, columns, rows),
        }
    }

    /// An error for a problem of this file.
    pub(super) fn refuse(&self, problem: ColumnarProblem) -> FormatError {
        FormatError::columnar(&self.path, problem)
    }

    /// Reads from this file and turns a panic of the decoder into an error.
    pub(super) fn guarded<T>(
        &self,
        read: impl FnOnce() -> Result<T, FormatError>,
    ) -> Result<T, FormatError> {
        guarded(&self.path, read)
    }
}

/// Turns a panic of the decoder into an error. The Parquet decoder does not check the pages of a
/// file and panics at some damaged ones. No value that could be half-written outlives the call.
fn guarded<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, FormatError>,
) -> Result<T, FormatError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(FormatError::columnar(path, ColumnarProblem::DamagedPages)))
}

/// Error for bytes that are not valid in their format.
pub(super) fn damaged(path: &Path, error: ArrowError) -> FormatError {
    FormatError::columnar(path, ColumnarProblem::Damaged(Box::new(error)))
}
