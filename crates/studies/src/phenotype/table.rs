//! Table of subjects: a text file with a header and one row per subject or visit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder, Trim};

use super::header::{NDA_KEY, SUBJECT, VISIT, normalise};
use super::meaning::{key, meanings};
use crate::error::{PhenotypeProblem, StudyError};
use crate::hcp::parse_aging_visit;
use crate::rows::Broken;
use brainmae_files::CommonErrors as _;
use brainmae_files::id::SubjectId;

/// Cells for missing values; case is ignored.
const MISSING: [&str; 5] = ["", "na", "n/a", "nan", "."];

/// A table with one row per subject.
pub(super) struct Table {
    pub path: PathBuf,
    /// By row.
    pub subjects: Vec<SubjectId>,
    pub columns: Vec<Column>,
}

/// A column of a table.
pub(super) struct Column {
    /// Its name here.
    pub name: String,
    /// Its name in the table.
    pub own_name: String,
    /// Values that are not missing, each with its row.
    pub cells: Vec<(usize, String)>,
}

/// Reads a table; warnings about unexpected choices are added to `warnings`.
///
/// # Errors
/// An error when the file cannot be read, is not a table, or has no subjects.
pub(super) fn read(path: &Path, warnings: &mut Vec<String>) -> Result<Table, StudyError> {
    let bytes = std::fs::read(path).map_err(StudyError::io("read", path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut own_warnings = Vec::new();
    let table = parse(path, &bytes, &mut own_warnings)?;
    warnings.extend(own_warnings.iter().map(|text| format!("{name}: {text}")));
    Ok(table)
}

fn parse(path: &Path, bytes: &[u8], warnings: &mut Vec<String>) -> Result<Table, StudyError> {
    let (header, mut rows) = records(path, bytes)?;
    let names: Vec<String> = header.iter().map(|name| normalise(name)).collect();
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    let refuse = |line, problem| StudyError::phenotype(path, line, problem);
    let subject_column = SUBJECT.iter().find_map(|name| place(name)).ok_or_else(|| {
        let expected = &SUBJECT;
        refuse(Some(1), PhenotypeProblem::NoSubjectColumn { expected })
    })?;
    // Keys in NDA tables have no spaces; the descriptions in the second line do.
    let is_described = place(NDA_KEY).is_some_and(|key| {
        rows.first()
            .is_some_and(|row| cell(row, key).is_some_and(|text| text.contains(' ')))
    });
    if is_described {
        rows.remove(0);
    }

    let visit_column = VISIT.iter().find_map(|name| place(name));
    let rows = first_visits(&rows, subject_column, visit_column, warnings);
    if rows.is_empty() {
        return Err(refuse(None, PhenotypeProblem::NoSubject));
    }
    let values = |at: usize| rows.values().filter_map(move |row| cell(row, at));
    let meanings = meanings(&names, values, warnings);
    let mut columns: BTreeMap<String, Column> = BTreeMap::new();
    for (at, (name, meaning)) in meanings.into_iter().enumerate() {
        let is_of_row = SUBJECT.contains(&names[at].as_str()) || visit_column == Some(at);
        if name.is_empty() || is_of_row {
            continue;
        }
        let own_name = header[at].clone();
        if let Some(other) = columns.get(&name) {
            let problem = PhenotypeProblem::OneColumn {
                first: other.own_name.clone(),
                second: own_name,
                name,
            };
            return Err(refuse(Some(1), problem));
        }
        let cells = rows
            .values()
            .enumerate()
            .filter_map(|(row, record)| Some((row, meaning.read(&cell(record, at)?))))
            .collect();
        let column = Column {
            name: name.clone(),
            own_name,
            cells,
        };
        columns.insert(name, column);
    }
    Ok(Table {
        path: path.to_owned(),
        subjects: rows.into_keys().collect(),
        columns: columns.into_values().collect(),
    })
}

/// The column names and the rows, all of the same length.
fn records(path: &Path, bytes: &[u8]) -> Result<(Vec<String>, Vec<ByteRecord>), StudyError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(StudyError::phenotype(path, None, PhenotypeProblem::Utf16));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .trim(Trim::All)
        .from_reader(bytes);
    let header = reader.byte_headers().map_err(|error| broken(path, error))?;
    let header = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let rows = reader
        .byte_records()
        .collect::<Result<Vec<ByteRecord>, csv::Error>>()
        .map_err(|error| broken(path, error))?;
    Ok((header, rows))
}

/// The most frequent of tab, comma and semicolon in the first line.
fn delimiter(bytes: &[u8]) -> u8 {
    let first = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |mark: u8| first.iter().filter(|byte| **byte == mark).count();
    // If counts are equal, the last one is chosen.
    [b';', b',', b'\t']
        .into_iter()
        .max_by_key(|mark| count(*mark))
        .unwrap_or(b',')
}

fn broken(path: &Path, error: csv::Error) -> StudyError {
    let (line, problem) = match Broken::from(error) {
        Broken::Io(error) => return StudyError::io("read", path)(error),
        Broken::Cells {
            line,
            found,
            expected,
        } => (line, PhenotypeProblem::Cells { found, expected }),
        Broken::NotUtf8 { line } | Broken::Other { line, .. } => (line, PhenotypeProblem::NotARow),
    };
    StudyError::phenotype(path, line, problem)
}

/// The text of a cell; `None` if it is missing.
fn cell(record: &ByteRecord, column: usize) -> Option<String> {
    let text = String::from_utf8_lossy(record.get(column)?);
    let text = text.trim();
    let is_missing = MISSING.iter().any(|word| text.eq_ignore_ascii_case(word));
    (!is_missing).then(|| text.to_owned())
}

/// One row per subject: the lowest visit; of equal visits the first row.
fn first_visits<'a>(
    rows: &'a [ByteRecord],
    subject_column: usize,
    visit_column: Option<usize>,
    warnings: &mut Vec<String>,
) -> BTreeMap<SubjectId, &'a ByteRecord> {
    let mut first: BTreeMap<SubjectId, (u64, &ByteRecord, bool)> = BTreeMap::new();
    let mut n_nameless = 0;
    for row in rows {
        let name = cell(row, subject_column).unwrap_or_default();
        let name = name.strip_prefix("sub-").unwrap_or(&name);
        if name.is_empty() {
            n_nameless += 1;
            continue;
        }
        let in_name = parse_aging_visit(name);
        let subject = SubjectId::new(in_name.map_or_else(|| key(name), |(subject, _)| subject));
        let visit = match (in_name, visit_column) {
            (Some((_, visit)), _) => Some(visit.to_owned()),
            (None, column) => column.and_then(|column| cell(row, column)),
        };
        let visit = visit.as_deref().and_then(visit_number).unwrap_or(u64::MAX);
        first
            .entry(subject)
            .and_modify(|(best, kept, has_several)| {
                *has_several = true;
                if visit < *best {
                    (*best, *kept) = (visit, row);
                }
            })
            .or_insert((visit, row, false));
    }
    if n_nameless > 0 {
        warnings.push(format!("{n_nameless} rows without a subject are left out"));
    }
    let n_several = first.values().filter(|(_, _, several)| *several).count();
    if n_several > 0 {
        warnings.push(format!(
            "{n_several} subjects have several rows: the first visit of each is used"
        ));
    }
    first
        .into_iter()
        .map(|(subject, (_, row, _))| (subject, row))
        .collect()
}

/// The number of `V1`, `ses-1` and `1`; `None` for another kind of visit, such as a phone call,
/// `F1`.
fn visit_number(visit: &str) -> Option<u64> {
    let visit = visit.strip_prefix("ses-").unwrap_or(visit);
    let digits = visit.strip_prefix(['V', 'v']).unwrap_or(visit);
    digits.parse().ok()
}
