//! Confounds of scans: columns of the tables of subjects and scans, as numbers.

use std::collections::BTreeSet;

use brainmae_data::studies::SITE;
use brainmae_data::{PreparedDataset, ScanRecord, SubjectRecord};

use crate::DownstreamError;

/// Name of the column of ages, in years.
pub const AGE: &str = "age_years";
/// Name of the column of sexes.
pub const SEX: &str = "sex";

/// Columns of the subjects' table that are confounds, if the data set has them.
pub const SUBJECT_COLUMNS: [&str; 3] = [AGE, SEX, SITE];

/// Name of the confound that every scan has: mean framewise displacement in mm.
pub const MEAN_FD: &str = "mean_fd_mm";

/// Name of the confound that is the entity `dir` of a scan's name, such as `LR`.
pub const PHASE_ENCODING: &str = "phase_encoding";

/// Columns with words of a scan, besides [`PHASE_ENCODING`].
const SCAN_WORDS: [&str; 3] = ["session", "task", "variant"];

/// Columns with numbers of a scan, besides its quality.
const SCAN_NUMBERS: [&str; 3] = ["tr_secs", "n_volumes", "kept_volumes"];

/// One number per scan.
#[derive(Clone, Debug, PartialEq)]
struct Confound {
    /// Name of the column.
    column: String,
    /// The word that counts as 1; `None` for a column of numbers.
    word: Option<String>,
    /// Whether the column is in the subjects' table.
    is_of_subjects: bool,
}

impl Confound {
    fn number(column: &str, is_of_subjects: bool) -> Self {
        Self {
            column: column.to_owned(),
            word: None,
            is_of_subjects,
        }
    }

    fn name(&self) -> String {
        match &self.word {
            Some(word) => format!("{}={word}", self.column),
            None => self.column.clone(),
        }
    }

    fn value(&self, record: &ScanRecord, subject: Option<&SubjectRecord>) -> Option<f64> {
        let column = &self.column;
        let Some(word) = &self.word else {
            return match self.is_of_subjects {
                true => subject?.targets.get(column).copied(),
                false => number_of(record, column),
            };
        };
        let found = match self.is_of_subjects {
            true => subject?.categories.get(column)?,
            false => word_of(record, column)?,
        };
        Some(f64::from(u8::from(found == word)))
    }
}

/// Confounds of a data set, the same for all its scans.
#[derive(Clone, Debug, PartialEq)]
pub struct Confounds {
    confounds: Vec<Confound>,
}

impl Confounds {
    /// Confounds that may explain `target`, a column of the subjects' table: age, sex, site, the
    /// columns `extra`, mean framewise displacement, and the other measures of a scan's quality in
    /// which scans differ. The target itself is no confound. Words become one number for each of
    /// them except the first.
    ///
    /// # Errors
    /// [`DownstreamError::Config`] for an extra column that the data set does not have.
    pub fn of_target(
        dataset: &PreparedDataset,
        extra: &[String],
        target: Option<&str>,
    ) -> Result<Self, DownstreamError> {
        let mut confounds = Vec::new();
        for name in SUBJECT_COLUMNS {
            confounds.extend(of_subjects(dataset, name));
        }
        for name in extra {
            add(&mut confounds, of_column(dataset, name)?);
        }
        add(&mut confounds, vec![Confound::number(MEAN_FD, false)]);
        for name in quality_names(dataset) {
            let values = dataset.included().filter_map(|scan| number_of(scan, name));
            let distinct: BTreeSet<u64> = values.map(f64::to_bits).collect();
            if distinct.len() > 1 {
                add(&mut confounds, vec![Confound::number(name, false)]);
            }
        }
        confounds.retain(|confound| Some(confound.column.as_str()) != target);
        Ok(Self { confounds })
    }

    /// Confounds in tables of predictions, the same for all targets: mean framewise displacement
    /// and the columns `extra`.
    ///
    /// # Errors
    /// As [`Confounds::of_target`].
    pub fn of_table(dataset: &PreparedDataset, extra: &[String]) -> Result<Self, DownstreamError> {
        let mut confounds = vec![Confound::number(MEAN_FD, false)];
        for name in extra {
            add(&mut confounds, of_column(dataset, name)?);
        }
        Ok(Self { confounds })
    }

    /// Their names: `age_years`, `site=B`.
    pub fn names(&self) -> Vec<String> {
        self.confounds.iter().map(Confound::name).collect()
    }

    /// Their values for a scan of `subject`; `None` for a missing value.
    pub fn values(&self, record: &ScanRecord, subject: Option<&SubjectRecord>) -> Vec<Option<f64>> {
        let confounds = self.confounds.iter();
        confounds.map(|one| one.value(record, subject)).collect()
    }
}

/// Adds confounds that are not there yet.
fn add(confounds: &mut Vec<Confound>, more: Vec<Confound>) {
    for one in more {
        if !confounds.contains(&one) {
            confounds.push(one);
        }
    }
}

/// Confounds of a column of the subjects' table; none if there is no such column.
fn of_subjects(dataset: &PreparedDataset, name: &str) -> Vec<Confound> {
    let subjects = dataset.subjects();
    let mut confounds = Vec::new();
    if subjects.iter().any(|s| s.targets.contains_key(name)) {
        confounds.push(Confound::number(name, true));
    }
    let words = subjects.iter().filter_map(|s| s.categories.get(name));
    confounds.extend(of_words(name, words.map(String::as_str), true));
    confounds
}

fn of_words<'a>(
    name: &str,
    words: impl Iterator<Item = &'a str>,
    is_of_subjects: bool,
) -> impl Iterator<Item = Confound> {
    let words: BTreeSet<&str> = words.collect();
    words.into_iter().skip(1).map(move |word| Confound {
        column: name.to_owned(),
        word: Some(word.to_owned()),
        is_of_subjects,
    })
}

/// Confounds of a column of either table, that of the subjects first.
fn of_column(dataset: &PreparedDataset, name: &str) -> Result<Vec<Confound>, DownstreamError> {
    let subjects = dataset.subjects();
    if subjects
        .iter()
        .any(|s| s.targets.contains_key(name) || s.categories.contains_key(name))
    {
        return Ok(warned_if_constant(name, of_subjects(dataset, name)));
    }
    let is_number = quality_names(dataset).contains(&name) || SCAN_NUMBERS.contains(&name);
    let is_word = SCAN_WORDS.contains(&name) || name == PHASE_ENCODING;
    let refuse = |expected: String| {
        Err(DownstreamError::Config {
            field: "confounds".into(),
            found: format!("{name:?}"),
            expected,
        })
    };
    if !is_number && !is_word {
        let known = known_columns(dataset).into_iter().collect::<Vec<_>>();
        return refuse(format!(
            "a column of subjects or scans: {}",
            known.join(", ")
        ));
    }
    let is_known = |scan: &ScanRecord| match is_number {
        true => number_of(scan, name).is_some(),
        false => word_of(scan, name).is_some(),
    };
    if !dataset.included().any(is_known) {
        // Every version that writes the columns of quality and variant knows the minutes.
        let is_old = dataset
            .included()
            .all(|scan| scan.quality.kept_minutes.is_none());
        let is_new_column = name != MEAN_FD && (is_number || name == "variant");
        return refuse(match is_old && is_new_column {
            true => format!(
                "a column of this data set, which an earlier version prepared without {name}: \
                 remove its folder and prepare it again"
            ),
            false => "a column with a value, where it is null in all scans".to_owned(),
        });
    }
    Ok(match is_number {
        true => vec![Confound::number(name, false)],
        false => {
            let words = dataset.included().filter_map(|scan| word_of(scan, name));
            warned_if_constant(name, of_words(name, words, false).collect())
        }
    })
}

/// Logs a warning if a column of words has one word alone.
fn warned_if_constant(name: &str, confounds: Vec<Confound>) -> Vec<Confound> {
    if confounds.is_empty() {
        tracing::warn!("the confound {name} has one value alone and explains nothing");
    }
    confounds
}

/// Names of the columns of a scan's quality.
fn quality_names(dataset: &PreparedDataset) -> Vec<&'static str> {
    let first = dataset.scans().first();
    let columns = first.into_iter().flat_map(ScanRecord::quality_columns);
    columns.map(|(name, _)| name).collect()
}

/// Names that may be confounds.
fn known_columns(dataset: &PreparedDataset) -> BTreeSet<&str> {
    let subjects = dataset.subjects().iter();
    let of_subjects = subjects.flat_map(|s| s.targets.keys().chain(s.categories.keys()));
    (of_subjects.map(String::as_str))
        .chain(quality_names(dataset))
        .chain(SCAN_NUMBERS)
        .chain(SCAN_WORDS)
        .chain([PHASE_ENCODING])
        .collect()
}

fn number_of(record: &ScanRecord, column: &str) -> Option<f64> {
    match column {
        "tr_secs" => Some(record.tr_secs),
        "n_volumes" => Some(record.n_volumes as f64),
        "kept_volumes" => Some(record.kept_volumes as f64),
        _ => {
            let mut columns = record.quality_columns().into_iter();
            columns.find(|(name, _)| *name == column)?.1
        }
    }
}

fn word_of<'a>(record: &'a ScanRecord, column: &str) -> Option<&'a str> {
    match column {
        "session" => record.session.as_deref(),
        "task" => record.task.as_deref(),
        "variant" => record.variant.as_deref(),
        PHASE_ENCODING => {
            let mut entities = record.scan.as_str().split('_');
            entities.find_map(|entity| entity.strip_prefix("dir-"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
