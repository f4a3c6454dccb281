//! Text tables, read row by row.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use brainmae_files::CommonErrors as _;

use super::{SignalTable, TextProblem, counts_volumes, increasing_ids, is_index_name};
use crate::error::FormatError;
use crate::roi_signals::RoiSignals;

/// Cells for missing values; `nan` in any case is one too.
const MISSING: [&str; 4] = ["", "n/a", "N/A", "NA"];

/// Maximum characters of a text in an error message.
const SHOWN_CHARS: usize = 200;

/// Maximum characters of a column name in an error message.
const NAME_CHARS: usize = 40;

/// The range of a table to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All rows.
    Whole,
    /// The first rows, at least one, that determine the columns.
    Columns,
}

/// Reads as documented at [`SignalTable::read_columns`].
pub(super) fn read(
    path: &Path,
    columns: &[String],
    drop: &[String],
    extent: Extent,
) -> Result<SignalTable, FormatError> {
    let file = File::open(path).map_err(FormatError::io("open", path))?;
    let mut table = Table {
        path,
        columns,
        drop,
        extent,
        header: None,
        n_cells: 0,
        first_line: 1,
        used: Vec::new(),
        signals: Vec::new(),
    };
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.unwrap_or_default().to_ascii_lowercase().as_str() {
        "tsv" => table.read_rows(file, Separator::Char('\t'))?,
        "csv" => table.read_rows(file, Separator::Char(','))?,
        "1d" | "txt" => table.read_rows(file, Separator::Space)?,
        _ => {
            return Err(FormatError::TextEnding {
                path: path.to_owned(),
            });
        }
    }
    table.finish()
}

/// Separator of cells.
#[derive(Clone, Copy, PartialEq)]
enum Separator {
    Char(char),
    /// White space; the file has no header, and `#` starts a comment line.
    Space,
}

impl Separator {
    /// Splits a line into cells; a line without content has none. A cell in double quotes may
    /// contain the separator.
    fn split(self, line: &str) -> Result<Vec<&str>, TextProblem> {
        let mut row = Vec::new();
        let line = line
            .trim_start_matches('\u{feff}')
            .trim_end_matches(['\r', '\n']);
        let separator = match self {
            Self::Char(separator) => separator,
            Self::Space => {
                if !line.trim_start().starts_with('#') {
                    row.extend(line.split_whitespace());
                }
                return Ok(row);
            }
        };
        let mut rest = Some(line).filter(|line| !line.is_empty());
        while let Some(text) = rest {
            let Some(quoted) = text.trim_start_matches(' ').strip_prefix('"') else {
                let cell = text.split(separator).next().unwrap_or_default();
                row.push(cell);
                rest = text[cell.len()..].strip_prefix(separator);
                continue;
            };
            let (cell, after) = quoted.split_once('"').ok_or(TextProblem::OpenQuote)?;
            row.push(cell);
            let after = after.trim_start_matches(' ');
            rest = after.strip_prefix(separator);
            if rest.is_none() && !after.is_empty() {
                return Err(TextProblem::AfterQuote);
            }
        }
        Ok(row)
    }
}

/// The kind of the first row of a table.
enum Header {
    /// A row of numbers like all others.
    Absent,
    /// Increasing whole numbers, which may be column ids; later rows decide.
    Ids(Vec<String>),
    /// The names of all columns.
    Names(Vec<String>),
}

/// A table that takes its rows one by one.
struct Table<'a> {
    path: &'a Path,
    /// Names of the columns to read, in order; all columns when empty.
    columns: &'a [String],
    /// Names of columns not to read.
    drop: &'a [String],
    extent: Extent,
    /// Known from the first row on.
    header: Option<Header>,
    /// Cells of every row.
    n_cells: usize,
    /// Line number of the first row.
    first_line: u64,
    /// Indices of the cells to read, in order.
    used: Vec<usize>,
    /// By used cell, a value per row.
    signals: Vec<Vec<f64>>,
}

impl Table<'_> {
    fn read_rows(&mut self, file: File, separator: Separator) -> Result<(), FormatError> {
        let mut input = BufReader::new(file);
        let mut text = String::new();
        for line in 1.. {
            text.clear();
            let read = input
                .read_line(&mut text)
                .map_err(|error| self.refuse(line, TextProblem::Read(error)))?;
            if read == 0 {
                break;
            }
            let row = separator
                .split(&text)
                .map_err(|problem| self.refuse(line, problem))?;
            if row.is_empty() {
                continue;
            }
            if self.header.is_none() {
                self.start(line, &row, separator)?;
                self.signals = vec![Vec::new(); self.used.len()];
                if let Some(Header::Names(_)) = self.header {
                    continue;
                }
            }
            self.push(line, &row)?;
            if self.extent == Extent::Columns && self.columns_are_known() {
                break;
            }
        }
        Ok(())
    }

    /// Whether no further row can change the columns; there must be at least one row.
    fn columns_are_known(&self) -> bool {
        match &self.header {
            None => false,
            Some(Header::Absent) => true,
            // A column that stops counting is not an index.
            Some(Header::Names(names)) => {
                !is_index_name(&names[0]) || !counts_volumes(&self.signals[0])
            }
            // The first row is among the values.
            Some(Header::Ids(names)) => {
                let rest = &self.signals[0][1..];
                is_header(&self.signals)
                    && !rest.is_empty()
                    && (!is_index_name(&names[0]) || !counts_volumes(rest))
            }
        }
    }

    /// Determines the kind of the first row.
    fn start(&mut self, line: u64, row: &[&str], separator: Separator) -> Result<(), FormatError> {
        if separator == Separator::Space {
            return self.use_all(line, row.len(), Header::Absent);
        }
        let names: Vec<String> = row.iter().map(|name| name.trim().to_owned()).collect();
        if row.iter().any(|cell| number(cell).is_none()) {
            return self.use_named(line, names);
        }
        // pandas leaves the name of its index empty.
        let index = usize::from(names[0].is_empty());
        let header = match increasing_ids(&names[index..]) {
            Some(_) => Header::Ids(names),
            None => Header::Absent,
        };
        self.use_all(line, row.len(), header)
    }

    /// Finds the requested columns.
    fn use_named(&mut self, line: u64, names: Vec<String>) -> Result<(), FormatError> {
        let places: BTreeMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), at))
            .collect();
        if places.len() != names.len() {
            return Err(self.refuse(line, TextProblem::RepeatedColumn));
        }
        for name in self.columns.iter().chain(self.drop) {
            if !places.contains_key(name.as_str()) {
                let known: Vec<String> = names.iter().map(|name| short(name)).collect();
                let problem = TextProblem::NoColumn {
                    name: short(name),
                    known: shown(&known.join(", ")),
                    semicolons: has_semicolons(&names),
                };
                return Err(self.refuse(line, problem));
            }
        }
        let asked = if self.columns.is_empty() {
            &names
        } else {
            self.columns
        };
        self.used = asked
            .iter()
            .filter(|name| !self.drop.contains(name))
            .map(|name| places[name.as_str()])
            .collect();
        if self.used.is_empty() {
            return Err(self.refuse(line, TextProblem::NoColumnLeft));
        }
        self.n_cells = names.len();
        self.first_line = line;
        self.header = Some(Header::Names(names));
        Ok(())
    }

    /// Uses every column, because the table has no names.
    fn use_all(&mut self, line: u64, n_cells: usize, header: Header) -> Result<(), FormatError> {
        if let Some(name) = self.columns.iter().chain(self.drop).next() {
            let name = short(name);
            return Err(self.refuse(line, TextProblem::NoHeader { name }));
        }
        self.used = (0..n_cells).collect();
        self.n_cells = n_cells;
        self.first_line = line;
        self.header = Some(header);
        Ok(())
    }

    /// Takes the cells of a row of numbers.
    fn push(&mut self, line: u64, row: &[&str]) -> Result<(), FormatError> {
        if row.len() != self.n_cells {
            let problem = TextProblem::Cells {
                found: row.len(),
                expected: self.n_cells,
                first_line: self.first_line,
                semicolons: self.has_semicolons(),
            };
            return Err(self.refuse(line, problem));
        }
        for (column, &at) in self.used.iter().enumerate() {
            let value = number(row[at]).ok_or_else(|| {
                let problem = TextProblem::NotANumber {
                    cell: shown(row[at].trim()),
                    column: match &self.header {
                        Some(Header::Names(names)) => format!("{:?}", short(&names[at])),
                        _ => (at + 1).to_string(),
                    },
                    semicolons: self.has_semicolons(),
                };
                self.refuse(line, problem)
            })?;
            self.signals[column].push(value);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<SignalTable, FormatError> {
        let n_rois = self.used.len();
        let names = match self.header.take() {
            Some(Header::Names(names)) => {
                Some(self.used.iter().map(|&at| names[at].clone()).collect())
            }
            Some(Header::Ids(names)) if is_header(&self.signals) => {
                tracing::debug!(path = ?self.path, "the first row numbers the columns: not read as a volume");
                for signal in &mut self.signals {
                    signal.remove(0);
                }
                Some(names)
            }
            _ => None,
        };
        if self.signals.first().is_none_or(Vec::is_empty) {
            return Err(self.refuse(self.first_line, TextProblem::NoRow));
        }
        Ok(SignalTable {
            names,
            signals: RoiSignals {
                values: self.signals.concat(),
                n_rois,
                tr_secs: None,
            },
            kept: None,
        })
    }

    /// Whether the column names look as if semicolons separated them.
    fn has_semicolons(&self) -> bool {
        matches!(&self.header, Some(Header::Names(names)) if has_semicolons(names))
    }

    fn refuse(&self, line: u64, problem: TextProblem) -> FormatError {
        FormatError::text(self.path, line, problem)
    }
}

/// Whether a first row that may number the columns is no volume: the first column counts the
/// volumes under an empty name, or other rows have fractions where this one has none.
fn is_header(columns: &[Vec<f64>]) -> bool {
    let fractions = columns
        .iter()
        .flat_map(|column| &column[1..])
        .any(|value| value.is_finite() && value.fract() != 0.0);
    let (first, rest) = (columns[0][0], &columns[0][1..]);
    fractions || (first.is_nan() && !rest.is_empty() && counts_volumes(rest))
}

/// The number in a cell; NaN when it is missing.
fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    if MISSING.contains(&cell) {
        return Some(f64::NAN);
    }
    cell.parse().ok()
}

/// Whether the only column looks like several columns.
fn has_semicolons(names: &[String]) -> bool {
    matches!(names, [only] if only.matches(';').count() > 1)
}

/// The start of a text, for messages.
fn shown(text: &str) -> String {
    start(text, SHOWN_CHARS)
}

/// The start of a column name, for messages.
fn short(name: &str) -> String {
    start(name, NAME_CHARS)
}

fn start(text: &str, n_chars: usize) -> String {
    match text.char_indices().nth(n_chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
