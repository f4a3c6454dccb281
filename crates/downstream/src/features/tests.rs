use std::sync::Arc;

use brainmae_data::BoldSeries;
use brainmae_run::Seeds;
use burn::tensor::Device;

use super::*;
use crate::{Example, Fits, Kind, Scan};

const N_ROIS: usize = 3;

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

/// Six volumes; the fifth is censored and has the value `wild`.
fn scan(number: usize, wild: f32) -> Scan {
    let mut values: Vec<f32> = (0..18)
        .map(|i| ((i * i * (number + 3)) % 11) as f32)
        .collect();
    values[4 * N_ROIS..5 * N_ROIS].fill(wild);
    let series = BoldSeries::new(values, N_ROIS, 1.0).expect("finite");
    let kept = (0..6).map(|volume| volume != 4).collect();
    Scan {
        scan: format!("scan-{number}").as_str().into(),
        subject: "subject".into(),
        unit: "subject".into(),
        series: Arc::new(series.with_kept(kept).expect("as many as volumes")),
        confounds: vec![],
        computed: Default::default(),
    }
}

fn features(features: Features, wild: f32) -> DMatrix<f64> {
    let scans: Vec<Scan> = (0..3).map(|number| scan(number, wild)).collect();
    let list = (0..3)
        .map(|scan| Example {
            scan,
            start_volume: 0,
            n_volumes: 6,
        })
        .collect();
    let training = Labelled {
        examples: Examples {
            scans: &scans,
            list,
        },
        truth: vec![1.0, 2.0, 3.0],
    };
    let fitted = features.fit(&problem(), &training);
    (fitted.of(&problem(), &training.examples)).expect("there are features")
}

#[test]
fn a_censored_volume_changes_nothing() {
    for kind in [Features::Fc, Features::FcTangent, Features::MeanSignal] {
        let quiet = features(kind, 0.0);
        assert!(quiet.amax() > 0.1, "{kind:?} says nothing");
        assert_eq!(quiet, features(kind, 1e6), "{kind:?}");
    }
}

#[test]
fn means_are_over_volumes() {
    assert_eq!(means([1.0, 5.0, 3.0, 7.0].chunks_exact(2), 2), [2.0, 6.0]);
}
