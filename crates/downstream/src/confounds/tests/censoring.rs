//! Tests with a null target that is the number of censored volumes: signals do not tell it, and no
//! model finds it better than confounds do.

use std::sync::Arc;

use brainmae_data::{BoldSeries, SegmentLayout};
use brainmae_run::Seeds;
use burn::tensor::Device;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use crate::encoders::{FoldEncoder, LinearProbe, Readout};
use crate::features::{self, Autocorrelation, Fc, FcLog, Features, MeanSignal};
use crate::linear::LinearLearner;
use crate::linear::spec::LinearSpec;
use crate::{Example, Examples, Fits, Kind, Labelled, Learner, Problem, Scan};

const SCANS: usize = 240;
const ROIS: usize = 5;
const VOLUMES: usize = 96;
const LAYOUT: SegmentLayout = SegmentLayout {
    segment_len_trs: 4,
    n_segments: 6,
};

/// Scans of noise in which 0 to 40 volumes were censored and filled in by straight lines, and the
/// number of these volumes. With `marked`, the volumes count as censored.
fn scans(marked: bool) -> (Vec<Scan>, Vec<f64>) {
    let rng = &mut Seeds::new(6).stream("censoring");
    let scan = |number: usize| {
        let mut values: Vec<f32> = (0..VOLUMES * ROIS)
            .map(|_| StandardNormal.sample(rng))
            .collect();
        // Pairs of volumes between kept ones.
        let pairs = rng.random_range(0..=20);
        let mut kept = vec![true; VOLUMES];
        for pair in 0..pairs {
            let first = 1 + 4 * pair;
            for roi in 0..ROIS {
                let at = |volume: usize| volume * ROIS + roi;
                let (before, after) = (values[at(first - 1)], values[at(first + 2)]);
                let step = (after - before) / 3.0;
                values[at(first)] = before + step;
                values[at(first + 1)] = before + 2.0 * step;
            }
            kept[first..first + 2].fill(false);
        }
        let series = BoldSeries::new(values, ROIS, 3.0).expect("finite");
        let series = match marked {
            true => series.with_kept(kept).expect("as many as volumes"),
            false => series,
        };
        let scan = Scan {
            scan: format!("scan-{number}").as_str().into(),
            subject: format!("subject-{number}").as_str().into(),
            unit: format!("subject-{number}"),
            series: Arc::new(series),
            confounds: vec![Some(pairs as f64 / 48.0)],
            site: None,
            computed: Default::default(),
        };
        (scan, 2.0 * pairs as f64)
    };
    (0..SCANS).map(scan).unzip()
}

/// R² of a model on the last 80 scans, compared with the mean of the others.
fn r2(learner: &dyn Learner, scans: &[Scan], truth: &[f64]) -> f64 {
    let problem = Problem {
        target: "censored volumes".into(),
        kind: Kind::Regression,
        of_subjects: false,
        n_rois: ROIS,
        dt_secs: 3.0,
        segment_len_trs: LAYOUT.segment_len_trs,
        confounds: vec!["censored_share".into()],
        seeds: Seeds::new(1),
        device: Device::flex(),
        fits: Fits::default(),
    };
    let set = |from: usize, to: usize| {
        let example = |scan| Example {
            scan,
            start_volume: 0,
            n_volumes: VOLUMES,
        };
        Labelled {
            examples: Examples {
                scans,
                list: (from..to).map(example).collect(),
            },
            truth: truth[from..to].to_vec(),
        }
    };
    let (training, validation, test) = (set(0, 120), set(120, 160), set(160, SCANS));
    let fitted = learner.fit(&problem, &training, &validation);
    let output = fitted.expect("it learns").predict(&test.examples);
    let output = output.expect("whole scans");
    let mean = truth[..160].iter().sum::<f64>() / 160.0;
    let squares = |of: &dyn Fn(usize) -> f64| -> f64 {
        let errors = test.truth.iter().enumerate();
        errors.map(|(i, truth)| (truth - of(i)).powi(2)).sum()
    };
    let predicted: Vec<f64> = output.rows().map(|row| row[0]).collect();
    1.0 - squares(&|i| predicted[i]) / squares(&|_| mean)
}

fn linear(features: Arc<dyn Features>) -> LinearLearner {
    LinearLearner::new("linear", features, LinearSpec::default())
}

#[test]
fn the_number_of_censored_volumes_is_told_by_confounds_alone() {
    let (scans, truth) = scans(true);
    let confounds = r2(&linear(Arc::new(features::Confounds)), &scans, &truth);
    assert!(confounds > 0.95, "{confounds}");
    let of_signals: [Arc<dyn Features>; 4] = [
        Arc::new(Autocorrelation),
        Arc::new(Fc),
        Arc::new(FcLog),
        Arc::new(MeanSignal),
    ];
    for features in of_signals {
        let name = features.name().to_string();
        let found = r2(&linear(features), &scans, &truth);
        assert!(found < 0.1, "{name}: {found}");
    }
    // Censored volumes are 0 in an encoder's input, so it could count them.
    let probe = LinearProbe::new(
        "probe",
        FoldEncoder::small(ROIS, LAYOUT),
        Readout::default(),
    );
    let found = r2(&probe, &scans, &truth);
    assert!(found < confounds, "{found} {confounds}");
}

#[test]
fn volumes_that_are_filled_in_and_not_marked_give_the_number_away() {
    let (scans, truth) = scans(false);
    let found = r2(&linear(Arc::new(Autocorrelation)), &scans, &truth);
    assert!(found > 0.5, "{found}");
}
