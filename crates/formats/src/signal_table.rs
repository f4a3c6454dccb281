//! Signals of a scan with ROI names, read from a text table.

mod problem;
mod text;

use std::path::{Path, PathBuf};

use crate::error::FormatError;
use crate::roi_signals::RoiSignals;
pub use problem::TextProblem;
use text::Extent;

/// Names of a first column that may count the volumes instead of holding signals.
const INDEX_NAMES: [&str; 6] = ["", "unnamed: 0", "index", "frame", "volume", "time"];

/// Signals with the ROI names of their file.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalTable {
    /// By ROI; `None` when the file has no names, or only counts its columns from 0 or 1.
    pub names: Option<Vec<String>>,
    /// The signals of the file.
    pub signals: RoiSignals,
    /// By volume: whether it may be used; `None` when the file does not have this column.
    pub kept: Option<Vec<bool>>,
}

impl SignalTable {
    /// Reads every column of a text table, one row per volume. The file ending gives the format:
    /// `.tsv` has tabs, `.csv` commas, both with or without a header row; `.1D` and `.txt` have
    /// white space, no header, and comments on lines that start with `#`. Empty cells, `n/a` and
    /// `nan` are missing.
    ///
    /// The first row holds names unless all of its cells are numbers. A first row of more than two
    /// increasing whole numbers is a header too if other rows have fractions, or if a first column
    /// without a name counts the volumes from 0. If these numbers only count the columns from 0 or
    /// 1, they are not ROI names. A first column that counts the volumes from 0, as pandas writes
    /// it, is skipped with a warning.
    ///
    /// # Errors
    /// [`FormatError::Text`] for rows of unequal length, two columns of one name, a cell that is
    /// not a number, or a table without rows; [`FormatError::TextEnding`] for another ending.
    pub fn read(path: &Path) -> Result<Self, FormatError> {
        Self::read_extent(path, Extent::Whole)
    }

    fn read_extent(path: &Path, extent: Extent) -> Result<Self, FormatError> {
        let mut table = text::read(path, &[], &[], extent)?;
        table.drop_index_column(path);
        table.names = table.names.and_then(telling_names);
        Ok(table)
    }

    /// Reads `columns` of a text table in this order (all columns when empty), without the columns
    /// of `drop`. It works like [`read`](Self::read), but every requested column is an ROI, and the
    /// other columns may hold any text.
    ///
    /// # Errors
    /// As [`read`](Self::read), and for a name that is not in the table.
    pub fn read_columns(
        path: &Path,
        columns: &[String],
        drop: &[String],
    ) -> Result<Self, FormatError> {
        text::read(path, columns, drop, Extent::Whole)
    }

    /// Removes a first column that has an index name and only counts the volumes.
    fn drop_index_column(&mut self, path: &Path) {
        let signals = &mut self.signals;
        let Some(names) = &mut self.names else {
            return;
        };
        if is_index_name(&names[0]) && signals.n_rois > 1 && counts_volumes(signals.roi(0)) {
            tracing::debug!(
                ?path,
                "the first column counts the volumes: not read as an ROI"
            );
            names.remove(0);
            signals.values.drain(..signals.n_volumes());
            signals.n_rois -= 1;
        }
    }
}

/// A text table of which only the first rows have been read, as many as determine the columns.
///
/// It has no TR, and its length is not known.
#[derive(Debug)]
pub struct TextFile {
    path: PathBuf,
    names: Option<Vec<String>>,
    n_rois: usize,
}

impl TextFile {
    /// Opens `path` and determines its columns as [`SignalTable::read`] does.
    ///
    /// # Errors
    /// As [`SignalTable::read`], for the rows that are read.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        let table = SignalTable::read_extent(path, Extent::Columns)?;
        Ok(Self {
            path: path.to_owned(),
            names: table.names,
            n_rois: table.signals.n_rois,
        })
    }

    /// Names of the ROIs; `None` when the file has no names, or only counts its columns from 0 or
    /// 1.
    pub fn names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }

    /// Number of ROIs: columns of the table, without a column that counts the volumes.
    pub fn n_rois(&self) -> usize {
        self.n_rois
    }

    /// Reads all rows.
    ///
    /// # Errors
    /// As [`SignalTable::read`].
    pub fn read(&self) -> Result<SignalTable, FormatError> {
        SignalTable::read(&self.path)
    }
}

/// Whether tables use this column name to count volumes.
fn is_index_name(name: &str) -> bool {
    INDEX_NAMES.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether a column is 0, 1, 2, ….
fn counts_volumes(column: &[f64]) -> bool {
    let mut cells = column.iter().enumerate();
    cells.all(|(row, &cell)| cell == row as f64)
}

/// The column names; `None` if they only count the columns from 0 or 1, which does not identify
/// ROIs.
pub(crate) fn telling_names(names: Vec<String>) -> Option<Vec<String>> {
    let only_count = increasing_ids(&names).is_some_and(|ids| {
        let (first, last) = (ids[0], ids[ids.len() - 1]);
        first <= 1 && last - first == ids.len() as u64 - 1
    });
    (!only_count).then_some(names)
}

/// The names as whole numbers, if they increase and are too many for a coincidence.
fn increasing_ids(names: &[String]) -> Option<Vec<u64>> {
    let ids: Option<Vec<u64>> = names.iter().map(|name| name.parse().ok()).collect();
    ids.filter(|ids| ids.len() > 2 && ids.is_sorted_by(|one, next| one < next))
}

#[cfg(test)]
mod tests;
