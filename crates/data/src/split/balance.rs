//! Balance of a split: targets and categories by set.

use std::collections::{BTreeMap, BTreeSet};

use super::{SETS, SetCount, Split, families, kin};
use crate::error::{DataError, SplitProblem};
use crate::prepared::{PreparedDataset, ScanRecord};
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_studies::SubjectRecord;

/// Counts and means of one set; it has no values of single subjects.
#[derive(Clone, Debug, PartialEq)]
pub struct SetBalance {
    /// Subjects, families and scans of the set.
    pub count: SetCount,
    /// Requested targets.
    pub targets: Vec<TargetBalance>,
    /// Requested categories.
    pub categories: Vec<CategoryBalance>,
}

/// A target in one set.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetBalance {
    /// Its name, with its unit of measurement.
    pub name: String,
    /// Number of subjects with a known value.
    pub known: usize,
    /// Mean of the known values.
    pub mean: Option<f64>,
}

/// A category in one set.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryBalance {
    /// Its name.
    pub name: String,
    /// Number of subjects by value, for all values in the data set, so that sets can be compared.
    pub counts: BTreeMap<String, usize>,
    /// Number of subjects without a known value.
    pub unknown: usize,
}

impl Split {
    /// Counts of every set, with means and counts of the targets and categories in `names`.
    ///
    /// # Errors
    /// [`DataError::Split`] for a name that no subject of the data set has.
    pub fn balance(
        &self,
        dataset: &PreparedDataset,
        names: &[String],
    ) -> Result<Vec<SetBalance>, DataError> {
        self.balance_records(dataset.scans(), dataset.subjects(), names)
    }

    pub(super) fn counts(&self, scans: &[ScanRecord], subjects: &[SubjectRecord]) -> Vec<SetCount> {
        let families = families(subjects);
        self.members(scans)
            .into_iter()
            .zip(self.sets())
            .zip(SETS)
            .map(|((members, scans), set)| {
                let kin: BTreeSet<_> = members.iter().map(|s| kin(&families, s)).collect();
                SetCount {
                    set,
                    subjects: members.len(),
                    families: kin.len(),
                    scans: scans.len(),
                }
            })
            .collect()
    }

    /// The subjects of each set.
    fn members<'a>(&self, scans: &'a [ScanRecord]) -> Vec<BTreeSet<&'a SubjectId>> {
        let subject_of: BTreeMap<&ScanId, &SubjectId> = scans
            .iter()
            .map(|record| (&record.scan, &record.subject))
            .collect();
        let of = |set: &[ScanId]| {
            let subjects = set.iter().filter_map(|scan| subject_of.get(scan));
            subjects.copied().collect()
        };
        self.sets().into_iter().map(of).collect()
    }

    fn balance_records(
        &self,
        scans: &[ScanRecord],
        subjects: &[SubjectRecord],
        names: &[String],
    ) -> Result<Vec<SetBalance>, DataError> {
        let is_target = |name: &str| subjects.iter().any(|s| s.targets.contains_key(name));
        let is_category = |name: &str| subjects.iter().any(|s| s.categories.contains_key(name));
        if let Some(name) = names.iter().find(|n| !is_target(n) && !is_category(n)) {
            return Err(DataError::Split(SplitProblem::UnknownTarget {
                name: name.clone(),
            }));
        }
        let (targets, categories): (Vec<&String>, Vec<&String>) =
            names.iter().partition(|name| is_target(name));
        let by_name: BTreeMap<_, _> = subjects.iter().map(|s| (&s.subject, s)).collect();
        let counts = self.counts(scans, subjects);
        let sets = self.members(scans).into_iter().zip(counts);
        Ok(sets
            .map(|(members, count)| {
                let members: Vec<&SubjectRecord> = members
                    .iter()
                    .filter_map(|subject| by_name.get(subject).copied())
                    .collect();
                SetBalance {
                    count,
                    targets: targets.iter().map(|name| target(&members, name)).collect(),
                    categories: categories
                        .iter()
                        .map(|name| category(&members, subjects, name))
                        .collect(),
                }
            })
            .collect())
    }
}

fn target(members: &[&SubjectRecord], name: &str) -> TargetBalance {
    let values = members.iter().filter_map(|s| s.targets.get(name).copied());
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let known = values.len();
    TargetBalance {
        name: name.to_owned(),
        known,
        mean: (known > 0).then(|| values.iter().sum::<f64>() / known as f64),
    }
}

fn category(members: &[&SubjectRecord], all: &[SubjectRecord], name: &str) -> CategoryBalance {
    let mut counts: BTreeMap<String, usize> = all
        .iter()
        .filter_map(|subject| Some((subject.categories.get(name)?.clone(), 0)))
        .collect();
    let mut unknown = 0;
    for member in members {
        let value = member.categories.get(name);
        *value
            .and_then(|value| counts.get_mut(value))
            .unwrap_or(&mut unknown) += 1;
    }
    CategoryBalance {
        name: name.to_owned(),
        counts,
        unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::tests::{people, rng};
    use crate::split::{SplitSpec, SplitUnit};

    #[test]
    fn sets_are_counted_by_hand() {
        let (scans, mut subjects) = people(&[1, 1, 0, 0], 2);
        for (i, sex) in [(0, "F"), (1, "M"), (2, "F")] {
            subjects[i].categories.insert("sex".into(), sex.into());
        }
        for (i, age) in [(0, 20.0), (1, 30.0), (3, 50.0)] {
            subjects[i].targets.insert("age_years".into(), age);
        }
        let scan = |subject: usize, run: usize| scans[2 * subject + run - 1].scan.clone();
        let split = Split {
            unit: SplitUnit::Subject,
            train: vec![scan(0, 1), scan(0, 2), scan(1, 1), scan(2, 1)],
            validation: Vec::new(),
            test: vec![scan(3, 1), scan(3, 2)],
            train_subjects: Vec::new(),
        };
        let names = ["sex".to_owned(), "age_years".to_owned()];
        let [train, validation, test] =
            &split.balance_records(&scans, &subjects, &names).unwrap()[..]
        else {
            panic!("three sets")
        };
        let count = |set: &SetBalance| {
            let c = &set.count;
            (c.set, c.subjects, c.families, c.scans)
        };
        assert_eq!(count(train), ("train", 3, 2, 4));
        assert_eq!(count(validation), ("validation", 0, 0, 0));
        assert_eq!(count(test), ("test", 1, 1, 2));
        assert_eq!(
            (train.targets[0].known, train.targets[0].mean),
            (2, Some(25.0))
        );
        assert_eq!(
            (validation.targets[0].mean, test.targets[0].mean),
            (None, Some(50.0))
        );
        let sexes = |set: &SetBalance| {
            let category = &set.categories[0];
            (category.counts["F"], category.counts["M"], category.unknown)
        };
        assert_eq!([sexes(train), sexes(test)], [(2, 1, 0), (0, 0, 1)]);

        let error = split.balance_records(&scans, &subjects, &["age".to_owned()]);
        assert!(matches!(
            error,
            Err(DataError::Split(SplitProblem::UnknownTarget { name })) if name == "age"
        ));
    }

    #[test]
    fn a_stratified_split_is_balanced_where_a_random_one_need_not_be() {
        let (scans, mut subjects) = people(&[0; 100], 1);
        for (i, subject) in subjects.iter_mut().enumerate() {
            let site = ["A", "B", "B", "B", "B"][i % 5];
            subject.categories.insert("site".into(), site.into());
        }
        let names = ["site".to_owned()];
        let at_a = |spec: &SplitSpec, seed| -> Vec<usize> {
            let split = spec.draw_from(&scans, &subjects, &mut rng(seed)).unwrap();
            let sets = split.balance_records(&scans, &subjects, &names).unwrap();
            sets.iter()
                .map(|set| set.categories[0].counts["A"])
                .collect()
        };
        let stratified = SplitSpec {
            stratify: names.to_vec(),
            ..SplitSpec::default()
        };
        // 70, 10 and 20 people, a fifth of whom are at A.
        assert!((0..20).all(|seed| at_a(&stratified, seed) == [14, 2, 4]));
        assert!((0..20).any(|seed| at_a(&SplitSpec::default(), seed) != [14, 2, 4]));
    }
}
