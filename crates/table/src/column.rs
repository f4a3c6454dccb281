//! Column of a table: a name and its cells.

use arrow_array::ArrayRef;

use crate::Cell;

/// A named column, to make a [`Table`](crate::Table) from. Its type is that of its cells.
#[derive(Clone, Debug)]
pub struct Column {
    pub(crate) name: String,
    /// The cells; `None` if they are too large for Arrow's 32-bit offsets.
    pub(crate) values: Option<ArrayRef>,
}

impl Column {
    /// Makes a column of cells, one per row. Columns of texts or lists that are too large are
    /// refused by [`Table::new`](crate::Table::new).
    pub fn new<T: Cell>(name: impl Into<String>, cells: impl IntoIterator<Item = T>) -> Self {
        Self {
            name: name.into(),
            values: T::array(cells.into_iter().map(Some).collect()),
        }
    }
}
