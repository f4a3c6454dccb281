//! Planted data: preparation by the same rules as real data, and recovery of the truth.

use std::ops::ControlFlow;

use brainmae_data::error::Occupant;
use brainmae_data::pipeline::quiet;
use brainmae_data::{
    BoldSeries, DataError, PrepareOptions, PreparedDataset, ScanRecord, SplitSpec, SplitUnit, Step,
    find_duplicates,
};
use brainmae_simulate::{PlantedSpec, PlantedTargets, SimulateError, prepare_planted};
use rand::RngExt;
use rand_distr::StandardNormal;

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
    let report = prepare_planted(&spec(), &out, &streams, &OPTIONS, &mut quiet).unwrap();
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
    let seconds = |scan: &ScanRecord, condition: &str| -> f64 {
        (dataset.events().iter())
            .filter(|event| event.scan == scan.scan && event.condition.starts_with(condition))
            .map(|event| event.duration_secs)
            .sum()
    };
    for subject in dataset.subjects() {
        let scans = || (dataset.scans().iter()).filter(|scan| scan.subject == subject.subject);
        assert!(scans().all(|scan| (seconds(scan, "state-") - 300.0).abs() < 1e-6));
        let in_state_0: f64 = scans().map(|scan| seconds(scan, "state-0")).sum();
        let share = subject.targets["state_0_fraction"];
        assert!((share - in_state_0 / 600.0).abs() < 1e-9, "{share}");
        assert!((17.0..=83.0).contains(&subject.targets["age_years"]));
    }

    let split = SplitSpec::default()
        .draw(&dataset, &mut *streams(1, "split"))
        .unwrap();
    split.check(&dataset).unwrap();
    assert_eq!(split.unit, SplitUnit::Subject);

    let again = prepare_planted(&spec(), &out, &streams, &OPTIONS, &mut quiet).unwrap();
    assert!(again.up_to_date);
    let other = PlantedSpec { seed: 1, ..spec() };
    let occupied = prepare_planted(&other, &out, &streams, &OPTIONS, &mut quiet);
    let occupant = Occupant::Other {
        name: "planted".into(),
    };
    assert!(matches!(
        occupied,
        Err(SimulateError::Data(DataError::Occupied { by, .. })) if by == occupant
    ));
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
    let spec = with_targets();
    prepare_planted(&spec, &out, &streams, &OPTIONS, &mut quiet).unwrap();
    let dataset = PreparedDataset::open(&out).unwrap();
    let n_subjects = dataset.subjects().len();
    let of_scans = |value: &dyn Fn(&ScanRecord) -> f64| -> Vec<f64> {
        (dataset.subjects().iter())
            .map(|subject| {
                let scans = dataset.scans().iter();
                let own: Vec<f64> = scans
                    .filter(|scan| scan.subject == subject.subject)
                    .map(value)
                    .collect();
                own.iter().sum::<f64>() / own.len() as f64
            })
            .collect()
    };
    let normals = |n: usize, name: &str| -> Vec<f64> {
        let mut rng = streams(spec.seed, name);
        (0..n).map(|_| rng.sample(StandardNormal)).collect()
    };

    // The formulas in the head of `targets.rs`, from the written signals and events.
    let n_pairs = spec.n_rois() * (spec.n_rois() - 1) / 2;
    let weights = normals(n_pairs, "planted/fc-weights");
    let seen = standardised(of_scans(&|scan| {
        let z = fisher_z(&dataset.bold(&scan.scan).unwrap());
        z.iter().zip(&weights).map(|(z, weight)| z * weight).sum()
    }));
    let fc: Vec<f64> = (seen.iter().zip(normals(n_subjects, "planted/fc-noise")))
        .map(|(seen, unseen)| 0.8f64.sqrt() * seen + 0.2f64.sqrt() * unseen)
        .collect();
    // 3 rounds have 3 intervals of each state, and one state has a fourth if the scan begins within
    // an interval.
    let dwell = standardised(of_scans(&|scan| {
        let events = dataset.events().iter();
        let stays = events.filter(|event| event.scan == scan.scan).count();
        -((stays / spec.n_states) as f64).ln()
    }));
    for (score, expected) in [
        ("fc_score", fc),
        ("dwell_score", dwell),
        ("null_score", normals(n_subjects, "planted/null-score")),
    ] {
        for (subject, expected) in dataset.subjects().iter().zip(expected) {
            let found = subject.targets[score];
            assert!(
                (found - expected).abs() < 1e-6,
                "{score}: {found}, {expected}"
            );
        }
    }
    for subject in dataset.subjects() {
        let class = &subject.categories["null_class"];
        assert!(["heads", "tails"].contains(&class.as_str()), "{class}");
        assert!((subject.targets["state_0_fraction"] - 1.0 / 3.0).abs() < 1e-9);
    }
}

/// Fisher's z of the correlations of all pairs of ROIs.
fn fisher_z(series: &BoldSeries) -> Vec<f64> {
    let courses: Vec<Vec<f64>> = (0..series.n_rois())
        .map(|roi| {
            let course = (0..series.n_volumes()).map(|volume| series.row(volume)[roi]);
            standardised(course.map(f64::from).collect())
        })
        .collect();
    let mut z = Vec::new();
    for (at, first) in courses.iter().enumerate() {
        for second in &courses[at + 1..] {
            let sum: f64 = first.iter().zip(second).map(|(a, b)| a * b).sum();
            z.push((sum / series.n_volumes() as f64).atanh());
        }
    }
    z
}

/// The values with mean 0 and variance 1.
fn standardised(values: Vec<f64>) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    values.iter().map(|x| (x - mean) / sd).collect()
}

#[test]
fn interrupted_planting_ends_as_if_it_had_not_been() {
    // Targets are computed from signals, also from those of resumed scans.
    for spec in [spec(), with_targets()] {
        interrupt(&spec);
    }
}

fn interrupt(spec: &PlantedSpec) {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let expected = prepare_planted(spec, &whole, &streams, &OPTIONS, &mut quiet).unwrap();
    let stopped = prepare_planted(spec, &killed, &streams, &OPTIONS, &mut |progress| match (
        progress.step,
        progress.done,
    ) {
        (Step::Scan, 9) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(stopped.unwrap_err().is_interrupted() && !killed.exists());
    // The remaining scans are drawn on several threads, which does not change them.
    let options = PrepareOptions {
        threads: 4,
        ..OPTIONS
    };
    let report = prepare_planted(spec, &killed, &streams, &options, &mut quiet).unwrap();
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
    prepare_planted(&spec, &place, &streams, &OPTIONS, &mut quiet).unwrap();
    let dataset = PreparedDataset::open(&place).unwrap();
    let mut calls = Vec::new();
    let found = find_duplicates(&dataset, |done, total| {
        calls.push((done, total));
        ControlFlow::Continue(())
    });
    let found = found.unwrap();
    assert_eq!(found, []);
    assert_eq!(calls.len(), 20);
    assert_eq!(calls[19], (20, 20));
    let stopped = find_duplicates(&dataset, |_, _| ControlFlow::Break(()));
    assert!(stopped.unwrap_err().is_interrupted());
}
