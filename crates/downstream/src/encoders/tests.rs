use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use brainmae_data::{BoldSeries, SegmentLayout};
use brainmae_model::BrainMae;
use brainmae_run::Seeds;
use burn::tensor::Device;
use rand::RngExt;

use super::*;
use crate::kind::likeliest;
use crate::{
    DownstreamError, Example, Examples, FitError, Fits, Fitted, Kind, Labelled, Learner, Output,
    Scan,
};

const LAYOUT: SegmentLayout = SegmentLayout {
    segment_len_trs: 4,
    n_segments: 3,
};
const ROIS: usize = 5;

/// Noise with mean 0; each scan has six segments.
fn scans(n: usize) -> Vec<Scan> {
    let rng = &mut Seeds::new(5).stream("scans");
    (0..n)
        .map(|i| {
            let values = (0..24 * ROIS).map(|_| rng.random_range(-1.5f32..1.5));
            Scan {
                scan: format!("scan-{i}").as_str().into(),
                subject: format!("subject-{i}").as_str().into(),
                unit: format!("subject-{i}"),
                series: Arc::new(BoldSeries::new(values.collect(), ROIS, 3.0).expect("finite")),
                confounds: Vec::new(),
                site: None,
                computed: Default::default(),
            }
        })
        .collect()
}

fn problem(kind: Kind) -> Problem {
    Problem {
        target: "a target".into(),
        kind,
        of_subjects: false,
        n_rois: ROIS,
        dt_secs: 3.0,
        segment_len_trs: LAYOUT.segment_len_trs,
        confounds: Vec::new(),
        seeds: Seeds::new(1),
        device: Device::flex(),
        fits: Fits::default(),
    }
}

fn encoder() -> FoldEncoder {
    FoldEncoder::small(ROIS, LAYOUT)
}

fn whole(scans: &[Scan], truth: &[f64]) -> Vec<Example> {
    let example = |scan| Example {
        scan,
        start_volume: 0,
        n_volumes: scans[scan].series.n_volumes(),
    };
    (0..truth.len()).map(example).collect()
}

fn labelled<'a>(scans: &'a [Scan], list: Vec<Example>, truth: &[f64]) -> Labelled<'a> {
    Labelled {
        examples: Examples { scans, list },
        truth: truth.to_vec(),
    }
}

fn finetune() -> FineTune<BrainMae> {
    let config = FineTuneConfig {
        max_epochs: 120,
        patience: 120,
        batch_size: 8,
        lr: 3e-3,
        weight_decay: 0.0,
        ..FineTuneConfig::default()
    };
    FineTune::new("BrainMAE", encoder(), config, Readout::default())
}

#[test]
fn fine_tuning_overfits_eight_scans() {
    let scans = scans(8);
    let truth = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0];
    let all = labelled(&scans, whole(&scans, &truth), &truth);
    let problem = problem(Kind::Classification { n_classes: 2 });
    let fitted = finetune().fit(&problem, &all, &all).expect("learnable");
    let output = fitted.predict(&all.examples).expect("whole scans");
    assert_eq!(n_right(&output, &truth), 8);
    let again = finetune().fit(&problem, &all, &all).expect("learnable");
    assert_eq!(again.predict(&all.examples).expect("whole scans"), output);
}

fn n_right(output: &Output, truth: &[f64]) -> usize {
    let pairs = output.rows().zip(truth);
    pairs
        .filter(|(row, t)| likeliest(row) as f64 == **t)
        .count()
}

#[test]
fn the_attention_probe_tells_scans_apart_and_says_the_same_again() {
    let scans = scans(8);
    let truth = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0];
    let all = labelled(&scans, whole(&scans, &truth), &truth);
    let problem = problem(Kind::Classification { n_classes: 2 });
    let probe = AttentionProbe::new("attention", encoder());
    let said = || {
        let fitted = probe.fit(&problem, &all, &all).expect("learnable");
        fitted.predict(&all.examples).expect("whole scans")
    };
    let output = said();
    assert!(n_right(&output, &truth) >= 7, "{output:?}");
    assert_eq!(said(), output);
}

#[test]
fn fine_tuning_learns_numbers() {
    let scans = scans(8);
    let truth = [10.0, 20.0, 30.0, 40.0, 15.0, 25.0, 35.0, 45.0];
    let all = labelled(&scans, whole(&scans, &truth), &truth);
    let fitted = finetune()
        .fit(&problem(Kind::Regression), &all, &all)
        .expect("learnable");
    let output = fitted.predict(&all.examples).expect("whole scans");
    let errors = output.rows().zip(&truth).map(|(row, t)| (row[0] - t).abs());
    let error = errors.sum::<f64>() / 8.0;
    // The truths are at a distance of 10 from their mean.
    assert!(error < 3.0, "{error}");
}

/// Segments; the first ROI is high in every second one.
fn states() -> (Vec<Scan>, Vec<Example>, Vec<f64>) {
    let mut scans = scans(4);
    let (mut list, mut truth) = (Vec::new(), Vec::new());
    for (number, scan) in scans.iter_mut().enumerate() {
        let mut values = scan.series.values().to_vec();
        for segment in 0..6 {
            let high = (segment + number) % 2 == 0;
            for volume in segment * 4..segment * 4 + 4 {
                values[volume * ROIS] += if high { 2.0 } else { -2.0 };
            }
            list.push(Example {
                scan: number,
                start_volume: segment * 4,
                n_volumes: 4,
            });
            truth.push(f64::from(u8::from(high)));
        }
        scan.series = Arc::new(BoldSeries::new(values, ROIS, 3.0).expect("finite"));
    }
    (scans, list, truth)
}

#[test]
fn states_of_another_scan_are_told_by_the_tokens_of_its_segments() {
    let (scans, list, truth) = states();
    let set = |from: usize, to: usize| labelled(&scans, list[from..to].to_vec(), &truth[from..to]);
    let (training, validation, test) = (set(0, 12), set(12, 18), set(18, 24));
    let problem = problem(Kind::Classification { n_classes: 2 });
    let probe = LinearProbe::new("probe", encoder(), Readout::default());
    let attention = AttentionProbe::new("attention", encoder());
    for learner in [&finetune() as &dyn Learner, &probe, &attention] {
        let fitted = learner
            .fit(&problem, &training, &validation)
            .expect("learnable");
        let output = fitted.predict(&test.examples).expect("segments");
        let pairs = output.rows().zip(&test.truth);
        let right = pairs
            .filter(|(row, t)| likeliest(row) as f64 == **t)
            .count();
        assert!(right >= 5, "{}: {right} of 6", learner.name());
    }
}

#[test]
fn stretches_that_are_no_segments_are_refused() {
    let (scans, mut list, truth) = states();
    list[3].n_volumes += 1;
    let all = labelled(&scans, list, &truth);
    let problem = problem(Kind::Classification { n_classes: 2 });
    let probe = LinearProbe::new("probe", encoder(), Readout::default());
    let attention = AttentionProbe::new("attention", encoder());
    for learner in [&finetune() as &dyn Learner, &probe, &attention] {
        let error = learner.fit(&problem, &all, &all).err().expect("refused");
        let DownstreamError::Fit { reason, .. } = error else {
            panic!("expected a refusal, found {error}")
        };
        assert!(matches!(
            reason,
            FitError::NotSegments { segment_len_trs: 4 }
                | FitError::ExampleLength {
                    found: 5,
                    segment_len_trs: 4
                }
        ));
    }
}

static STOP: AtomicBool = AtomicBool::new(true);

#[test]
fn stopped_fits_go_on_to_the_same_predictions() {
    let scans = scans(8);
    let truth = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0];
    let all = labelled(&scans, whole(&scans, &truth), &truth);
    let straight = problem(Kind::Classification { n_classes: 2 });
    let config = FineTuneConfig {
        max_epochs: 3,
        batch_size: 5,
        ..FineTuneConfig::default()
    };
    let finetune = FineTune::<BrainMae>::new("BrainMAE", encoder(), config, Readout::default());
    let probe = AttentionProbe::new("attention", encoder());
    for learner in [&finetune as &dyn Learner, &probe] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut stopped = straight.clone();
        stopped.fits.folder = Some(folder.path().join("fit"));
        stopped.fits.stop = Some(&STOP);
        let mut n_stops = 0;
        let resumed = loop {
            match learner.fit(&stopped, &all, &all) {
                Err(DownstreamError::Interrupted) => n_stops += 1,
                fitted => break fitted.expect("learnable"),
            }
        };
        assert!(n_stops > 3, "{n_stops}");
        let straight = learner.fit(&straight, &all, &all).expect("learnable");
        let said = |fitted: Box<dyn Fitted>| fitted.predict(&all.examples).expect("whole scans");
        assert_eq!(said(resumed), said(straight));
    }
}
