//! Partitions of the scans into folds: that of the experiment, and further ones for linear models.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use brainmae_data::{FoldSpec, ScanId};
use brainmae_run::Seeds;
use rand::Rng;

use crate::stage::Scans;

/// Stream of random numbers of partitions.
const STREAM: &str = "folds";

/// The same scans with the split of each fold of the experiment.
///
/// # Errors
/// If the folds cannot be drawn.
pub fn folds(spec: &FoldSpec, split_seed: u64, scans: &Scans) -> Result<Vec<Scans>> {
    draw(spec, scans, &mut Seeds::new(split_seed).stream(STREAM))
}

/// The same for each of `repeats` further partitions, by the same rules as `folds`. No two of all
/// these partitions have the same test sets.
///
/// # Errors
/// If the folds cannot be drawn, or if a partition has the test sets of an earlier one.
pub fn further(
    spec: &FoldSpec,
    repeats: u32,
    split_seed: u64,
    scans: &Scans,
    folds: &[Scans],
) -> Result<Vec<Vec<Scans>>> {
    let mut known = BTreeMap::from([(test_sets(folds), 0)]);
    let mut further = Vec::new();
    for repeat in 1..=repeats {
        let rng = &mut Seeds::new(split_seed).stream_at(STREAM, &[u64::from(repeat)]);
        let drawn = draw(spec, scans, rng)?;
        if let Some(first) = known.insert(test_sets(&drawn), repeat) {
            let first = match first {
                0 => "the folds of the experiment".to_string(),
                first => format!("repeat {first}"),
            };
            bail!(
                "downstream.repeats is {repeats}, but repeat {repeat} has the same test sets as {first}, expected other ones\nhint: there is one partition with as many folds as sites, families or scans, and with nearly as many there are few: leave downstream.repeats out, or lower downstream.folds.folds ({})",
                spec.folds
            );
        }
        further.push(drawn);
    }
    Ok(further)
}

/// Draws one partition, and checks that no subject and no family is in two sets of a fold.
fn draw(spec: &FoldSpec, scans: &Scans, rng: &mut impl Rng) -> Result<Vec<Scans>> {
    let splits = spec.draw(&scans.dataset, rng)?;
    for split in &splits {
        split.check(&scans.dataset)?;
    }
    let splits = splits.into_iter();
    Ok(splits.map(|split| scans.with_split(split)).collect())
}

/// Test sets of a partition, whatever the order of the folds.
fn test_sets(folds: &[Scans]) -> BTreeSet<Vec<ScanId>> {
    folds.iter().map(|fold| fold.split.test.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use brainmae_data::{PreparedDataset, SegmentSpec, SplitSpec};
    use brainmae_simulate::{PlantedSpec, planted_dataset};

    use super::*;

    /// Twelve subjects in families of two.
    fn scans() -> Scans {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let spec = PlantedSpec {
            n_subjects: 12,
            family_size: 2,
            scans_per_subject: 1,
            n_networks: 2,
            rois_per_network: 2,
            n_volumes: 40,
            ..PlantedSpec::default()
        };
        let streams =
            |seed, name: &str| -> Box<dyn Rng> { Box::new(Seeds::new(seed).stream(name)) };
        let path = folder.path().join("planted");
        let dataset: PreparedDataset = planted_dataset(&spec, &path, &streams).expect("a data set");
        let split = SplitSpec::default();
        let split = split.draw(&dataset, &mut Seeds::new(1).stream("split"));
        let layout = SegmentSpec::default().layout(dataset.dt_secs());
        Scans {
            split: split.expect("twelve subjects"),
            layout: layout.expect("a layout"),
            dataset: Arc::new(dataset),
        }
    }

    fn spec(folds: usize) -> FoldSpec {
        FoldSpec {
            folds,
            validation_fraction: 0.2,
            ..FoldSpec::default()
        }
    }

    #[test]
    fn partitions_differ_and_families_stay_together() {
        let (scans, spec) = (scans(), spec(3));
        let folds = folds(&spec, 7, &scans).expect("six families");
        let repeated = further(&spec, 3, 7, &scans, &folds).expect("other partitions");
        let again = further(&spec, 2, 7, &scans, &folds).expect("other partitions");
        let sets = |repeats: &[Vec<Scans>]| -> Vec<_> {
            repeats.iter().map(|folds| test_sets(folds)).collect()
        };
        // A repeat depends on its number, and not on how many there are.
        assert_eq!(sets(&again), sets(&repeated)[..2]);
        let mut all = sets(&repeated);
        all.push(test_sets(&folds));
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 4);
        let family_of: BTreeMap<&ScanId, Option<&String>> = (scans.dataset.scans().iter())
            .map(|scan| {
                let mut subjects = scans.dataset.subjects().iter();
                let subject = subjects.find(|subject| subject.subject == scan.subject);
                (
                    &scan.scan,
                    subject.and_then(|subject| subject.family.as_ref()),
                )
            })
            .collect();
        for sets in &all {
            let tested = sets.iter().flatten();
            assert_eq!(
                tested.collect::<BTreeSet<_>>().len(),
                12,
                "each subject once"
            );
            for set in sets {
                let families: BTreeSet<_> = set.iter().map(|scan| family_of[scan]).collect();
                assert!(!families.contains(&None));
                assert_eq!(2 * families.len(), set.len(), "whole families: {set:?}");
            }
        }
    }

    #[test]
    fn the_only_partition_is_not_repeated() {
        let (scans, spec) = (scans(), spec(6));
        let folds = folds(&spec, 7, &scans).expect("six families");
        assert!(
            further(&spec, 0, 7, &scans, &folds)
                .expect("none")
                .is_empty()
        );
        let refused = further(&spec, 10, 7, &scans, &folds);
        let refused = refused.err().expect("six families in six folds");
        insta::assert_snapshot!(refused, @r"
        downstream.repeats is 10, but repeat 1 has the same test sets as the folds of the experiment, expected other ones
        hint: there is one partition with as many folds as sites, families or scans, and with nearly as many there are few: leave downstream.repeats out, or lower downstream.folds.folds (6)
        ");
    }
}
