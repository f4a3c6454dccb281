//! Choice of the scans that are compared: the same number of each subject.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{Result, bail, ensure};
use brainmae_data::{PreparedDataset, ScanRecord, SubjectId};
use brainmae_table::{Column, Table};

/// Used scans of a task, in the order of the data set; of all tasks with `None`.
///
/// # Errors
/// If no used scan has the task; the message lists the tasks that there are.
pub fn of_task<'a>(
    dataset: &'a PreparedDataset,
    task: Option<&str>,
) -> Result<Vec<&'a ScanRecord>> {
    let all = || dataset.included();
    let Some(task) = task else {
        let tasks: BTreeSet<_> = all().map(|scan| &scan.task).collect();
        if tasks.len() > 1 {
            tracing::warn!(
                "scans of {} tasks are compared with each other; --task chooses one",
                tasks.len()
            );
        }
        return Ok(all().collect());
    };
    let scans: Vec<_> = all()
        .filter(|scan| scan.task.as_deref() == Some(task))
        .collect();
    if scans.is_empty() {
        let tasks: BTreeSet<_> = all().filter_map(|scan| scan.task.as_deref()).collect();
        let tasks = tasks.into_iter().collect::<Vec<_>>().join("`, `");
        bail!("no scan has the task `{task}`, expected one of `{tasks}`");
    }
    Ok(scans)
}

/// Subjects with enough scans, and their first scans.
pub struct Choice<'a> {
    /// Number of scans of each subject.
    pub n_scans: usize,
    /// The scans of each subject. Subjects of a family are beside each other.
    pub subjects: Vec<Vec<&'a ScanRecord>>,
    /// Families, as ranges of subjects; a subject of unknown family is a unit of its own.
    pub units: Vec<Range<usize>>,
    /// All scans among which they were chosen.
    pub every: Vec<&'a ScanRecord>,
    /// Subjects with fewer scans.
    n_fewer: usize,
}

impl<'a> Choice<'a> {
    /// The first `n_scans` of each subject who has as many among `scans`.
    ///
    /// # Errors
    /// If fewer than two subjects have as many; the message says how many subjects and scans were
    /// found.
    pub fn new(
        dataset: &PreparedDataset,
        scans: Vec<&'a ScanRecord>,
        n_scans: usize,
    ) -> Result<Self> {
        let families: BTreeMap<&SubjectId, &str> = (dataset.subjects().iter())
            .filter_map(|subject| Some((&subject.subject, subject.family.as_deref()?)))
            .collect();
        let mut of_subject = BTreeMap::<_, Vec<&ScanRecord>>::new();
        for scan in &scans {
            let key = (kin(&families, &scan.subject), &scan.subject);
            of_subject.entry(key).or_default().push(*scan);
        }
        let n_subjects = of_subject.len();
        of_subject.retain(|_, scans| scans.len() >= n_scans);
        ensure!(
            of_subject.len() >= 2,
            "{} of {n_subjects} subjects with {} scans in all have {n_scans} scans or more, expected two subjects \
             or more\nhint: prepare further sessions or runs of the same subjects, name another --task, or lower --scans \
             if it is above 2",
            of_subject.len(),
            scans.len()
        );
        let kins: Vec<_> = of_subject.keys().map(|(kin, _)| *kin).collect();
        let mut units = Vec::new();
        for unit in kins.chunk_by(|a, b| a == b) {
            let start = units.last().map_or(0, |unit: &Range<usize>| unit.end);
            units.push(start..start + unit.len());
        }
        let n_fewer = n_subjects - of_subject.len();
        let first = |scans: Vec<&'a ScanRecord>| scans.into_iter().take(n_scans).collect();
        Ok(Self {
            n_scans,
            subjects: of_subject.into_values().map(first).collect(),
            units,
            every: scans,
            n_fewer,
        })
    }

    /// All scans of the subjects who have enough, also those after the first ones.
    pub fn all(&self) -> Vec<&'a ScanRecord> {
        let subjects: BTreeSet<_> = self
            .subjects
            .iter()
            .map(|scans| &scans[0].subject)
            .collect();
        let of_these = |scan: &&&ScanRecord| subjects.contains(&scan.subject);
        self.every.iter().filter(of_these).copied().collect()
    }

    /// Number of chosen subjects among those of these names.
    pub fn n_of(&self, names: &[String]) -> usize {
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let subjects = self.subjects.iter().map(|scans| scans[0].subject.as_str());
        subjects.filter(|subject| names.contains(subject)).count()
    }

    /// Line on what is not compared; empty if nothing was left out. `n_short` scans have no valid
    /// segment.
    pub fn left_out(&self, n_short: usize) -> String {
        let n_further = self.all().len() - self.n_scans * self.subjects.len();
        let told = [
            (
                self.n_fewer,
                format!("subjects with fewer than {} scans", self.n_scans),
            ),
            (n_further, "further scans of subjects with more".to_string()),
            (n_short, "scans without a valid segment".to_string()),
        ];
        let told = told.iter().filter(|(n, _)| *n > 0);
        let told: Vec<String> = told.map(|(n, what)| format!("{n} {what}")).collect();
        match told.is_empty() {
            true => String::new(),
            false => format!("left out: {}\n", told.join(", ")),
        }
    }

    /// One row for each compared scan: its name, its subject, and its number among the subject's
    /// scans, from 1.
    ///
    /// # Errors
    /// None: all columns have the same length.
    pub fn table(&self) -> Result<Table> {
        let scans: Vec<&ScanRecord> = self.subjects.iter().flatten().copied().collect();
        let number = (0..scans.len()).map(|i| (i % self.n_scans + 1) as u32);
        let columns = vec![
            Column::new("scan", scans.iter().map(|scan| scan.scan.as_str())),
            Column::new("subject", scans.iter().map(|scan| scan.subject.as_str())),
            Column::new("session", scans.iter().map(|scan| scan.session.as_deref())),
            Column::new("task", scans.iter().map(|scan| scan.task.as_deref())),
            Column::new("number", number),
        ];
        Ok(Table::new(scans.len(), columns)?)
    }
}

/// Family of a subject, or the subject itself; a family and a subject of the same name are
/// distinct.
fn kin<'a>(families: &BTreeMap<&SubjectId, &'a str>, subject: &'a SubjectId) -> (bool, &'a str) {
    match families.get(subject) {
        Some(family) => (true, family),
        None => (false, subject.as_str()),
    }
}
