//! Random draw of a split: the assignment of families to sets.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::seq::SliceRandom;

use super::assign::assign;
use super::strata::Strata;
use super::{Kin, Split, SplitSpec, SplitUnit, families, kin};
use crate::error::{DataError, SplitProblem};
use crate::prepared::{PreparedDataset, ScanRecord};
use brainmae_files::CommonErrors as _;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_studies::SubjectRecord;

/// Default share of the test set.
const TEST_FRACTION: f64 = 0.2;

/// Default share of the validation set.
pub(super) const VALIDATION_FRACTION: f64 = 0.1;

impl SplitSpec {
    /// Splits the used scans of `dataset`.
    ///
    /// # Errors
    /// [`DataError::Config`] for shares out of their range, [`DataError::Split`] when they are
    /// impossible, [`DataError::Leak`] when named scans put a subject or family into two sets.
    pub fn draw(
        &self,
        dataset: &PreparedDataset,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Split, DataError> {
        self.draw_from(dataset.scans(), dataset.subjects(), rng)
    }

    /// Splits scans given by their records.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn draw_from(
        &self,
        scans: &[ScanRecord],
        subjects: &[SubjectRecord],
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Split, DataError> {
        let members = Members::new(scans, subjects);
        let by_name = !(self.test_scans.is_empty() && self.validation_scans.is_empty());
        let by_share = self.test_fraction.is_some() || self.validation_fraction.is_some();
        if by_name && (by_share || !self.stratify.is_empty()) {
            return Err(DataError::Split(SplitProblem::NamedAndDrawn));
        }
        let [validation, test] = if by_name {
            [self.validation_scans.clone(), self.test_scans.clone()]
        } else {
            self.draw_groups(&members, rng)?
        };
        members.split(validation, test)
    }

    /// Draws the validation and the test set by their shares.
    fn draw_groups(
        &self,
        members: &Members<'_>,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<[Vec<ScanId>; 2], DataError> {
        let shares = [
            (
                "validation_fraction",
                self.validation_fraction.unwrap_or(VALIDATION_FRACTION),
            ),
            ("test_fraction", self.test_fraction.unwrap_or(TEST_FRACTION)),
        ];
        for (key, share) in shares {
            if !(0.0..1.0).contains(&share) {
                return Err(DataError::config(key, share, "from 0 to below 1"));
            }
        }
        let [(_, validation), (_, test)] = shares;
        if validation + test >= 1.0 {
            return Err(DataError::config(
                "test_fraction + validation_fraction",
                format!("{test} + {validation}"),
                "below 1: they add up to 1 or more, and nobody is left to train on",
            ));
        }
        let groups = members.groups(&self.stratify)?;
        let n_groups = groups.len();
        let shares = shares.map(|(_, share)| share);
        let sets = if self.stratify.is_empty() {
            draw_at_random(groups, shares, rng)
        } else {
            let rest = 1.0 - shares[0] - shares[1];
            let mut sets = assign(groups, &[shares[0], shares[1], rest], rng);
            let train = sets.pop().unwrap_or_default();
            let test = sets.pop().unwrap_or_default();
            let validation = sets.pop().unwrap_or_default();
            [validation, test, train]
        };
        let [validation, test, train] = sets;
        let missing = |set: &[Group], share: f64| share > 0.0 && set.is_empty();
        if missing(&validation, shares[0]) || missing(&test, shares[1]) || train.is_empty() {
            return Err(DataError::Split(SplitProblem::TooFewForShares {
                n_groups,
                groups: members.words(),
            }));
        }
        Ok([scans_of(&validation), scans_of(&test)])
    }
}

/// Draws groups at random until the validation and the test set have their shares of the total
/// size; returns validation set, test set and the remaining groups.
fn draw_at_random(
    mut groups: Vec<Group>,
    shares: [f64; 2],
    rng: &mut (impl Rng + ?Sized),
) -> [Vec<Group>; 3] {
    let total: usize = groups.iter().map(|group| group.size).sum();
    groups.shuffle(rng);
    let mut set = |share: f64| {
        let goal = (share * total as f64).round().max(1.0) as usize;
        let (mut size, mut set) = (0, Vec::new());
        while share > 0.0 && size < goal && !groups.is_empty() {
            // A family is not taken if the excess with it is larger than the deficit without it,
            // unless the set would be empty.
            let next = groups.len() - 1;
            let over = (size + groups[next].size).saturating_sub(goal);
            if size > 0 && over > goal - size {
                break;
            }
            let group = groups.remove(next);
            size += group.size;
            set.push(group);
        }
        set
    };
    // The test set is drawn first, so that it does not depend on the validation share.
    let test = set(shares[1]);
    let validation = set(shares[0]);
    [validation, test, groups]
}

/// The used scans with their subjects.
pub(super) struct Members<'a> {
    scans: &'a [ScanRecord],
    subjects: &'a [SubjectRecord],
    included: Vec<&'a ScanRecord>,
    unit: SplitUnit,
}

impl<'a> Members<'a> {
    pub fn new(scans: &'a [ScanRecord], subjects: &'a [SubjectRecord]) -> Self {
        let included: Vec<&ScanRecord> = scans.iter().filter(|scan| scan.is_included()).collect();
        let seen: BTreeSet<&SubjectId> = included.iter().map(|scan| &scan.subject).collect();
        let unit = if seen.len() > 1 {
            SplitUnit::Subject
        } else {
            SplitUnit::Scan
        };
        Self {
            scans,
            subjects,
            included,
            unit,
        }
    }

    /// Name of the groups, for error messages.
    pub fn words(&self) -> &'static str {
        match self.unit {
            SplitUnit::Subject => "families or single subjects",
            SplitUnit::Scan => "scans of the only subject",
        }
    }

    /// Groups that stay together, each with the strata of its subjects.
    pub fn groups(&self, stratify: &[String]) -> Result<Vec<Group>, DataError> {
        if self.unit == SplitUnit::Scan {
            if !stratify.is_empty() {
                return Err(DataError::Split(SplitProblem::StrataOfOneSubject));
            }
            let single = |scan: &&ScanRecord| Group {
                size: 1,
                strata: Vec::new(),
                scans: vec![scan.scan.clone()],
            };
            return Ok(self.included.iter().map(single).collect());
        }
        let seen: BTreeSet<&SubjectId> = self.included.iter().map(|scan| &scan.subject).collect();
        let used: Vec<&SubjectRecord> = self
            .subjects
            .iter()
            .filter(|record| seen.contains(&record.subject))
            .collect();
        let strata = Strata::new(&used, stratify)?;
        let families = families(self.subjects);
        let mut groups: BTreeMap<Kin<'_>, (BTreeSet<&SubjectId>, Vec<ScanId>)> = BTreeMap::new();
        for scan in &self.included {
            let group = groups.entry(kin(&families, &scan.subject)).or_default();
            group.0.insert(&scan.subject);
            group.1.push(scan.scan.clone());
        }
        Ok(groups
            .into_values()
            .map(|(members, scans)| Group {
                size: members.len(),
                strata: members
                    .iter()
                    .flat_map(|subject| strata.of(subject).iter().copied())
                    .collect(),
                scans,
            })
            .collect())
    }

    /// The split with these validation and test sets; all other scans are the training set.
    pub fn split(&self, validation: Vec<ScanId>, test: Vec<ScanId>) -> Result<Split, DataError> {
        let held_out: BTreeSet<&ScanId> = validation.iter().chain(&test).collect();
        let training = self
            .included
            .iter()
            .filter(|scan| !held_out.contains(&scan.scan));
        let subjects: BTreeSet<&SubjectId> = training.clone().map(|scan| &scan.subject).collect();
        let mut split = Split {
            unit: self.unit,
            train: training.map(|scan| scan.scan.clone()).collect(),
            train_subjects: subjects.into_iter().cloned().collect(),
            validation,
            test,
        };
        for set in [&mut split.train, &mut split.validation, &mut split.test] {
            set.sort();
        }
        if split.train.is_empty() {
            return Err(DataError::Split(SplitProblem::NothingToTrainOn));
        }
        split.check_records(self.scans, self.subjects)?;
        Ok(split)
    }
}

/// Scans that stay together.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Number of subjects, or of scans if scans are the unit.
    pub size: usize,
    /// The strata of all subjects, concatenated.
    pub strata: Vec<usize>,
    pub scans: Vec<ScanId>,
}

/// All scans of groups.
pub(super) fn scans_of(groups: &[Group]) -> Vec<ScanId> {
    groups
        .iter()
        .flat_map(|group| group.scans.iter().cloned())
        .collect()
}
