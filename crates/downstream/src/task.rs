//! One target with its scans: what every learner is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use brainmae_data::{
    BoldSeries, PreparedDataset, ScanId, ScanRecord, SegmentLayout, Split, SplitUnit, SubjectId,
    SubjectRecord,
};

use crate::target::{Seen, TargetSpec};
use crate::{DownstreamError, Example, Examples, Kind, Labelled, Scan};

/// The truths that a target reads from scans.
pub(crate) struct Truths {
    pub kind: Kind,
    pub classes: Vec<String>,
    pub examples: Vec<Example>,
    pub truth: Vec<f64>,
    pub training: Vec<(Example, f64)>,
    pub left_out: Vec<LeftOut>,
    pub n_mixed: usize,
}

impl Truths {
    pub fn new(kind: Kind, classes: Vec<String>) -> Self {
        Self {
            kind,
            classes,
            examples: Vec::new(),
            truth: Vec::new(),
            training: Vec::new(),
            left_out: Vec::new(),
            n_mixed: 0,
        }
    }

    pub fn push(&mut self, example: Example, truth: f64) {
        self.examples.push(example);
        self.truth.push(truth);
    }
}

/// A scan without a truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub scan: ScanId,
    /// Whose.
    pub subject: SubjectId,
    /// Why.
    pub reason: String,
}

impl LeftOut {
    pub(crate) fn of(scan: &Scan, reason: String) -> Self {
        Self {
            scan: scan.scan.clone(),
            subject: scan.subject.clone(),
            reason,
        }
    }
}

/// The signals of a data set, in memory.
pub struct Signals {
    series: BTreeMap<ScanId, Arc<BoldSeries>>,
}

impl Signals {
    /// Reads every scan that is used.
    ///
    /// # Errors
    /// From the data set.
    pub fn read(dataset: &PreparedDataset) -> Result<Self, DownstreamError> {
        let read = |record: &ScanRecord| {
            let series = dataset.bold(&record.scan)?;
            Ok((record.scan.clone(), Arc::new(series)))
        };
        let series = dataset
            .included()
            .map(read)
            .collect::<Result<_, DownstreamError>>()?;
        Ok(Self { series })
    }
}

/// A target with everything that may be used to predict it.
pub struct Task {
    /// Its name in the experiment file.
    pub name: String,
    /// Number or class.
    pub kind: Kind,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Whether truths belong to segments.
    pub of_segments: bool,
    /// Whether all scans of a subject have one truth.
    pub of_subjects: bool,
    /// Names of the confounds of [`Scan::confounds`].
    pub confounds: Vec<String>,
    /// All scans with a truth.
    pub scans: Vec<Scan>,
    /// What is predicted for.
    pub examples: Vec<Example>,
    /// One for each example.
    pub truth: Vec<f64>,
    /// What to learn from instead, where that is more than what is predicted for.
    training: Vec<(Example, f64)>,
    /// Scans without a truth.
    pub left_out: Vec<LeftOut>,
    /// Stretches that no condition fills far enough.
    pub n_mixed: usize,
}

/// Columns that could explain a prediction away, used where a data set has them.
pub const CONFOUNDS: [&str; 3] = ["age_years", "sex", "site"];

/// Confound of every scan.
pub const MEAN_FD: &str = "mean_fd_mm";

impl Task {
    /// Reads the truths of target `name`.
    ///
    /// # Errors
    /// [`DownstreamError::Config`] if the target is not in this data set, or has a single class.
    pub fn new(
        name: &str,
        spec: &TargetSpec,
        dataset: &PreparedDataset,
        signals: &Signals,
        unit: SplitUnit,
        layout: &SegmentLayout,
    ) -> Result<Self, DownstreamError> {
        spec.check(name)?;
        let subjects: BTreeMap<&SubjectId, &SubjectRecord> = (dataset.subjects().iter())
            .map(|subject| (&subject.subject, subject))
            .collect();
        let records: Vec<(&ScanRecord, &Arc<BoldSeries>)> = (dataset.included())
            .filter_map(|record| Some((record, signals.series.get(&record.scan)?)))
            .collect();
        let confounds = Confounds::of(dataset.subjects(), spec.column.as_deref());
        let scans: Vec<Scan> = (records.iter())
            .map(|(record, series)| {
                let subject = subjects.get(&record.subject).copied();
                Scan {
                    scan: record.scan.clone(),
                    subject: record.subject.clone(),
                    unit: unit_of(record, subject, unit),
                    series: Arc::clone(series),
                    confounds: confounds.values(record, subject),
                }
            })
            .collect();
        let seen: Vec<Seen> = (records.iter().zip(&scans).enumerate())
            .map(|(number, ((record, _), scan))| Seen {
                number,
                scan,
                record,
                subject: subjects.get(&record.subject).copied(),
            })
            .collect();
        let truths = spec.read(name, &seen, dataset.events(), layout)?;
        let different = truths
            .truth
            .iter()
            .map(|t| t.to_bits())
            .collect::<BTreeSet<_>>();
        if different.len() < 2 {
            return Err(DownstreamError::Config {
                field: format!("targets.{name}"),
                found: format!(
                    "{} different values in {} examples",
                    different.len(),
                    truths.truth.len()
                ),
                expected: "at least two".into(),
            });
        }
        Ok(Self {
            name: name.to_string(),
            kind: truths.kind,
            classes: truths.classes,
            of_segments: spec.is_of_segments(),
            of_subjects: spec.is_of_subjects(),
            confounds: confounds.names,
            scans,
            examples: truths.examples,
            truth: truths.truth,
            training: truths.training,
            left_out: truths.left_out,
            n_mixed: truths.n_mixed,
        })
    }

    /// A task by its parts.
    #[cfg(test)]
    pub(crate) fn of_examples(
        name: &str,
        kind: Kind,
        examples: Vec<Example>,
        truth: Vec<f64>,
        scans: Vec<Scan>,
    ) -> Self {
        Self {
            name: name.to_string(),
            kind,
            classes: Vec::new(),
            of_segments: false,
            of_subjects: true,
            confounds: vec![MEAN_FD.to_string()],
            scans,
            examples,
            truth,
            training: Vec::new(),
            left_out: Vec::new(),
            n_mixed: 0,
        }
    }

    /// The numbers of the examples on the training, validation and test side of a split.
    pub fn sides(&self, split: &Split) -> [Vec<usize>; 3] {
        [&split.train, &split.validation, &split.test].map(|side| {
            let side: BTreeSet<&ScanId> = side.iter().collect();
            let on_side = |i: &usize| side.contains(&self.scans[self.examples[*i].scan].scan);
            (0..self.examples.len()).filter(on_side).collect()
        })
    }

    /// What never stands on two sides with example `i`.
    pub fn unit(&self, i: usize) -> &str {
        &self.scans[self.examples[i].scan].unit
    }

    /// Examples by number.
    pub fn examples(&self, numbers: &[usize]) -> Examples<'_> {
        Examples {
            scans: &self.scans,
            list: numbers.iter().map(|i| self.examples[*i]).collect(),
        }
    }

    /// What to learn from where the examples of these numbers train: all stretches of their scans,
    /// where there are more than they.
    pub fn training(&self, numbers: &[usize]) -> Labelled<'_> {
        if self.training.is_empty() {
            return self.labelled(numbers);
        }
        let scans: BTreeSet<usize> = numbers.iter().map(|i| self.examples[*i].scan).collect();
        let (list, truth) = (self.training.iter())
            .filter(|(example, _)| scans.contains(&example.scan))
            .copied()
            .unzip();
        Labelled {
            examples: Examples {
                scans: &self.scans,
                list,
            },
            truth,
        }
    }

    /// Examples by number, with their truth.
    pub fn labelled(&self, numbers: &[usize]) -> Labelled<'_> {
        Labelled {
            examples: self.examples(numbers),
            truth: numbers.iter().map(|i| self.truth[*i]).collect(),
        }
    }
}

/// What never stands on two sides.
fn unit_of(record: &ScanRecord, subject: Option<&SubjectRecord>, unit: SplitUnit) -> String {
    match (unit, subject.and_then(|subject| subject.family.as_ref())) {
        (SplitUnit::Scan, _) => record.scan.to_string(),
        (SplitUnit::Subject, Some(family)) => format!("family {family}"),
        (SplitUnit::Subject, None) => format!("subject {}", record.subject),
    }
}

/// Numbers of a subject and a scan that could explain a prediction away.
struct Confounds {
    names: Vec<String>,
    /// The column, and the category that counts as 1 where it holds words.
    columns: Vec<(String, Option<String>)>,
}

impl Confounds {
    /// Those that these subjects have, but for `target` itself; a category is one number for each
    /// of its words but the first.
    fn of(subjects: &[SubjectRecord], target: Option<&str>) -> Self {
        let mut columns = Vec::new();
        for name in CONFOUNDS.into_iter().filter(|name| Some(*name) != target) {
            if subjects.iter().any(|s| s.targets.contains_key(name)) {
                columns.push((name.to_string(), None));
            }
            let words: BTreeSet<&String> = subjects
                .iter()
                .filter_map(|s| s.categories.get(name))
                .collect();
            let words = words.into_iter().skip(1);
            columns.extend(words.map(|word| (name.to_string(), Some(word.clone()))));
        }
        let names = columns.iter().map(|(name, word)| match word {
            Some(word) => format!("{name}={word}"),
            None => name.clone(),
        });
        let names = names.chain([MEAN_FD.to_string()]).collect();
        Self { names, columns }
    }

    fn values(&self, record: &ScanRecord, subject: Option<&SubjectRecord>) -> Vec<Option<f64>> {
        let of_subject = self.columns.iter().map(|(name, word)| match word {
            None => subject?.targets.get(name).copied(),
            Some(word) => {
                let found = subject?.categories.get(name)?;
                Some(f64::from(u8::from(found == word)))
            }
        });
        of_subject.chain([record.mean_fd_mm]).collect()
    }
}
