//! Tables of text, read row by row.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::{SignalTable, TextProblem, counts_volumes, increasing_ids, is_index_name};
use crate::error::FormatError;
use crate::roi_signals::RoiSignals;

/// Cells that mean: no value; `nan` in any case does as well.
const MISSING: [&str; 4] = ["", "n/a", "N/A", "NA"];

/// Characters of a text that an error shows.
const SHOWN_CHARS: usize = 200;

/// Characters of the name of a column that an error shows.
const NAME_CHARS: usize = 40;

/// How much of a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All rows.
    Whole,
    /// The rows, one at least, that tell what the columns are.
    Columns,
}

/// Reads what [`SignalTable::read_columns`] says.
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

/// What stands between cells.
#[derive(Clone, Copy, PartialEq)]
enum Separator {
    Char(char),
    /// White space; then there is no header, and `#` starts a line of comment.
    Space,
}

impl Separator {
    /// Splits a line into cells, none for a line without content. A cell in double quotes may hold
    /// the separator.
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

/// What the first row of a table is.
enum Header {
    /// A row of numbers as all others.
    Absent,
    /// Whole numbers that increase, which may be ids of the columns: the other rows will tell.
    Ids(Vec<String>),
    /// The names of all columns.
    Names(Vec<String>),
}

/// A table whose rows come in one by one.
struct Table<'a> {
    path: &'a Path,
    /// Names of the columns to read, in order; all when empty.
    columns: &'a [String],
    /// Names of columns not to read.
    drop: &'a [String],
    extent: Extent,
    /// Known from the first row on.
    header: Option<Header>,
    /// Cells of every row.
    n_cells: usize,
    /// Where the first row stands.
    first_line: u64,
    /// Places of the cells that are read, in order.
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

    /// Whether no further row changes what the columns are, once there is a row.
    fn columns_are_known(&self) -> bool {
        match &self.header {
            None => false,
            Some(Header::Absent) => true,
            // A column that stops counting is no index.
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

    /// Tells what the first row is.
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

    /// Finds the columns that are asked for.
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

    /// Takes every column, for want of names.
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

    /// Whether the names of the columns look as if semicolons separated them.
    fn has_semicolons(&self) -> bool {
        matches!(&self.header, Some(Header::Names(names)) if has_semicolons(names))
    }

    fn refuse(&self, line: u64, problem: TextProblem) -> FormatError {
        FormatError::text(self.path, line, problem)
    }
}

/// Whether a first row that may number the columns is no volume: the first column counts the volumes
/// under an empty name, or other rows have fractions where this one has none.
fn is_header(columns: &[Vec<f64>]) -> bool {
    let fractions = columns
        .iter()
        .flat_map(|column| &column[1..])
        .any(|value| value.is_finite() && value.fract() != 0.0);
    let (first, rest) = (columns[0][0], &columns[0][1..]);
    fractions || (first.is_nan() && !rest.is_empty() && counts_volumes(rest))
}

/// The number in a cell, NaN when it is missing.
fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    if MISSING.contains(&cell) {
        return Some(f64::NAN);
    }
    cell.parse().ok()
}

/// Whether the only column looks like several.
fn has_semicolons(names: &[String]) -> bool {
    matches!(names, [only] if only.matches(';').count() > 1)
}

/// The start of a text, for a person to recognise it.
fn shown(text: &str) -> String {
    start(text, SHOWN_CHARS)
}

/// The start of the name of a column.
fn short(name: &str) -> String {
    start(name, NAME_CHARS)
}

fn start(text: &str, n_chars: usize) -> String {
    match text.char_indices().nth(n_chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
