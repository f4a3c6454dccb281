//! Drawing a split: which family goes to which side.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::seq::SliceRandom;

use super::{Kin, Split, SplitSpec, SplitUnit, families, kin};
use crate::error::DataError;
use crate::id::{ScanId, SubjectId};
use crate::prepared::{PreparedDataset, ScanRecord, SubjectRecord};

/// Share of the test side when nothing is said.
const TEST_FRACTION: f64 = 0.2;

/// Share of the validation side when nothing is said.
const VALIDATION_FRACTION: f64 = 0.1;

impl SplitSpec {
    /// Splits the scans of `dataset` that are used.
    ///
    /// # Errors
    /// [`DataError::Split`] when the shares cannot be kept, [`DataError::Leak`] when the scans
    /// named put somebody on two sides.
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
        let included: Vec<&ScanRecord> = scans.iter().filter(|scan| scan.is_included()).collect();
        let subjects_seen: BTreeSet<&SubjectId> =
            included.iter().map(|scan| &scan.subject).collect();
        let unit = if subjects_seen.len() > 1 {
            SplitUnit::Subject
        } else {
            SplitUnit::Scan
        };
        let by_name = !(self.test_scans.is_empty() && self.validation_scans.is_empty());
        let by_share = self.test_fraction.is_some() || self.validation_fraction.is_some();
        if by_name && by_share {
            return Err(DataError::Split {
                problem: "both shares and scans are given: give one of them".into(),
            });
        }
        let [validation, test] = if by_name {
            [self.validation_scans.clone(), self.test_scans.clone()]
        } else {
            let groups = groups(&included, subjects, unit);
            self.draw_groups(groups, unit, rng)?
        };
        let held_out: BTreeSet<&ScanId> = validation.iter().chain(&test).collect();
        let train = included
            .iter()
            .filter(|scan| !held_out.contains(&scan.scan))
            .map(|scan| scan.scan.clone())
            .collect();
        let mut split = Split {
            unit,
            train,
            validation,
            test,
            train_subjects: Vec::new(),
        };
        for side in [&mut split.train, &mut split.validation, &mut split.test] {
            side.sort();
        }
        if split.train.is_empty() {
            return Err(DataError::Split {
                problem: "no scan is left to train on: hold fewer out".into(),
            });
        }
        let training: BTreeSet<&ScanId> = split.train.iter().collect();
        let subjects_training: BTreeSet<&SubjectId> = included
            .iter()
            .filter(|scan| training.contains(&scan.scan))
            .map(|scan| &scan.subject)
            .collect();
        split.train_subjects = subjects_training.into_iter().cloned().collect();
        split.check_records(scans, subjects)?;
        Ok(split)
    }

    /// Draws groups at random until each held-out side has its share.
    fn draw_groups(
        &self,
        mut groups: Vec<Group>,
        unit: SplitUnit,
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
        let total: usize = groups.iter().map(|group| group.size).sum();
        let n_groups = groups.len();
        groups.shuffle(rng);
        // The test side draws first, so that it stays the same when validation changes.
        let mut side = |share: f64| {
            let goal = (share * total as f64).round().max(1.0) as usize;
            let (mut size, mut scans) = (0, Vec::new());
            while share > 0.0 && size < goal && !groups.is_empty() {
                // A family that would go further over the goal than the side is below it without
                // stays out, unless the side would be empty.
                let next = groups.len() - 1;
                let over = (size + groups[next].size).saturating_sub(goal);
                if size > 0 && over > goal - size {
                    break;
                }
                let group = groups.remove(next);
                size += group.size;
                scans.extend(group.scans);
            }
            (share > 0.0 && size == 0, scans)
        };
        let (test_empty, test) = side(shares[1].1);
        let (validation_empty, validation) = side(shares[0].1);
        if test_empty || validation_empty || groups.is_empty() {
            let what = match unit {
                SplitUnit::Subject => "families or single subjects",
                SplitUnit::Scan => "scans of the only subject",
            };
            return Err(DataError::Split {
                problem: format!(
                    "{n_groups} {what} are too few for these shares: set a share to 0, or name scans"
                ),
            });
        }
        Ok([validation, test])
    }
}

/// Scans that stay together.
struct Group {
    /// In subjects, or in scans where scans are the unit.
    size: usize,
    scans: Vec<ScanId>,
}

fn groups(included: &[&ScanRecord], subjects: &[SubjectRecord], unit: SplitUnit) -> Vec<Group> {
    if unit == SplitUnit::Scan {
        return included
            .iter()
            .map(|scan| Group {
                size: 1,
                scans: vec![scan.scan.clone()],
            })
            .collect();
    }
    let families = families(subjects);
    let mut groups: BTreeMap<Kin<'_>, (BTreeSet<&SubjectId>, Vec<ScanId>)> = BTreeMap::new();
    for scan in included {
        let group = groups.entry(kin(&families, &scan.subject)).or_default();
        group.0.insert(&scan.subject);
        group.1.push(scan.scan.clone());
    }
    groups
        .into_values()
        .map(|(members, scans)| Group {
            size: members.len(),
            scans,
        })
        .collect()
}
