//! Sites: assignment of all subjects of a site to one fold.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;

use super::assign::assign;
use super::draw::Group;
use crate::error::{DataError, SplitProblem};
use crate::prepared::ScanRecord;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_studies::{SITE, SubjectRecord};

/// Assigns `groups` to folds with these shares, so that all groups of a site are in one fold.
///
/// # Errors
/// [`DataError::Split`] for a subject of unknown site, a group at two sites, or fewer sites than
/// folds.
pub(super) fn assign_sites(
    groups: Vec<Group>,
    scans: &[ScanRecord],
    subjects: &[SubjectRecord],
    shares: &[f64],
    rng: &mut (impl Rng + ?Sized),
) -> Result<Vec<Vec<Group>>, DataError> {
    let site_of: BTreeMap<&SubjectId, String> = (subjects.iter())
        .filter_map(|record| Some((&record.subject, record.word(SITE)?)))
        .collect();
    let subject_of: BTreeMap<&ScanId, &SubjectId> = scans
        .iter()
        .map(|record| (&record.scan, &record.subject))
        .collect();
    let members = |group: &Group| -> BTreeSet<&SubjectId> {
        group.scans.iter().map(|scan| subject_of[scan]).collect()
    };
    let all: BTreeSet<&SubjectId> = groups.iter().flat_map(members).collect();
    let unknown = all
        .iter()
        .filter(|subject| !site_of.contains_key(**subject));
    if let Some(subject) = unknown.clone().next() {
        return Err(DataError::Split(SplitProblem::UnknownSite {
            subject: (*subject).clone(),
            n_unknown: unknown.count(),
            n_subjects: all.len(),
        }));
    }
    let mut by_site: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
    for group in &groups {
        let members = members(group);
        let sites: BTreeSet<&str> = members.iter().map(|s| site_of[*s].as_str()).collect();
        let mut sites = sites.into_iter();
        match (sites.next(), sites.next(), members.first()) {
            (Some(site), None, _) => by_site.entry(site).or_default().push(group),
            (Some(first), Some(second), Some(subject)) => {
                let sites = [first, second].into_iter().chain(sites);
                return Err(DataError::Split(SplitProblem::FamilyAtSites {
                    subject: (*subject).clone(),
                    sites: sites.map(String::from).collect(),
                }));
            }
            // A group has scans.
            _ => {}
        }
    }
    if by_site.len() < shares.len() {
        return Err(DataError::Split(SplitProblem::TooFewForFolds {
            n_groups: by_site.len(),
            groups: "sites",
            folds: shares.len(),
        }));
    }
    let merged = by_site.values().map(|groups| Group {
        size: groups.iter().map(|group| group.size).sum(),
        strata: groups
            .iter()
            .flat_map(|group| group.strata.clone())
            .collect(),
        scans: groups
            .iter()
            .flat_map(|group| group.scans.clone())
            .collect(),
    });
    let folds = assign(merged.collect(), shares, rng);
    // The families of each fold's sites.
    let in_fold = |sites: Vec<Group>| -> Vec<Group> {
        let scans: BTreeSet<&ScanId> = sites.iter().flat_map(|site| &site.scans).collect();
        let own = |group: &&Group| group.scans.iter().any(|scan| scans.contains(scan));
        groups.iter().filter(own).cloned().collect()
    };
    Ok(folds.into_iter().map(in_fold).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{people, rng};
    use super::super::{FoldBy, FoldSpec, Split};
    use super::*;

    /// Families of two, of which some are at each of these sites.
    fn at_sites(families: &[&str]) -> (Vec<ScanRecord>, Vec<SubjectRecord>) {
        let family_of: Vec<usize> = (0..2 * families.len()).map(|i| i / 2 + 1).collect();
        let (scans, mut subjects) = people(&family_of, 2);
        for (i, subject) in subjects.iter_mut().enumerate() {
            let site = families[i / 2].to_owned();
            subject.categories.insert(SITE.into(), site);
        }
        (scans, subjects)
    }

    fn folds(
        folds: usize,
        (scans, subjects): &(Vec<ScanRecord>, Vec<SubjectRecord>),
        seed: u64,
    ) -> Result<Vec<Split>, DataError> {
        let spec = FoldSpec {
            folds,
            validation_fraction: 0.2,
            by: FoldBy::Site,
            ..FoldSpec::default()
        };
        spec.draw_from(scans, subjects, &mut rng(seed))
    }

    fn sites_of(
        people: &(Vec<ScanRecord>, Vec<SubjectRecord>),
        set: &[ScanId],
    ) -> BTreeSet<String> {
        let (scans, subjects) = people;
        let of = scans.iter().filter(|record| set.contains(&record.scan));
        let own = of.filter_map(|record| {
            let found = subjects.iter().find(|s| s.subject == record.subject);
            found?.word(SITE)
        });
        own.collect()
    }

    #[test]
    fn every_site_is_tested_once_and_never_where_it_trains_or_decides() {
        let sites: Vec<&str> = (0..20).map(|i| ["A", "B", "B", "C", "D"][i % 5]).collect();
        let people = at_sites(&sites);
        for seed in 0..5 {
            for n_folds in [2, 3, 4] {
                let folds = folds(n_folds, &people, seed).unwrap();
                let mut tested = Vec::new();
                for fold in &folds {
                    let [train, validation, test] =
                        [&fold.train, &fold.validation, &fold.test].map(|s| sites_of(&people, s));
                    assert!(train.is_disjoint(&test) && validation.is_disjoint(&test));
                    assert!(!fold.validation.is_empty());
                    tested.extend(test);
                }
                tested.sort();
                assert_eq!(tested, ["A", "B", "C", "D"]);
                // Two halves of 40 subjects: B has 16 of them.
                if n_folds == 2 {
                    assert!(
                        folds
                            .iter()
                            .all(|fold| (32..=48).contains(&fold.test.len()))
                    );
                }
            }
        }
    }

    #[test]
    fn sites_that_cannot_be_left_out_are_refused() {
        let refused = |n_folds: usize, people: &_| match folds(n_folds, people, 1) {
            Err(DataError::Split(problem)) => problem,
            other => panic!("{other:?}"),
        };
        let mut people = at_sites(&["A", "B", "A", "B"]);
        assert_eq!(
            refused(3, &people),
            SplitProblem::TooFewForFolds {
                n_groups: 2,
                groups: "sites",
                folds: 3
            }
        );
        people.1[3].categories.insert(SITE.into(), "A".into());
        assert!(matches!(
            refused(2, &people),
            SplitProblem::FamilyAtSites { sites, .. } if sites == ["A", "B"]
        ));
        people.1[5].categories.clear();
        assert!(matches!(
            refused(2, &people),
            SplitProblem::UnknownSite { subject, n_unknown: 1, n_subjects: 8 }
                if subject.as_str() == "5"
        ));
    }

    #[test]
    fn numbers_of_sites_are_sites_too() {
        let mut people = at_sites(&["A", "B", "A", "B"]);
        for subject in &mut people.1 {
            let site = subject.categories.remove(SITE).unwrap();
            let number = if site == "A" { 1.0 } else { 2.0 };
            subject.targets.insert(SITE.into(), number);
        }
        let folds = folds(2, &people, 1).unwrap();
        let tested = sites_of(&people, &folds[0].test);
        assert!(
            tested.len() == 1
                && !sites_of(&people, &folds[1].test).contains(tested.first().unwrap())
        );
    }
}
