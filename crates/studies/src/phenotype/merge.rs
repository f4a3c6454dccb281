//! Join of several tables, with the subjects and columns of all of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use super::column::number;
use super::families::{KinKey, families};
use super::header::{KINSHIP, normalise};
use super::table::Table;
use crate::error::{PhenotypeProblem, StudyError};
use crate::subject::SubjectRecord;
use brainmae_files::id::SubjectId;

/// A value that is not missing.
#[derive(Debug)]
pub(super) struct Cell {
    pub text: String,
    /// Index of its file.
    file: usize,
}

impl Cell {
    pub fn new(text: impl Into<String>, file: usize) -> Self {
        Self {
            text: text.into(),
            file,
        }
    }

    fn agrees(&self, text: &str) -> bool {
        self.text == text
            || matches!((number(&self.text), number(text)), (Some(one), Some(other)) if one == other)
    }
}

/// Tables joined by subject.
#[derive(Default)]
pub(super) struct Merged {
    files: Vec<PathBuf>,
    /// The index of each subject, in order of appearance.
    subjects: BTreeMap<SubjectId, usize>,
    /// By name here, then by the index of the subject.
    columns: BTreeMap<String, BTreeMap<usize, Cell>>,
    /// Names of columns here, by the normal form of their own names.
    names: BTreeMap<String, String>,
}

impl Merged {
    /// Joins a table.
    ///
    /// # Errors
    /// An error when it differs from an earlier table about a subject.
    pub fn add(&mut self, table: Table) -> Result<(), StudyError> {
        let file = self.files.len();
        let places: Vec<usize> = table
            .subjects
            .iter()
            .map(|subject| {
                let next = self.subjects.len();
                *self.subjects.entry(subject.clone()).or_insert(next)
            })
            .collect();
        for column in table.columns {
            let cells = self.columns.entry(column.name.clone()).or_default();
            for (row, text) in column.cells {
                match cells.entry(places[row]) {
                    Entry::Vacant(place) => {
                        place.insert(Cell::new(text, file));
                    }
                    Entry::Occupied(place) if !place.get().agrees(&text) => {
                        let problem = PhenotypeProblem::Differs {
                            column: column.own_name,
                            other: self.files[place.get().file].clone(),
                        };
                        return Err(StudyError::phenotype(&table.path, None, problem));
                    }
                    Entry::Occupied(_) => {}
                }
            }
            self.names.insert(normalise(&column.own_name), column.name);
        }
        self.files.push(table.path);
        Ok(())
    }

    /// One empty record per subject, at the index of the subject.
    pub fn subjects(&self) -> Vec<SubjectRecord> {
        let mut subjects: Vec<(&SubjectId, usize)> = self
            .subjects
            .iter()
            .map(|(subject, place)| (subject, *place))
            .collect();
        subjects.sort_unstable_by_key(|(_, place)| *place);
        subjects
            .into_iter()
            .map(|(subject, _)| empty_record(subject.clone()))
            .collect()
    }

    /// Writes families into `records`, from the keys of all kinds in all tables.
    pub fn add_families(&self, records: &mut [SubjectRecord]) {
        let mut keys = Vec::new();
        for (kind, name) in KINSHIP.into_iter().enumerate() {
            let cells = self.columns.get(name).into_iter().flatten();
            keys.extend(cells.map(|(subject, cell)| KinKey {
                subject: *subject,
                kind,
                text: &cell.text,
            }));
        }
        let families = families(records.len(), &keys);
        for (record, family) in records.iter_mut().zip(families) {
            record.family = family;
        }
    }

    /// Columns that can be predicted, by name.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &BTreeMap<usize, Cell>)> {
        self.columns
            .iter()
            .map(|(name, cells)| (name.as_str(), cells))
            .filter(|(name, _)| !KINSHIP.contains(name))
    }

    /// The name here of a column that a user names, either as in the table or as here.
    pub fn name_here(&self, asked: &str) -> Option<&str> {
        let asked = normalise(asked);
        let name = match self.columns.get_key_value(&asked) {
            Some((name, _)) => name,
            None => self.names.get(&asked)?,
        };
        (!KINSHIP.contains(&name.as_str())).then_some(name)
    }

    /// Names that a user may give.
    pub fn known_names(&self) -> impl Iterator<Item = &str> {
        self.columns().map(|(name, _)| name)
    }
}

/// A record without family, targets or categories.
pub(super) fn empty_record(subject: SubjectId) -> SubjectRecord {
    SubjectRecord {
        subject,
        family: None,
        targets: BTreeMap::new(),
        categories: BTreeMap::new(),
    }
}
