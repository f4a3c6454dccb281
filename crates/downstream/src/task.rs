//! Task: one target with its scans, the same for all learners.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use brainmae_data::studies::SITE;
use brainmae_data::{
    BoldSeries, PreparedDataset, ScanId, ScanRecord, SegmentLayout, Split, SplitUnit, SubjectId,
    SubjectRecord,
};

use crate::confounds::{Confounds, MEAN_FD};
use crate::target::{Seen, TargetSpec};
use crate::truth::LeftOut;
use crate::{Computed, DownstreamError, Example, Examples, Kind, Labelled, Scan};

/// Signals of a data set, in memory.
pub struct Signals {
    series: BTreeMap<ScanId, Arc<BoldSeries>>,
    /// Shared by the tasks of all targets.
    computed: Computed,
}

impl Signals {
    /// Reads all scans that are used.
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
        Ok(Self {
            series,
            computed: Computed::within_budget(),
        })
    }
}

/// A target with all data that may be used for its prediction.
pub struct Task {
    /// Name in the experiment file.
    pub name: String,
    /// Number or class.
    pub kind: Kind,
    /// Names of the classes; empty for regression.
    pub classes: Vec<String>,
    /// True if truths belong to segments.
    pub of_segments: bool,
    /// True if all scans of a subject have one truth.
    pub of_subjects: bool,
    /// Names of the confounds of [`Scan::confounds`].
    pub confounds: Vec<String>,
    /// Names of the confounds in tables of predictions, the same for all targets.
    pub table_confounds: Vec<String>,
    /// All scans with a truth.
    pub scans: Vec<Scan>,
    /// Examples to predict.
    pub examples: Vec<Example>,
    /// One truth for each example.
    pub truth: Vec<f64>,
    /// Training examples with truth, if there are more of them than `examples`.
    training: Vec<(Example, f64)>,
    /// Scans without a truth.
    pub left_out: Vec<LeftOut>,
    /// Number of stretches in which no condition fills the required share.
    pub n_mixed: usize,
}

impl Task {
    /// Reads the truths of target `name`. The columns `confounds` of the subjects' or scans' table
    /// are confounds, too.
    ///
    /// # Errors
    /// [`DownstreamError::Config`] if the target or a confound is not in this data set, or if the
    /// target has a single class.
    pub fn new(
        name: &str,
        spec: &TargetSpec,
        dataset: &PreparedDataset,
        signals: &Signals,
        unit: SplitUnit,
        layout: &SegmentLayout,
        confounds: &[String],
    ) -> Result<Self, DownstreamError> {
        spec.check(name)?;
        let subjects: BTreeMap<&SubjectId, &SubjectRecord> = (dataset.subjects().iter())
            .map(|subject| (&subject.subject, subject))
            .collect();
        let records: Vec<(&ScanRecord, &Arc<BoldSeries>)> = (dataset.included())
            .filter_map(|record| Some((record, signals.series.get(&record.scan)?)))
            .collect();
        let table_confounds = Confounds::of_table(dataset, confounds)?.names();
        let confounds = Confounds::of_target(dataset, confounds, spec.column.as_deref())?;
        let scans: Vec<Scan> = (records.iter())
            .map(|(record, series)| {
                let subject = subjects.get(&record.subject).copied();
                Scan {
                    scan: record.scan.clone(),
                    subject: record.subject.clone(),
                    unit: unit_of(record, subject, unit),
                    series: Arc::clone(series),
                    confounds: confounds.values(record, subject),
                    site: subject.and_then(|subject| subject.word(SITE)),
                    computed: signals.computed.clone(),
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
            confounds: confounds.names(),
            table_confounds,
            scans,
            examples: truths.examples,
            truth: truths.truth,
            training: truths.training,
            left_out: truths.left_out,
            n_mixed: truths.n_mixed,
        })
    }

    /// A target of whole scans from signals in memory: example `i` has truth `i`. The only confound
    /// of a scan is its motion; subjects are its units.
    pub fn of_examples(
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
            table_confounds: vec![MEAN_FD.to_string()],
            scans,
            examples,
            truth,
            training: Vec::new(),
            left_out: Vec::new(),
            n_mixed: 0,
        }
    }

    /// Numbers of the examples in the training, validation and test set of a split.
    pub fn sets(&self, split: &Split) -> [Vec<usize>; 3] {
        [&split.train, &split.validation, &split.test].map(|set| {
            let set: BTreeSet<&ScanId> = set.iter().collect();
            let in_set = |i: &usize| set.contains(&self.scans[self.examples[*i].scan].scan);
            (0..self.examples.len()).filter(in_set).collect()
        })
    }

    /// Unit of example `i`, which a split keeps together.
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

    /// Training examples for these numbers: all stretches of their scans, if there are more of them
    /// than examples.
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

/// The unit of a scan.
fn unit_of(record: &ScanRecord, subject: Option<&SubjectRecord>, unit: SplitUnit) -> String {
    match (unit, subject.and_then(|subject| subject.family.as_ref())) {
        (SplitUnit::Scan, _) => record.scan.to_string(),
        (SplitUnit::Subject, Some(family)) => format!("family {family}"),
        (SplitUnit::Subject, None) => format!("subject {}", record.subject),
    }
}
