//! Strata: targets and categories that are balanced across the sets of a split.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{DataError, SplitProblem};
use brainmae_files::id::SubjectId;
use brainmae_studies::SubjectRecord;

/// Maximum number of bins of a number.
const BINS: usize = 5;

/// The strata of every subject: one per name, and one for the combination if there are several
/// names. Subjects without a value form a separate stratum.
#[derive(Debug, Default)]
pub(super) struct Strata<'a> {
    of: BTreeMap<&'a SubjectId, Vec<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level<'a> {
    Missing,
    Bin(usize),
    Category(&'a str),
}

impl<'a> Strata<'a> {
    /// The strata of `subjects`, by the targets and categories in `names`. Numbers are cut at their
    /// quantiles into five bins; equal numbers share a bin.
    ///
    /// # Errors
    /// [`DataError::Split`] for a name that no subject has.
    pub fn new(subjects: &[&'a SubjectRecord], names: &[String]) -> Result<Self, DataError> {
        let mut levels: Vec<Vec<Level<'a>>> = vec![Vec::new(); subjects.len()];
        for name in names {
            for (levels, level) in levels.iter_mut().zip(column(subjects, name)?) {
                levels.push(level);
            }
        }
        let mut numbers: BTreeMap<(usize, Vec<Level<'a>>), usize> = BTreeMap::new();
        let mut of = BTreeMap::new();
        for (subject, levels) in subjects.iter().zip(levels) {
            let singles = levels.iter().enumerate();
            let mut keys: Vec<_> = singles.map(|(name, level)| (name, vec![*level])).collect();
            if names.len() > 1 {
                keys.push((names.len(), levels));
            }
            let strata = keys.into_iter().map(|key| {
                let next = numbers.len();
                *numbers.entry(key).or_insert(next)
            });
            of.insert(&subject.subject, strata.collect());
        }
        Ok(Self { of })
    }

    /// The strata of one subject.
    pub fn of(&self, subject: &SubjectId) -> &[usize] {
        self.of.get(subject).map_or(&[], Vec::as_slice)
    }
}

/// The level of each subject in one column.
fn column<'a>(subjects: &[&'a SubjectRecord], name: &str) -> Result<Vec<Level<'a>>, DataError> {
    let number = |subject: &SubjectRecord| {
        let value = subject.targets.get(name).copied();
        value.filter(|value| value.is_finite())
    };
    let mut sorted: Vec<f64> = subjects.iter().filter_map(|s| number(s)).collect();
    sorted.sort_by(f64::total_cmp);
    let levels: Vec<Level<'a>> = subjects
        .iter()
        .map(
            |subject| match (number(subject), subject.categories.get(name)) {
                (Some(value), _) => {
                    let below = sorted.partition_point(|other| *other < value);
                    Level::Bin(BINS * below / sorted.len())
                }
                (None, Some(category)) => Level::Category(category),
                (None, None) => Level::Missing,
            },
        )
        .collect();
    if levels.iter().all(|level| *level == Level::Missing) {
        let known: BTreeSet<&String> = subjects
            .iter()
            .flat_map(|subject| subject.targets.keys().chain(subject.categories.keys()))
            .collect();
        return Err(DataError::Split(SplitProblem::UnknownStratum {
            name: name.to_owned(),
            known: known.into_iter().cloned().collect(),
        }));
    }
    Ok(levels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(number: usize, age_years: Option<f64>, sex: Option<&str>) -> SubjectRecord {
        SubjectRecord {
            subject: SubjectId::new(number.to_string()),
            family: None,
            targets: age_years
                .map(|age| ("age_years".into(), age))
                .into_iter()
                .collect(),
            categories: sex
                .map(|sex| ("sex".into(), sex.into()))
                .into_iter()
                .collect(),
        }
    }

    fn strata(subjects: &[SubjectRecord], names: &[&str]) -> Result<Vec<Vec<usize>>, DataError> {
        let records: Vec<&SubjectRecord> = subjects.iter().collect();
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let strata = Strata::new(&records, &names)?;
        Ok(subjects
            .iter()
            .map(|s| strata.of(&s.subject).to_vec())
            .collect())
    }

    #[test]
    fn numbers_are_cut_into_five_bins_of_one_size() {
        let people: Vec<_> = (0..20)
            .map(|i| subject(i, Some((7 * i % 20) as f64), None))
            .collect();
        let found = strata(&people, &["age_years"]).unwrap();
        let mut sizes = [0; BINS];
        for strata in &found {
            sizes[strata[0]] += 1;
        }
        assert_eq!(sizes, [4; BINS]);
        // 0, 1, 2 and 3 years: subjects 0, 3, 6 and 9.
        assert!([3, 6, 9].iter().all(|i| found[*i] == found[0]));
    }

    #[test]
    fn equal_numbers_share_a_bin_and_who_has_none_is_apart() {
        let ages = [Some(1.0), Some(1.0), Some(2.0), None, Some(f64::NAN)];
        let people: Vec<_> = ages
            .iter()
            .enumerate()
            .map(|(i, age)| subject(i, *age, None))
            .collect();
        let found = strata(&people, &["age_years"]).unwrap();
        assert_eq!(found[0], found[1]);
        assert_eq!(found[3], found[4]);
        assert!(found[0] != found[2] && found[2] != found[3] && found[0] != found[3]);
    }

    #[test]
    fn several_names_have_a_stratum_each_and_one_together() {
        let people = [
            subject(0, Some(1.0), Some("F")),
            subject(1, Some(9.0), Some("F")),
            subject(2, Some(1.0), Some("M")),
        ];
        let found = strata(&people, &["age_years", "sex"]).unwrap();
        assert!(found.iter().all(|strata| strata.len() == 3));
        assert!(found[0][1] == found[1][1] && found[0][0] == found[2][0]);
        assert!(found[0][2] != found[1][2] && found[0][2] != found[2][2]);
    }

    #[test]
    fn a_name_that_nobody_has_is_refused_with_those_there_are() {
        let people = [subject(0, Some(1.0), Some("F"))];
        match strata(&people, &["age"]) {
            Err(DataError::Split(SplitProblem::UnknownStratum { name, known })) => {
                assert_eq!(name, "age");
                assert_eq!(known, ["age_years", "sex"]);
            }
            other => panic!("{:?}", other.err()),
        }
    }
}
