//! Phenotypes: families, targets and categories from tables with one row per subject.
//!
//! Headers are compared without case, spaces, dashes, dots and underscores. The name of a column
//! here is in lower case with underscores: `PMAT24_A_CR` is `pmat24_a_cr`. Some columns have a
//! fixed name, with a unit of measurement where there is one:
//!
//! | here | in tables |
//! |---|---|
//! | subject | `Subject`, `participant_id` (without `sub-`), `src_subject_id`, … |
//! | family | `Family_ID`, `Pedigree_ID`, `rel_family_id`, `family`, `Mother_ID`, `Father_ID` |
//! | `age_years` | `Age_in_Yrs`, `age`, `interview_age` (months in NDA tables) |
//! | `age_bin` | `Age` of the unrestricted HCP table, `22-25` |
//! | `sex` | `Sex`, `Gender` |
//!
//! Subjects who share a key in any family column of any table are one family, together with their
//! relatives by other keys: half-siblings belong together.
//!
//! These tables can be restricted, so errors and warnings contain no value and no subject.

use brainmae_files::CommonErrors as _;

mod column;
mod families;
mod header;
mod meaning;
mod merge;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use brainmae_files::id::SubjectId;

use crate::error::StudyError;
use crate::near::near_names;
use crate::subject::SubjectRecord;
use column::Typed;
use header::{AGE_BIN, AGE_YEARS, SEX};
use merge::Merged;

/// From this age on, releases give no exact age, because it could identify the person.
const TOP_CODED_YEARS: f64 = 90.0;

/// Options to select columns from tables of subjects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PhenotypeOptions {
    /// Columns to keep beside age, sex and family; all usable columns when empty.
    pub columns: Vec<String>,
}

/// The content of one or more tables of subjects.
#[derive(Clone, Default, PartialEq)]
pub struct Phenotypes {
    /// Records of all subjects of all tables.
    pub records: BTreeMap<SubjectId, SubjectRecord>,
    /// Warnings about unexpected choices, without any value or subject.
    pub warnings: Vec<String>,
    /// Whether the family of every subject is known, so that splits can keep relatives together.
    pub family_safe: bool,
}

/// Prints counts only, because the values may be restricted.
impl fmt::Debug for Phenotypes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Phenotypes")
            .field("n_subjects", &self.records.len())
            .field("warnings", &self.warnings)
            .field("family_safe", &self.family_safe)
            .finish()
    }
}

impl Phenotypes {
    /// Reads and joins text tables separated by tabs, commas or semicolons.
    ///
    /// A column of numbers becomes a target; another column becomes a category, unless it is free
    /// text. Empty cells, `NA`, `n/a`, `NaN` and `.` are missing. The first of several visits is
    /// used.
    ///
    /// # Errors
    /// An error when a file cannot be read or is not a table with a column of subjects, when two
    /// files differ about a subject, or when a requested column is missing or free text.
    pub fn read(paths: &[PathBuf], options: &PhenotypeOptions) -> Result<Self, StudyError> {
        let mut warnings = Vec::new();
        let mut merged = Merged::default();
        for path in paths {
            let table = table::read(path, &mut warnings)?;
            merged.add(table)?;
        }
        let chosen = chosen(&merged, options)?;
        let mut records = merged.subjects();
        merged.add_families(&mut records);
        let has_family = |record: &SubjectRecord| record.family.is_some();
        let family_safe = !records.is_empty() && records.iter().all(has_family);

        let mut free_text = 0;
        for (name, cells) in merged.columns() {
            if chosen.as_ref().is_some_and(|chosen| !chosen.contains(name)) {
                continue;
            }
            match column::typed(name, cells) {
                Typed::Numbers(numbers) => {
                    for (subject, number) in numbers {
                        records[subject].targets.insert(name.to_owned(), number);
                    }
                }
                Typed::Categories => {
                    for (subject, cell) in cells {
                        let value = cell.text.clone();
                        records[*subject].categories.insert(name.to_owned(), value);
                    }
                }
                Typed::FreeText if is_asked(name, &merged, options) => {
                    return Err(StudyError::config(
                        "phenotype.columns",
                        name,
                        "no column of free text: it has long values or too many different ones",
                    ));
                }
                Typed::FreeText => free_text += 1,
            }
        }
        if free_text > 0 {
            warnings.push(format!("{free_text} columns of free text are left out"));
        }
        warn_of_ages(&records, &mut warnings);
        Ok(Self {
            records: records
                .into_iter()
                .map(|record| (record.subject.clone(), record))
                .collect(),
            warnings,
            family_safe,
        })
    }

    /// A warning if the tables do not have the families of all `used` subjects; `None` for a single
    /// subject, who has no relatives in the data.
    pub fn family_warning(&self, used: &[SubjectRecord]) -> Option<String> {
        let is_known = |used: &&SubjectRecord| {
            let record = self.records.get(&used.subject);
            record.is_some_and(|record| record.family.is_some())
        };
        let n_known = used.iter().filter(is_known).count();
        let unknown = match n_known {
            _ if used.len() < 2 || n_known == used.len() => return None,
            0 => "no family is known".to_owned(),
            _ => format!(
                "the family of {} of {} subjects is not known",
                used.len() - n_known,
                used.len()
            ),
        };
        Some(format!(
            "{unknown}: splits are not family-safe, give the restricted table"
        ))
    }

    /// One record per subject of `wanted`, in this order, and the number of subjects that are in no
    /// table; their records are empty.
    pub fn for_subjects(&self, wanted: &[SubjectId]) -> (Vec<SubjectRecord>, usize) {
        let mut n_without = 0;
        let records = wanted
            .iter()
            .map(|subject| {
                self.records.get(subject).cloned().unwrap_or_else(|| {
                    n_without += 1;
                    merge::empty_record(subject.clone())
                })
            })
            .collect();
        (records, n_without)
    }
}

/// The columns to keep, by their names here; `None` means all.
fn chosen(
    merged: &Merged,
    options: &PhenotypeOptions,
) -> Result<Option<BTreeSet<String>>, StudyError> {
    if options.columns.is_empty() {
        return Ok(None);
    }
    let mut chosen = BTreeSet::from([AGE_YEARS, AGE_BIN, SEX].map(str::to_owned));
    for asked in &options.columns {
        let Some(name) = merged.name_here(asked) else {
            let near = near_names(&header::normalise(asked), merged.known_names());
            let expected = match &near[..] {
                [] => "a column of the tables".to_owned(),
                near => format!("a column of the tables, such as {}", near.join(", ")),
            };
            return Err(StudyError::config("phenotype.columns", asked, expected));
        };
        chosen.insert(name.to_owned());
    }
    Ok(Some(chosen))
}

fn is_asked(name: &str, merged: &Merged, options: &PhenotypeOptions) -> bool {
    let is_name = |asked: &String| merged.name_here(asked) == Some(name);
    options.columns.iter().any(is_name)
}

fn warn_of_ages(records: &[SubjectRecord], warnings: &mut Vec<String>) {
    let mut ages = records
        .iter()
        .filter_map(|record| record.targets.get(AGE_YEARS))
        .peekable();
    let has_bin = |record: &SubjectRecord| record.categories.contains_key(AGE_BIN);
    if ages.peek().is_none() && records.iter().any(has_bin) {
        warnings.push(format!(
            "the exact age is not known, only {AGE_BIN}: give the restricted table"
        ));
    }
    let n_top_coded = ages.filter(|age| **age >= TOP_CODED_YEARS).count();
    if n_top_coded > 0 {
        warnings.push(format!(
            "the {AGE_YEARS} of {n_top_coded} subjects is {TOP_CODED_YEARS} or more, where releases \
             give no exact age"
        ));
    }
}
