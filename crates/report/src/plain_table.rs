//! Plain table as input of the template: words in the first column, cells in the others.

use serde::Serialize;

/// A table with its caption.
#[derive(Debug, Serialize)]
pub struct PlainTable {
    pub head: Vec<String>,
    /// Name of each row, and its cells.
    pub rows: Vec<(String, Vec<String>)>,
    pub caption: String,
}
