use std::sync::Arc;

use brainmae_data::BoldSeries;
use brainmae_run::Seeds;
use burn::tensor::Device;

use super::*;
use crate::{Example, Fits, Kind, Scan};

const N_ROIS: usize = 3;
const VOLUMES: usize = 12;

fn problem() -> Problem {
    Problem {
        target: "age".into(),
        of_subjects: false,
        kind: Kind::Regression,
        n_rois: N_ROIS,
        dt_secs: 1.0,
        segment_len_trs: 2,
        confounds: vec![],
        seeds: Seeds::new(1),
        device: Device::flex(),
        fits: Fits::default(),
    }
}

/// Twelve volumes; the fifth is censored and has the value `wild`.
fn scan(number: usize, wild: f32) -> Scan {
    let mut values: Vec<f32> = (0..VOLUMES * N_ROIS)
        .map(|i| ((i * i * (number + 3)) % 11) as f32)
        .collect();
    values[4 * N_ROIS..5 * N_ROIS].fill(wild);
    let series = BoldSeries::new(values, N_ROIS, 1.0).expect("finite");
    let kept = (0..VOLUMES).map(|volume| volume != 4).collect();
    Scan {
        scan: format!("scan-{number}").as_str().into(),
        subject: "subject".into(),
        unit: "subject".into(),
        series: Arc::new(series.with_kept(kept).expect("as many as volumes")),
        confounds: vec![],
        site: None,
        computed: Default::default(),
    }
}

fn features(features: &dyn Features, wild: f32) -> DMatrix<f64> {
    let scans: Vec<Scan> = (0..3).map(|number| scan(number, wild)).collect();
    let list = (0..3)
        .map(|scan| Example {
            scan,
            start_volume: 0,
            n_volumes: VOLUMES,
        })
        .collect();
    let training = Labelled {
        examples: Examples {
            scans: &scans,
            list,
        },
        truth: vec![1.0, 2.0, 3.0],
    };
    of_training(features, &training).expect("there are features")
}

fn of_training(
    features: &dyn Features,
    training: &Labelled,
) -> Result<DMatrix<f64>, DownstreamError> {
    let fitted = features.fit(&problem(), training);
    rows(&*fitted, &problem(), &training.examples)
}

#[test]
fn a_censored_volume_changes_nothing() {
    let kinds: [&dyn Features; 5] = [&Autocorrelation, &Fc, &FcLog, &Tangent, &MeanSignal];
    for kind in kinds {
        let (name, quiet) = (kind.name(), features(kind, 0.0));
        assert!(quiet.amax() > 0.1, "{name} says nothing");
        assert_eq!(quiet, features(kind, 1e6), "{name}");
    }
}

/// Features that are wrong for the second scan.
struct Wrong(&'static [f32]);

impl Features for Wrong {
    fn name(&self) -> &str {
        "wrong"
    }

    fn fit(&self, _problem: &Problem, _training: &Labelled) -> Box<dyn FittedFeatures> {
        Box::new(Self(self.0))
    }
}

impl FittedFeatures for Wrong {
    fn row(&self, scan: &Scan, _example: Example) -> Vec<f32> {
        match scan.scan.to_string().as_str() {
            "scan-1" => self.0.to_vec(),
            _ => vec![1.0, 2.0],
        }
    }
}

#[test]
fn the_place_of_whole_scans_says_nothing() {
    let rows = features(&Time, 0.0);
    assert_eq!(rows.row(0), rows.row(2));
}

#[test]
fn rows_that_no_model_can_use_are_refused() {
    let scans: Vec<Scan> = (0..3).map(|number| scan(number, 0.0)).collect();
    let list = (0..3).map(|scan| Example {
        scan,
        start_volume: 0,
        n_volumes: VOLUMES,
    });
    let training = Labelled {
        examples: Examples {
            scans: &scans,
            list: list.collect(),
        },
        truth: vec![1.0, 2.0, 3.0],
    };
    let refused = |row| match of_training(&Wrong(row), &training) {
        Err(DownstreamError::Fit { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    };
    let texts = [refused(&[1.0]), refused(&[1.0, f32::NAN])].map(|reason| reason.to_string());
    insta::assert_snapshot!(texts.join("\n"), @r"
    scan-1 has 1 features, the first scan has 2
    feature 1 of scan-1, counted from 0, is NaN, expected a finite number
    ");
}
