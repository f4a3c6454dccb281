use std::sync::Arc;

use brainmae_data::BoldSeries;
use brainmae_run::Seeds;
use burn::tensor::Device;
use rand::RngExt;

use super::*;
use crate::features::{Fc, FcLog, MeanSignal, Tangent};
use crate::linear::LinearLearner;
use crate::{Example, Fits, Kind, Learner, Scan};

const N_ROIS: usize = 4;
const N_VOLUMES: usize = 12;
const N_SCANS: usize = 10;
/// The first scans are the training set.
const TRAINING: [usize; 6] = [0, 1, 2, 3, 4, 5];
const TEST: [usize; 4] = [6, 7, 8, 9];

const BOTH: LinearSpec = LinearSpec {
    harmonise: None,
    regress_confounds: true,
    pca: Some(3),
};

fn problem() -> Problem {
    Problem {
        target: "age".into(),
        of_subjects: false,
        kind: Kind::Regression,
        n_rois: N_ROIS,
        dt_secs: 1.0,
        segment_len_trs: 2,
        confounds: vec!["motion".into(), "sex".into()],
        seeds: Seeds::new(1),
        device: Device::flex(),
        fits: Fits::default(),
    }
}

fn scan(number: usize, signals: Vec<f32>, confounds: Vec<Option<f64>>) -> Scan {
    Scan {
        scan: format!("scan-{number}").as_str().into(),
        subject: format!("subject-{number}").as_str().into(),
        unit: format!("subject {number}"),
        series: Arc::new(BoldSeries::new(signals, N_ROIS, 1.0).expect("finite")),
        confounds,
        site: None,
        computed: Default::default(),
    }
}

/// Random signals and confounds; one confound is missing in either set.
fn scans() -> Vec<Scan> {
    let rng = &mut Seeds::new(3).stream("scans");
    (0..N_SCANS)
        .map(|number| {
            let signals = (0..N_VOLUMES * N_ROIS).map(|_| rng.random_range(-1.0..1.0));
            let signals = signals.collect();
            let motion = (number % 5 != 2).then(|| rng.random_range(0.0..1.0));
            scan(number, signals, vec![motion, Some((number % 2) as f64)])
        })
        .collect()
}

fn examples<'a>(scans: &'a [Scan], numbers: &[usize]) -> Examples<'a> {
    let whole = |scan: &usize| Example {
        scan: *scan,
        start_volume: 0,
        n_volumes: N_VOLUMES,
    };
    Examples {
        scans,
        list: numbers.iter().map(whole).collect(),
    }
}

fn labelled<'a>(scans: &'a [Scan], numbers: &[usize]) -> Labelled<'a> {
    Labelled {
        examples: examples(scans, numbers),
        truth: numbers.iter().map(|number| *number as f64).collect(),
    }
}

/// Features of the training set, with the fit on it, and those of other examples.
fn sets(scans: &[Scan], features: &dyn Features, of: &[usize]) -> [DMatrix<f64>; 2] {
    let training = labelled(scans, &TRAINING);
    let fitted = BOTH.fit(features, &problem(), &training);
    let (prepared, x) = fitted.expect("there are features");
    let others = prepared.of(&problem(), &examples(scans, of));
    [x, others.expect("there are features")]
}

const SIGNALS: [&dyn Features; 4] = [&Fc, &FcLog, &Tangent, &MeanSignal];

#[test]
fn the_other_sets_change_nothing_of_what_is_learned() {
    let scans = scans();
    let mut others_changed = scans.clone();
    for number in TEST {
        let signals = (0..N_VOLUMES * N_ROIS).map(|i| ((i * i + number) % 7) as f32);
        others_changed[number] = scan(number, signals.collect(), vec![Some(50.0), None]);
    }
    let mut one_changed = scans.clone();
    one_changed[0].confounds[0] = Some(5.0);
    for features in SIGNALS {
        let name = features.name();
        let [x, again] = sets(&scans, features, &TRAINING);
        assert_eq!(x, again, "{name}");
        // Ledoit and Wolf shrink some of these scans of noise to the identity, and so to one row.
        let components = if name == "tangent" { 2 } else { 3 };
        assert_eq!(x.shape(), (6, components), "{name}");
        let [changed, _] = sets(&others_changed, features, &TEST);
        assert_eq!(x, changed, "{name}");
        let [changed, _] = sets(&one_changed, features, &TEST);
        assert!((x - changed).amax() > 1e-3, "{name}");
    }
}

#[test]
fn a_row_does_not_depend_on_those_beside_it() {
    let scans = scans();
    for features in SIGNALS {
        let [_, together] = sets(&scans, features, &TEST);
        for (row, number) in TEST.iter().enumerate() {
            let [_, alone] = sets(&scans, features, &[*number]);
            let apart = (together.row(row) - alone.row(0)).amax();
            assert!(apart < 1e-12, "{}: {apart}", features.name());
        }
    }
}

#[test]
fn nothing_is_done_unless_it_is_asked_for() {
    let scans = scans();
    let training = labelled(&scans, &TRAINING);
    let (_, x) = (LinearSpec::default())
        .fit(&Fc, &problem(), &training)
        .expect("there are features");
    let plain = Fc.fit(&problem(), &training);
    let plain = rows(&*plain, &problem(), &training.examples);
    assert_eq!(x, plain.expect("there are features"));
}

#[test]
fn a_target_that_signals_tell_through_motion_alone_is_told_no_more() {
    // The mean of each ROI is a linear function of motion, and motion is the target.
    let scans: Vec<Scan> = (0..N_SCANS)
        .map(|number| {
            let motion = number as f64;
            let signals = (0..N_VOLUMES * N_ROIS)
                .map(|i| (i % N_ROIS) as f32 + 3.0 - 2.0 * number as f32)
                .collect();
            scan(number, signals, vec![Some(motion), Some(0.0)])
        })
        .collect();
    let [training, validation] = [labelled(&scans, &TRAINING), labelled(&scans, &[6, 7])];
    let predict = |spec: LinearSpec| -> Vec<f64> {
        let learner = LinearLearner::new("mean signal + ridge", Arc::new(MeanSignal), spec);
        let fitted = learner.fit(&problem(), &training, &validation);
        let fitted = fitted.expect("there is something to learn from");
        let output = fitted.predict(&examples(&scans, &[8, 9]));
        let output = output.expect("there are features");
        output.rows().map(|row| row[0]).collect()
    };
    let plain = predict(LinearSpec::default());
    for (found, expected) in plain.iter().zip([8.0, 9.0]) {
        assert!((found - expected).abs() < 0.1, "{plain:?}");
    }
    // The mean of training and validation set, 0 to 7.
    let without = predict(LinearSpec {
        regress_confounds: true,
        ..LinearSpec::default()
    });
    assert!(
        without.iter().all(|x| (x - 3.5).abs() < 1e-9),
        "{without:?}"
    );
}

#[test]
fn no_components_at_all_are_refused() {
    let check = |pca| {
        LinearSpec {
            pca,
            ..LinearSpec::default()
        }
        .check()
    };
    assert!(check(None).is_ok() && check(Some(1)).is_ok());
    let error = check(Some(0)).expect_err("nothing would be left");
    assert!(
        matches!(&error, DownstreamError::Config { field, found, .. } if field == "pca" && found == "0"),
        "{error}"
    );
}
