//! Planted data: the same rules as for real ones, and a truth that can be found again.

use std::collections::{BTreeMap, BTreeSet};

use brainmae_data::{PreparedDataset, SplitSpec, SplitUnit, Step, find_duplicates};
use brainmae_simulate::{PlantedSpec, PlantedTargets, prepare_planted};

use crate::common::{OPTIONS, streams};

fn spec() -> PlantedSpec {
    PlantedSpec {
        n_subjects: 12,
        n_volumes: 200,
        n_networks: 3,
        rois_per_network: 4,
        ..PlantedSpec::default()
    }
}

#[test]
fn a_planted_data_set_is_a_prepared_one() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("planted");
    let report = prepare_planted(&spec(), &out, &OPTIONS, &mut |_| {}).unwrap();
    assert_eq!((report.included, report.n_rois), (24, 12));

    let dataset = PreparedDataset::open(&out).unwrap();
    dataset.verify().unwrap();
    assert!(out.join("truth.parquet").is_file());
    assert_eq!(
        dataset.atlas().rois[4].network.as_deref(),
        Some("network-2")
    );
    assert!(
        dataset
            .events()
            .iter()
            .any(|event| event.condition == "state-2")
    );

    // States cover every scan, and their share is the target.
    let mut seconds: BTreeMap<_, f64> = BTreeMap::new();
    for event in dataset.events() {
        *seconds.entry(&event.scan).or_default() += event.duration_secs;
    }
    assert!(seconds.values().all(|total| (total - 300.0).abs() < 1e-6));
    for subject in dataset.subjects() {
        assert!((0.0..=1.0).contains(&subject.targets["state_0_fraction"]));
        assert!((17.0..=83.0).contains(&subject.targets["age_years"]));
    }

    let split = SplitSpec::default()
        .draw(&dataset, &mut *streams(1, "split"))
        .unwrap();
    split.check(&dataset).unwrap();
    assert_eq!(split.unit, SplitUnit::Subject);

    let again = prepare_planted(&spec(), &out, &OPTIONS, &mut |_| {}).unwrap();
    assert!(again.up_to_date);
    let other = PlantedSpec { seed: 1, ..spec() };
    prepare_planted(&other, &out, &OPTIONS, &mut |_| {}).unwrap_err();
}

fn with_targets() -> PlantedSpec {
    PlantedSpec {
        n_volumes: 198,
        ar1: 0.0,
        age_effect: 0.0,
        targets: Some(PlantedTargets::default()),
        ..spec()
    }
}

#[test]
fn targets_whose_answer_is_known_are_columns() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("planted");
    prepare_planted(&with_targets(), &out, &OPTIONS, &mut |_| {}).unwrap();
    let dataset = PreparedDataset::open(&out).unwrap();
    for score in ["fc_score", "dwell_score", "null_score"] {
        let values = dataset
            .subjects()
            .iter()
            .map(|subject| subject.targets[score]);
        let different: BTreeSet<u64> = values.map(f64::to_bits).collect();
        assert!(different.len() > 4, "{score}");
    }
    for subject in dataset.subjects() {
        let class = &subject.categories["null_class"];
        assert!(["heads", "tails"].contains(&class.as_str()), "{class}");
        assert!((subject.targets["state_0_fraction"] - 1.0 / 3.0).abs() < 1e-9);
    }
}

#[test]
fn interrupted_planting_ends_as_if_it_had_not_been() {
    // Targets are read from signals, those of finished scans too.
    for spec in [spec(), with_targets()] {
        interrupt(&spec);
    }
}

fn interrupt(spec: &PlantedSpec) {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let expected = prepare_planted(spec, &whole, &OPTIONS, &mut |_| {}).unwrap();
    let stopped = std::panic::catch_unwind(|| {
        prepare_planted(spec, &killed, &OPTIONS, &mut |progress| {
            assert!(
                progress.step != Step::Scan || progress.done < 9,
                "killed, as this test wants it"
            );
        })
    });
    assert!(stopped.is_err() && !killed.exists());
    let report = prepare_planted(spec, &killed, &OPTIONS, &mut |_| {}).unwrap();
    assert_eq!(report.resumed, 9);
    assert_eq!(report.content_hash, expected.content_hash);
}

#[test]
fn planted_scans_are_no_duplicates_of_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let spec = PlantedSpec {
        n_subjects: 10,
        n_volumes: 200,
        ..PlantedSpec::default()
    };
    let place = folder.path().join("planted");
    prepare_planted(&spec, &place, &OPTIONS, &mut |_| {}).unwrap();
    let dataset = PreparedDataset::open(&place).unwrap();
    let mut calls = Vec::new();
    let found = find_duplicates(&dataset, |done, total| calls.push((done, total))).unwrap();
    assert_eq!(found, []);
    assert_eq!(calls.len(), 20);
    assert_eq!(calls[19], (20, 20));
}
