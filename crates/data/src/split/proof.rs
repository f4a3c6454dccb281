//! Proof that no subject, no family and no signal is in two sets of a split.

use std::collections::{BTreeMap, BTreeSet};

use super::{SETS, Split, SplitUnit};
use crate::duplicates::Duplicate;
use crate::error::DataError;
use crate::prepared::{PreparedDataset, ScanRecord};
use brainmae_files::id::ScanId;
use brainmae_studies::SubjectRecord;

/// Number of subjects, families and scans in one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetCount {
    /// `train`, `validation` or `test`.
    pub set: &'static str,
    /// Number of subjects.
    pub subjects: usize,
    /// Number of families; a subject of unknown family counts as one.
    pub families: usize,
    /// Number of scans.
    pub scans: usize,
}

/// Result of the check of a split: no subject, no known family and no signal is in two sets.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitProof {
    /// Unit that stays together.
    pub unit: SplitUnit,
    /// Training, validation and test set.
    pub sets: Vec<SetCount>,
    /// Pairs of scans in the same set with the same signal: not a leak, but they count twice.
    pub duplicates: Vec<Duplicate>,
    /// Warnings for readers of the results, as sentences.
    pub warnings: Vec<String>,
}

/// Checks that every scan of `split` is in `dataset`, and that no subject, no family and no signal
/// is in two sets. `duplicates` is the result of
/// [`find_duplicates`](crate::duplicates::find_duplicates) for the data set.
///
/// # Errors
/// As [`Split::check`], and [`DataError::SharedSignal`] for two scans of one signal in two sets.
pub fn check_split(
    dataset: &PreparedDataset,
    split: &Split,
    duplicates: &[Duplicate],
) -> Result<SplitProof, DataError> {
    prove(dataset.scans(), dataset.subjects(), split, duplicates)
}

fn prove(
    scans: &[ScanRecord],
    subjects: &[SubjectRecord],
    split: &Split,
    duplicates: &[Duplicate],
) -> Result<SplitProof, DataError> {
    split.check_records(scans, subjects)?;
    let set_of: BTreeMap<&ScanId, &'static str> = split
        .sets()
        .into_iter()
        .zip(SETS)
        .flat_map(|(scans, set)| scans.iter().map(move |scan| (scan, set)))
        .collect();
    let mut within = Vec::new();
    for duplicate in duplicates {
        let sets = [&duplicate.first, &duplicate.second].map(|scan| set_of.get(scan).copied());
        if let [Some(first_set), Some(second_set)] = sets {
            if first_set != second_set {
                return Err(DataError::SharedSignal {
                    first: duplicate.first.clone(),
                    first_set,
                    second: duplicate.second.clone(),
                    second_set,
                    likeness: Box::new(duplicate.likeness),
                });
            }
            within.push(duplicate.clone());
        }
    }
    let mut warnings: Vec<String> = family_warning(scans, subjects, split.unit)
        .into_iter()
        .collect();
    if !within.is_empty() {
        warnings.push(format!(
            "{} pairs of scans in one set hold the same signal: they count twice",
            within.len()
        ));
    }
    Ok(SplitProof {
        unit: split.unit,
        sets: split.counts(scans, subjects),
        duplicates: within,
        warnings,
    })
}

/// A warning if families are not known, so that relatives cannot be kept together.
fn family_warning(
    scans: &[ScanRecord],
    subjects: &[SubjectRecord],
    unit: SplitUnit,
) -> Option<String> {
    if unit == SplitUnit::Scan {
        return None;
    }
    let used: BTreeSet<_> = scans
        .iter()
        .filter(|scan| scan.is_included())
        .map(|scan| &scan.subject)
        .collect();
    let known = subjects
        .iter()
        .filter(|record| record.family.is_some() && used.contains(&record.subject))
        .count();
    match known {
        0 => Some("no families are known: splits are not family-safe".into()),
        known if known < used.len() => Some(format!(
            "the families of {known} of {} subjects are known: splits are not family-safe for the others",
            used.len()
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duplicates::Likeness;
    use crate::split::SplitSpec;
    use crate::split::tests::{people, rng};

    fn duplicate(first: &ScanId, second: &ScanId) -> Duplicate {
        Duplicate {
            first: first.clone(),
            second: second.clone(),
            likeness: Likeness::Same,
        }
    }

    #[test]
    fn a_signal_in_two_sets_is_an_error_that_names_both_scans() {
        let (scans, subjects) = people(&[1, 1, 2, 2, 3, 3, 4, 4, 5, 5], 1);
        let split = SplitSpec::default()
            .draw_from(&scans, &subjects, &mut rng(1))
            .unwrap();
        let [train, test] = [&split.train, &split.test];
        let across = duplicate(&train[0], &test[0]);
        match prove(&scans, &subjects, &split, &[across]) {
            Err(DataError::SharedSignal {
                first,
                first_set,
                second,
                second_set,
                ..
            }) => {
                let mut found = [(&first, first_set), (&second, second_set)];
                found.sort_by_key(|(_, set)| *set);
                assert_eq!(found, [(&test[0], "test"), (&train[0], "train")]);
            }
            other => panic!("{other:?}"),
        }

        let inside = duplicate(&train[0], &train[1]);
        let proof = prove(&scans, &subjects, &split, std::slice::from_ref(&inside)).unwrap();
        assert_eq!(proof.duplicates, [inside]);
        assert_eq!(proof.warnings.len(), 1);
        let sizes: Vec<_> = proof
            .sets
            .iter()
            .map(|s| (s.subjects, s.families))
            .collect();
        assert_eq!(sizes.iter().map(|s| s.0).sum::<usize>(), 10);
        assert_eq!(sizes.iter().map(|s| s.1).sum::<usize>(), 5);
    }

    #[test]
    fn unknown_families_are_warned_of() {
        for (families, word) in [
            (
                vec![0; 10],
                Some("no families are known: splits are not family-safe"),
            ),
            (
                vec![1, 2, 3, 4, 5, 6, 7, 8, 0, 0],
                Some("of 8 of 10 subjects"),
            ),
            ((1..11).collect(), None),
        ] {
            let (scans, subjects) = people(&families, 1);
            let split = SplitSpec::default()
                .draw_from(&scans, &subjects, &mut rng(1))
                .unwrap();
            let warnings = prove(&scans, &subjects, &split, &[]).unwrap().warnings;
            assert_eq!(warnings.len(), usize::from(word.is_some()));
            assert!(
                word.is_none_or(|word| warnings[0].contains(word)),
                "{warnings:?}"
            );
        }
    }
}
