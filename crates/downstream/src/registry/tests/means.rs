//! States that are in the means of ROIs alone: networks that take signals see what logistic
//! regression of the means sees.

use super::*;
use crate::kind::likeliest;
use crate::{Examples, Labelled};

const SCANS: usize = 10;
const SEGMENTS: usize = 12;
const CLASSES: usize = 3;
const LEN: usize = LAYOUT.segment_len_trs;

/// Scans of segments in random order, each with the pattern of its class in the means, and noise.
fn states() -> (Vec<Scan>, Vec<Example>, Vec<f64>) {
    let rng = &mut Seeds::new(8).stream("states");
    let (mut list, mut truth) = (Vec::new(), Vec::new());
    let scans = (0..SCANS).map(|scan| {
        let mut values = Vec::with_capacity(SEGMENTS * LEN * ROIS);
        for segment in 0..SEGMENTS {
            let class = rng.random_range(0..CLASSES);
            list.push(Example {
                scan,
                start_volume: segment * LEN,
                n_volumes: LEN,
            });
            truth.push(class as f64);
            for _ in 0..LEN {
                let mean = |roi: usize| if roi % CLASSES == class { 0.5 } else { -0.25 };
                values.extend((0..ROIS).map(|roi| mean(roi) + rng.random_range(-1.7f32..1.7)));
            }
        }
        Scan {
            scan: scan_id(scan),
            subject: format!("subject-{scan}").as_str().into(),
            unit: format!("subject-{scan}"),
            series: Arc::new(BoldSeries::new(values, ROIS, DT_SECS).expect("finite")),
            confounds: Vec::new(),
            site: None,
            computed: Default::default(),
        }
    });
    let scans = scans.collect();
    (scans, list, truth)
}

/// Share of the segments of the last three scans whose state a model tells.
fn accuracy(name: &str) -> f64 {
    let (scans, list, truth) = states();
    let set = |from: usize, to: usize| {
        let range = from * SEGMENTS..to * SEGMENTS;
        Labelled {
            examples: Examples {
                scans: &scans,
                list: list[range.clone()].to_vec(),
            },
            truth: truth[range].to_vec(),
        }
    };
    let (training, validation, test) = (set(0, 5), set(5, 7), set(7, SCANS));
    let kind = Kind::Classification { n_classes: CLASSES };
    let problem = Problem {
        target: "state".into(),
        kind,
        of_subjects: false,
        n_rois: ROIS,
        dt_secs: DT_SECS,
        segment_len_trs: LEN,
        confounds: Vec::new(),
        seeds: Seeds::new(1),
        device: Device::flex(),
        fits: Fits::default(),
    };
    let models = LearnerKinds::built_in();
    let learner = models.find(name).expect("a known name").learner(&Settings {
        kind,
        encoder: &encoder(),
        finetune: &FineTuneConfig {
            max_epochs: 30,
            lr: 3e-3,
            ..FineTuneConfig::default()
        },
        readout: Readout::default(),
        budget: Budget {
            max_epochs: 60,
            patience: 60,
            ..Budget::default()
        },
        linear: LinearSpec::default(),
    });
    let fitted = learner
        .fit(&problem, &training, &validation)
        .expect("it learns");
    let said = fitted.predict(&test.examples).expect("segments");
    let right = said.rows().zip(&test.truth);
    let right = right.filter(|(row, truth)| likeliest(row) as f64 == **truth);
    right.count() as f64 / test.truth.len() as f64
}

#[test]
fn networks_see_the_means_of_a_segment() {
    let of_means = accuracy("mean-signal");
    assert!(of_means > 0.8, "{of_means}");
    for name in MODELS {
        let found = accuracy(name);
        println!("{name}: {found:.3}, logistic regression of means {of_means:.3}");
        assert!(
            found >= 0.9 * of_means,
            "{name}: {found}, of means {of_means}"
        );
    }
}

/// Models that take signals.
const MODELS: [&str; 4] = ["mean-mlp", "transformer", "brainmae-scratch", "bolt"];
