//! Targets: a column of the subjects' table, the task of a scan, or the condition of a segment.

mod states;

use std::collections::{BTreeMap, BTreeSet};

use brainmae_data::{ScanRecord, SegmentLayout, SubjectRecord};
use serde::{Deserialize, Serialize};

use crate::truth::{LeftOut, Truths};
use crate::{DownstreamError, Example, Kind, Scan};
pub use states::{StateSpec, Stretch};

/// Source of the truth of a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSpec {
    /// Name of a column of the subjects' table: age, sex, a score. All scans of a subject have the
    /// subject's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// True if numbers of the column are numbers of classes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub classes: bool,
    /// True if the target is the task of the scan.
    #[serde(default, skip_serializing_if = "is_false")]
    pub task: bool,
    /// Settings if the target is the condition of a segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateSpec>,
    /// Tasks whose scans are used; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Data of a scan from which a truth is read.
pub(crate) struct Seen<'a> {
    pub number: usize,
    pub scan: &'a Scan,
    pub record: &'a ScanRecord,
    pub subject: Option<&'a SubjectRecord>,
}

impl TargetSpec {
    /// # Errors
    /// [`DownstreamError::Config`] unless exactly one source is set.
    pub fn check(&self, name: &str) -> Result<(), DownstreamError> {
        let places = [self.column.is_some(), self.task, self.state.is_some()];
        let n = places.iter().filter(|given| **given).count();
        let refuse = |found: String, expected: &str| {
            Err(DownstreamError::Config {
                field: format!("targets.{name}"),
                found,
                expected: expected.to_string(),
            })
        };
        if n != 1 {
            return refuse(
                format!("{n} of column, task and state"),
                "exactly one of `column = \"age_years\"`, `task = true` and `state = {}`",
            );
        }
        if self.classes && self.column.is_none() {
            return refuse("classes = true".into(), "classes of a column");
        }
        match &self.state {
            Some(state) => state.check(name),
            None => Ok(()),
        }
    }

    /// True if truths belong to segments, false if they belong to whole scans.
    pub fn is_of_segments(&self) -> bool {
        self.state.is_some()
    }

    /// True if all scans of a subject have the same truth.
    pub fn is_of_subjects(&self) -> bool {
        self.column.is_some()
    }

    /// Reads the truth of each scan.
    pub(crate) fn read(
        &self,
        name: &str,
        seen: &[Seen],
        events: &[brainmae_data::Event],
        layout: &SegmentLayout,
    ) -> Result<Truths, DownstreamError> {
        let (wanted, other): (Vec<&Seen>, Vec<&Seen>) = seen.iter().partition(|seen| {
            let task = seen.record.task.as_deref().unwrap_or_default();
            self.tasks.is_empty() || self.tasks.iter().any(|wanted| wanted == task)
        });
        if wanted.is_empty() {
            let tasks: BTreeSet<&str> = (other.iter())
                .filter_map(|seen| seen.record.task.as_deref())
                .collect();
            return Err(DownstreamError::Config {
                field: format!("targets.{name}.tasks"),
                found: format!("{:?}", self.tasks),
                expected: format!("some of the tasks of this data set, {tasks:?}"),
            });
        }
        if let Some(state) = &self.state {
            return state.read(name, &wanted, events, layout);
        }
        match &self.column {
            Some(column) => self.read_column(name, column, &wanted),
            None => Ok(of_words(&wanted, "the scan has no task", |seen| {
                seen.record.task.as_deref()
            })),
        }
    }

    fn read_column(
        &self,
        name: &str,
        column: &str,
        seen: &[&Seen],
    ) -> Result<Truths, DownstreamError> {
        let has = |of: &dyn Fn(&SubjectRecord) -> bool| {
            seen.iter().any(|seen| seen.subject.is_some_and(of))
        };
        let missing = format!("{column} is missing");
        if has(&|subject| subject.categories.contains_key(column)) {
            return Ok(of_words(seen, &missing, |seen| {
                Some(seen.subject?.categories.get(column)?.as_str())
            }));
        }
        if !has(&|subject| subject.targets.contains_key(column)) {
            let mut known: BTreeSet<&String> = BTreeSet::new();
            for subject in seen.iter().filter_map(|seen| seen.subject) {
                known.extend(subject.targets.keys().chain(subject.categories.keys()));
            }
            return Err(DownstreamError::Config {
                field: format!("targets.{name}.column"),
                found: column.to_string(),
                expected: format!("a column of the subjects' table: {known:?}"),
            });
        }
        let value = |seen: &Seen| seen.subject?.targets.get(column).copied();
        if self.classes {
            let words: Vec<Option<String>> = (seen.iter())
                .map(|seen| value(seen).map(|value| value.to_string()))
                .collect();
            let numbers: BTreeMap<usize, &str> = (seen.iter().zip(&words))
                .filter_map(|(seen, word)| Some((seen.number, word.as_deref()?)))
                .collect();
            return Ok(of_words(seen, &missing, |seen| {
                numbers.get(&seen.number).copied()
            }));
        }
        let mut truths = Truths::new(Kind::Regression, Vec::new());
        for seen in seen {
            match value(seen) {
                Some(value) => truths.push(whole(seen), value),
                None => truths
                    .left_out
                    .push(LeftOut::of(seen.scan, missing.clone())),
            }
        }
        Ok(truths)
    }
}

fn whole(seen: &Seen) -> Example {
    Example {
        scan: seen.number,
        start_volume: 0,
        n_volumes: seen.scan.series.n_volumes(),
    }
}

/// Numbers classes in the alphabetical order of their names.
fn of_words<'a>(
    seen: &[&'a Seen<'a>],
    missing: &str,
    word: impl Fn(&'a Seen<'a>) -> Option<&'a str>,
) -> Truths {
    let names: BTreeSet<&str> = seen.iter().filter_map(|seen| word(seen)).collect();
    let classes: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    let kind = Kind::Classification {
        n_classes: classes.len(),
    };
    let mut truths = Truths::new(kind, classes);
    for seen in seen {
        match word(seen).and_then(|word| names.iter().position(|name| *name == word)) {
            Some(class) => truths.push(whole(seen), class as f64),
            None => (truths.left_out).push(LeftOut::of(seen.scan, missing.to_string())),
        }
    }
    truths
}
