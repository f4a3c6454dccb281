//! Cross-validation folds: every subject is in one test set.

use brainmae_files::CommonErrors as _;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::draw::{Group, Members, scans_of};
use super::sites::assign_sites;
use super::{Split, assign::assign};
use crate::error::{DataError, SplitProblem};
use crate::prepared::{PreparedDataset, ScanRecord};
use brainmae_studies::SubjectRecord;

/// Spec of cross-validation folds: every subject is in the test set of exactly one fold.
///
/// Families stay together, and with [`FoldBy::Site`] all subjects of a site. If there is only one
/// subject, its scans are assigned one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FoldSpec {
    /// Number of folds, at least 2.
    pub folds: usize,
    /// Share of all subjects in the validation set, taken from those outside the test set; may be
    /// 0.
    pub validation_fraction: f64,
    /// Targets and categories that are balanced across the sets: `age_years`, `sex`, `site`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stratify: Vec<String>,
    /// What stays together in a test set.
    #[serde(skip_serializing_if = "FoldBy::is_default")]
    pub by: FoldBy,
}

/// What stays together in the test set of a fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FoldBy {
    /// A subject, with its family if it is known.
    #[default]
    Subject,
    /// All subjects of a site: the test is of sites that nobody in training or validation was
    /// scanned at. With as many folds as sites each site is a fold; with fewer, a fold has several
    /// sites, by size. The validation set is drawn from families of the other sites.
    Site,
}

impl FoldBy {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for FoldSpec {
    fn default() -> Self {
        Self {
            folds: 5,
            validation_fraction: super::draw::VALIDATION_FRACTION,
            stratify: Vec::new(),
            by: FoldBy::default(),
        }
    }
}

impl FoldSpec {
    /// One split per fold, over the used scans of `dataset`.
    ///
    /// # Errors
    /// [`DataError::Config`] for a setting out of its range, [`DataError::Split`] when there are
    /// too few families or sites, a subject without a site, or a family at two sites.
    pub fn draw(
        &self,
        dataset: &PreparedDataset,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Vec<Split>, DataError> {
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
    ) -> Result<Vec<Split>, DataError> {
        if self.folds < 2 {
            return Err(DataError::config("folds", self.folds, "at least 2"));
        }
        if !(0.0..1.0).contains(&self.validation_fraction) {
            return Err(DataError::config(
                "validation_fraction",
                self.validation_fraction,
                "from 0 to below 1",
            ));
        }
        let members = Members::new(scans, subjects);
        let groups = members.groups(&self.stratify)?;
        let sets_needed = if self.validation_fraction > 0.0 { 3 } else { 2 };
        if groups.len() < self.folds.max(sets_needed) {
            return Err(DataError::Split(SplitProblem::TooFewForFolds {
                n_groups: groups.len(),
                groups: members.words(),
                folds: self.folds,
            }));
        }
        let total: usize = groups.iter().map(|group| group.size).sum();
        let shares = vec![1.0 / self.folds as f64; self.folds];
        let folds = match self.by {
            FoldBy::Subject => assign(groups, &shares, rng),
            FoldBy::Site => assign_sites(groups, scans, subjects, &shares, rng)?,
        };
        (0..self.folds)
            .map(|tested| {
                let rest: Vec<Group> = folds
                    .iter()
                    .enumerate()
                    .filter(|(fold, _)| *fold != tested)
                    .flat_map(|(_, groups)| groups.iter().cloned())
                    .collect();
                let rest_size: usize = rest.iter().map(|group| group.size).sum();
                let share = self.validation_fraction * total as f64 / rest_size as f64;
                if share >= 1.0 {
                    return Err(DataError::Split(SplitProblem::NobodyToTrainOn));
                }
                let validation = assign(rest, &[share, 1.0 - share], rng).swap_remove(0);
                if share > 0.0 && validation.is_empty() {
                    return Err(DataError::Split(SplitProblem::NobodyToValidateOn));
                }
                members.split(scans_of(&validation), scans_of(&folds[tested]))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::split::SplitUnit;
    use crate::split::tests::{people, rng};

    fn spec(folds: usize, validation_fraction: f64) -> FoldSpec {
        FoldSpec {
            folds,
            validation_fraction,
            ..FoldSpec::default()
        }
    }

    #[test]
    fn ten_people_in_five_folds_are_tested_by_two() {
        let (scans, subjects) = people(&[0; 10], 2);
        let folds = spec(5, 0.1)
            .draw_from(&scans, &subjects, &mut rng(1))
            .unwrap();
        for fold in &folds {
            let sizes = [&fold.train, &fold.validation, &fold.test].map(Vec::len);
            assert_eq!(sizes, [14, 2, 4]);
            assert_eq!(fold.train_subjects.len(), 7);
        }
    }

    #[test]
    fn folds_have_the_strata_alike() {
        let (scans, mut subjects) = people(&[0; 60], 1);
        for (i, subject) in subjects.iter_mut().enumerate() {
            let site = if i % 3 == 0 { "A" } else { "B" };
            subject.categories.insert("site".into(), site.into());
            subject.targets.insert("age_years".into(), (i % 30) as f64);
        }
        let spec = FoldSpec {
            stratify: vec!["site".into(), "age_years".into()],
            ..spec(4, 0.0)
        };
        let of: BTreeMap<_, _> = subjects.iter().map(|s| (&s.subject, s)).collect();
        for seed in 0..10 {
            for fold in spec.draw_from(&scans, &subjects, &mut rng(seed)).unwrap() {
                let tested: Vec<&SubjectRecord> = scans
                    .iter()
                    .filter(|scan| fold.test.contains(&scan.scan))
                    .map(|scan| of[&scan.subject])
                    .collect();
                assert_eq!(tested.len(), 15);
                let at_a = tested
                    .iter()
                    .filter(|s| s.categories["site"] == "A")
                    .count();
                assert!((4..=6).contains(&at_a), "{at_a}"); // 5 expected
                let ages = tested.iter().map(|s| s.targets["age_years"]);
                let mean = ages.sum::<f64>() / 15.0;
                // 14.5 is expected; the standard error of 15 random draws is 2.2.
                assert!((mean - 14.5).abs() < 1.5, "{mean}");
            }
        }
    }

    #[test]
    fn the_scans_of_an_only_subject_are_dealt_out() {
        let (scans, subjects) = people(&[0], 12);
        let folds = spec(4, 0.1)
            .draw_from(&scans, &subjects, &mut rng(0))
            .unwrap();
        assert!(folds.iter().all(|fold| fold.unit == SplitUnit::Scan));
        assert!(folds.iter().all(|fold| fold.test.len() == 3));
    }

    #[test]
    fn what_cannot_be_cut_into_folds_is_refused() {
        let (scans, subjects) = people(&[1, 1, 2, 0], 1);
        let refused = |spec: FoldSpec| spec.draw_from(&scans, &subjects, &mut rng(0)).unwrap_err();
        for (spec, key) in [
            (spec(1, 0.0), "folds"),
            (spec(3, 1.0), "validation_fraction"),
        ] {
            match refused(spec) {
                DataError::Config(InvalidField { field, .. }) => assert_eq!(field, key),
                other => panic!("{other}"),
            }
        }
        let too_few = SplitProblem::TooFewForFolds {
            n_groups: 3,
            groups: "families or single subjects",
            folds: 4,
        };
        for (spec, expected) in [
            (spec(4, 0.0), too_few),
            (spec(2, 0.8), SplitProblem::NobodyToTrainOn),
        ] {
            match refused(spec) {
                DataError::Split(problem) => assert_eq!(problem, expected),
                other => panic!("{other}"),
            }
        }
    }

    proptest! {
        #[test]
        fn everybody_is_tested_once_and_no_family_is_in_two_sets(
            families in prop::collection::vec(0..6_usize, 12..40),
            n_folds in 2..5_usize,
            validation in 0.0..0.3_f64,
            stratify in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let (scans, mut subjects) = people(&families, 2);
            for (i, subject) in subjects.iter_mut().enumerate() {
                subject.targets.insert("age_years".into(), (i * 7 % 13) as f64);
            }
            let spec = FoldSpec {
                stratify: stratify.then(|| "age_years".into()).into_iter().collect(),
                ..spec(n_folds, validation)
            };
            let folds = spec.draw_from(&scans, &subjects, &mut rng(seed));
            let Ok(folds) = folds else {
                // Too few families.
                prop_assume!(false);
                unreachable!()
            };
            prop_assert_eq!(folds.len(), n_folds);
            let tested: Vec<_> = folds.iter().flat_map(|fold| &fold.test).collect();
            let all: BTreeSet<_> = tested.iter().collect();
            prop_assert_eq!((tested.len(), all.len()), (scans.len(), scans.len()));
            for fold in &folds {
                fold.check_records(&scans, &subjects).unwrap();
                let sizes = [&fold.train, &fold.validation, &fold.test].map(Vec::len);
                prop_assert_eq!(sizes.iter().sum::<usize>(), scans.len());
                prop_assert!(sizes[0] > 0 && sizes[2] > 0);
                prop_assert_eq!(sizes[1] > 0, validation > 0.0);
            }
        }
    }
}
