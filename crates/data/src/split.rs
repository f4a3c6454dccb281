//! Subject- and family-level splits into training, validation and test sets.

mod assign;
mod balance;
mod draw;
mod folds;
mod proof;
mod sites;
mod strata;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{DataError, LeakOf, SplitProblem};
use crate::prepared::{PreparedDataset, ScanRecord};
use brainmae_files::checksum::FieldHasher;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_studies::SubjectRecord;

pub use balance::{CategoryBalance, SetBalance, TargetBalance};
pub use folds::{FoldBy, FoldSpec};
pub use proof::{SetCount, SplitProof, check_split};

/// Spec of a split: shares of the subjects, or named scans. All other scans are the training set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitSpec {
    /// Share of the subjects in the test set, default 0.2. The sum of both shares is below 1.
    pub test_fraction: Option<f64>,
    /// Share of the subjects in the validation set, default 0.1.
    pub validation_fraction: Option<f64>,
    /// Scans of the test set, instead of a share.
    pub test_scans: Vec<ScanId>,
    /// Scans of the validation set, instead of a share.
    pub validation_scans: Vec<ScanId>,
    /// Targets and categories that are balanced across the sets: `age_years`, `sex`, `site`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stratify: Vec<String>,
}

/// Unit that stays together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitUnit {
    /// All scans of a subject, and of a family if it is known.
    Subject,
    /// Single scans, for data of one subject: the test does not generalise to other people.
    Scan,
}

/// Scans of the training, validation and test sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Unit that stays together.
    pub unit: SplitUnit,
    /// Scans of the training set, sorted.
    pub train: Vec<ScanId>,
    /// Scans of the validation set, sorted.
    pub validation: Vec<ScanId>,
    /// Scans of the test set, sorted.
    pub test: Vec<ScanId>,
    /// Subjects of the training set, which a checkpoint stores.
    pub train_subjects: Vec<SubjectId>,
}

/// Names of the sets, for error messages.
const SETS: [&str; 3] = ["train", "validation", "test"];

/// A family, or a subject of unknown family; these two are distinct even if their names are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kin<'a> {
    Family(&'a str),
    Subject(&'a SubjectId),
}

fn families(subjects: &[SubjectRecord]) -> BTreeMap<&SubjectId, &str> {
    subjects
        .iter()
        .filter_map(|record| Some((&record.subject, record.family.as_deref()?)))
        .collect()
}

fn kin<'a>(families: &BTreeMap<&SubjectId, &'a str>, subject: &'a SubjectId) -> Kin<'a> {
    match families.get(subject) {
        Some(family) => Kin::Family(family),
        None => Kin::Subject(subject),
    }
}

impl Split {
    /// Hash of the split: of its unit and its sets.
    pub fn hash(&self) -> String {
        let hasher = FieldHasher::new("split").field(match self.unit {
            SplitUnit::Subject => "subject",
            SplitUnit::Scan => "scan",
        });
        self.sets()
            .into_iter()
            .zip(SETS)
            .fold(hasher, |hasher, (set, name)| {
                set.iter().fold(hasher.field(name), |hasher, scan| {
                    hasher.field(scan.as_str())
                })
            })
            .finish()
    }

    /// Checks that every scan is in `dataset` and used, and that the sets have no subject or family
    /// in common.
    ///
    /// # Errors
    /// [`DataError::Split`] for a scan that is not in the data set, [`DataError::Leak`] for a scan,
    /// subject or family in two sets.
    pub fn check(&self, dataset: &PreparedDataset) -> Result<(), DataError> {
        self.check_records(dataset.scans(), dataset.subjects())
    }

    fn check_records(
        &self,
        scans: &[ScanRecord],
        subjects: &[SubjectRecord],
    ) -> Result<(), DataError> {
        let included: BTreeMap<&ScanId, &ScanRecord> = scans
            .iter()
            .filter(|scan| scan.is_included())
            .map(|scan| (&scan.scan, scan))
            .collect();
        let families = families(subjects);
        let mut set_of_scan = BTreeMap::new();
        let mut set_of_kin = BTreeMap::new();
        let mut subjects_seen = BTreeSet::new();
        for (scans, set) in self.sets().into_iter().zip(SETS) {
            for scan in scans {
                let Some(record) = included.get(scan) else {
                    return Err(DataError::Split(SplitProblem::UnusableScan {
                        set,
                        scan: scan.clone(),
                        n_usable: included.len(),
                    }));
                };
                if let Some(first) = set_of_scan.insert(scan, set) {
                    return Err(DataError::Leak {
                        who: LeakOf::Scan(scan.clone()),
                        first,
                        second: set,
                    });
                }
                subjects_seen.insert(&record.subject);
                let kin = kin(&families, &record.subject);
                let other = set_of_kin.insert(kin, set).filter(|other| *other != set);
                if let (SplitUnit::Subject, Some(first)) = (self.unit, other) {
                    return Err(DataError::Leak {
                        who: match kin {
                            Kin::Family(family) => LeakOf::Family(family.to_owned()),
                            Kin::Subject(subject) => LeakOf::Subject(subject.clone()),
                        },
                        first,
                        second: set,
                    });
                }
            }
        }
        if self.unit == SplitUnit::Scan && subjects_seen.len() > 1 {
            return Err(DataError::Split(SplitProblem::ByScan {
                n_subjects: subjects_seen.len(),
            }));
        }
        Ok(())
    }

    fn sets(&self) -> [&[ScanId]; 3] {
        [&self.train, &self.validation, &self.test]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use brainmae_files::InvalidField;

    use super::*;
    use crate::prepared::ScanStatus;

    pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// Subjects with these families (0: unknown), each with this number of scans.
    pub(crate) fn people(
        families: &[usize],
        n_scans: usize,
    ) -> (Vec<ScanRecord>, Vec<SubjectRecord>) {
        let subjects: Vec<SubjectRecord> = families
            .iter()
            .enumerate()
            .map(|(at, family)| SubjectRecord {
                subject: SubjectId::new(at.to_string()),
                family: (*family > 0).then(|| family.to_string()),
                targets: BTreeMap::new(),
                categories: BTreeMap::new(),
            })
            .collect();
        let scans = subjects
            .iter()
            .flat_map(|record| (1..=n_scans).map(move |run| (record.subject.clone(), run)))
            .map(|(subject, run)| ScanRecord {
                scan: ScanId::new(format!("sub-{subject}_run-{run:02}")),
                subject,
                session: None,
                task: None,
                tr_secs: 1.0,
                n_volumes: 100,
                kept_volumes: 100,
                mean_fd_mm: None,
                variant: None,
                quality: Default::default(),
                source: String::new(),
                status: ScanStatus::Included,
                reason: None,
            })
            .collect();
        (scans, subjects)
    }

    fn shares(validation: f64, test: f64) -> SplitSpec {
        SplitSpec {
            validation_fraction: Some(validation),
            test_fraction: Some(test),
            ..SplitSpec::default()
        }
    }

    #[test]
    fn shares_are_of_subjects_and_all_their_scans_go_with_them() {
        let (scans, subjects) = people(&[0; 10], 2);
        let split = shares(0.1, 0.2)
            .draw_from(&scans, &subjects, &mut rng(1))
            .unwrap();
        assert_eq!(split.unit, SplitUnit::Subject);
        assert_eq!(
            (split.train.len(), split.validation.len(), split.test.len()),
            (14, 2, 4)
        );
        assert_eq!(split.train_subjects.len(), 7);
    }

    #[test]
    fn one_subject_is_split_by_scan_and_the_split_says_so() {
        let (scans, subjects) = people(&[0], 12);
        let spec = SplitSpec {
            test_scans: vec!["sub-0_run-11".into(), "sub-0_run-12".into()],
            validation_scans: vec!["sub-0_run-10".into()],
            ..SplitSpec::default()
        };
        let split = spec.draw_from(&scans, &subjects, &mut rng(0)).unwrap();
        assert_eq!(split.unit, SplitUnit::Scan);
        assert_eq!((split.train.len(), split.test.len()), (9, 2));
    }

    #[test]
    fn the_same_seed_gives_the_same_split_and_hash() {
        let (scans, subjects) = people(&[1, 1, 2, 2, 0, 0, 3, 0, 0], 1);
        let draw = |seed| {
            let split = SplitSpec::default().draw_from(&scans, &subjects, &mut rng(seed));
            split.unwrap()
        };
        assert_eq!(draw(1).hash(), draw(1).hash());
        assert!((2..9).any(|seed| draw(seed).hash() != draw(1).hash()));
    }

    #[test]
    fn a_split_drawn_once_is_drawn_for_ever() {
        // The identities of runs depend on this value.
        let (scans, subjects) = people(&[1, 1, 2, 2, 0, 0, 3, 0, 0], 1);
        let split = SplitSpec::default().draw_from(&scans, &subjects, &mut rng(1));
        assert_eq!(
            split.unwrap().hash(),
            "f0cef4bf5e5a97c9928bfddf50a1f3f8d56f0d051446f8ea13b1b950842b5159"
        );
    }

    #[test]
    fn naming_scans_cannot_put_relatives_in_two_sets() {
        let (scans, subjects) = people(&[4, 4, 0], 1);
        let spec = SplitSpec {
            test_scans: vec!["sub-0_run-01".into()],
            ..SplitSpec::default()
        };
        match spec.draw_from(&scans, &subjects, &mut rng(0)) {
            Err(DataError::Leak { who, .. }) => assert_eq!(who, LeakOf::Family("4".into())),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn splits_that_cannot_be_drawn_say_what_to_do() {
        let (scans, subjects) = people(&[1, 1], 2);
        let (one_scan, one_subject) = people(&[0], 1);
        let named = |scan: &str| SplitSpec {
            test_scans: vec![scan.into()],
            ..SplitSpec::default()
        };
        let both = SplitSpec {
            test_fraction: Some(0.1),
            ..named("sub-0_run-01")
        };
        let by_default = SplitSpec {
            test_fraction: Some(0.95),
            ..SplitSpec::default()
        };
        let stratified = SplitSpec {
            stratify: vec!["sex".into()],
            ..shares(0.5, 0.6)
        };
        let problem = |spec: SplitSpec, scans: &[ScanRecord], subjects: &[SubjectRecord]| match spec
            .draw_from(scans, subjects, &mut rng(0))
        {
            Err(DataError::Split(problem)) => problem,
            other => panic!("{other:?}"),
        };
        let too_few = |n_groups, groups| SplitProblem::TooFewForShares { n_groups, groups };
        assert_eq!(
            problem(shares(0.1, 0.2), &scans, &subjects),
            too_few(1, "families or single subjects")
        );
        assert_eq!(
            problem(shares(0.0, 0.5), &one_scan, &one_subject),
            too_few(1, "scans of the only subject")
        );
        assert_eq!(
            problem(named("nobody"), &scans, &subjects),
            SplitProblem::UnusableScan {
                set: "test",
                scan: "nobody".into(),
                n_usable: 4,
            }
        );
        assert_eq!(
            problem(named("sub-0_run-01"), &one_scan, &one_subject),
            SplitProblem::NothingToTrainOn
        );
        assert_eq!(
            problem(both, &scans, &subjects),
            SplitProblem::NamedAndDrawn
        );

        let sum = "test_fraction + validation_fraction";
        for (spec, key, value) in [
            (shares(0.0, 1.5), "test_fraction", "1.5"),
            (shares(0.3, 0.7), sum, "0.7 + 0.3"),
            (by_default, sum, "0.95 + 0.1"),
            (stratified, sum, "0.6 + 0.5"),
        ] {
            match spec.draw_from(&scans, &subjects, &mut rng(0)) {
                Err(DataError::Config(InvalidField { field, found, .. })) => {
                    assert_eq!((field, found.as_str()), (key, value));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn excluded_scans_are_in_no_set() {
        let (mut scans, subjects) = people(&[0; 4], 2);
        scans[3].status = ScanStatus::Excluded;
        let split = shares(0.0, 0.25)
            .draw_from(&scans, &subjects, &mut rng(0))
            .unwrap();
        assert_eq!(split.train.len() + split.test.len(), 7);
    }

    proptest! {
        #[test]
        fn no_subject_is_in_two_sets(
            families in prop::collection::vec(0..6_usize, 2..40),
            n_scans in 1..4_usize,
            validation in 0.0..0.4_f64,
            test in 0.0..0.4_f64,
            seed in any::<u64>(),
        ) {
            let (scans, subjects) = people(&families, n_scans);
            let Ok(split) = shares(validation, test).draw_from(&scans, &subjects, &mut rng(seed))
            else {
                // There are too few families for three sets.
                prop_assume!(false);
                unreachable!()
            };
            let mut sets: BTreeMap<(bool, String), BTreeSet<&str>> = BTreeMap::new();
            for (set, name) in split.sets().into_iter().zip(SETS) {
                for scan in set {
                    let record = scans.iter().find(|record| &record.scan == scan).unwrap();
                    let family = families[record.subject.as_str().parse::<usize>().unwrap()];
                    let who = match family {
                        0 => (false, record.subject.to_string()),
                        family => (true, family.to_string()),
                    };
                    sets.entry(who).or_default().insert(name);
                }
            }
            prop_assert!(sets.values().all(|names| names.len() == 1));
            prop_assert_eq!(split.sets().concat().len(), scans.len());
        }
    }
}
