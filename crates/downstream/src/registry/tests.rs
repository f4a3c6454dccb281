//! Tests of all models on targets without any effect: scores are at chance level. The same tests
//! with planted leaks must fail.

mod place;

use std::sync::Arc;

use brainmae_data::{BoldSeries, ScanId, SegmentLayout, Split, SplitUnit};
use brainmae_run::Seeds;
use burn::tensor::Device;
use rand::RngExt;
use rayon::prelude::*;

mod means;

use super::*;
use crate::scores::{Score, Scorer};
use crate::statistics::{Exchange, chance};
use crate::{Example, Fits, FoldOf, Predictions, Problem, Sample, Scan, Task};

const ROIS: usize = 12;
const VOLUMES: usize = 32;
const DT_SECS: f64 = 2.0;
const SUBJECTS: usize = 48;
const FOLDS: usize = 3;
const LAYOUT: SegmentLayout = SegmentLayout {
    segment_len_trs: 8,
    n_segments: 4,
};
const EXCHANGES: u64 = 40_000;
/// Probability that any model leaves its interval on either target without an effect.
const FALSE_ALARMS: f64 = 0.01;

/// Planted leak in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leak {
    Nothing,
    /// Every second subject is a copy of the one before it, with another name and family; no split
    /// can detect this.
    Twins,
    /// The truth is the mean of half of the ROIs, and the correlation of the others with the first
    /// ROI.
    Written,
}

/// Subjects with noise, and a truth that is independent of it, except for the leak.
fn task(kind: Kind, leak: Leak) -> Task {
    let seeds = Seeds::new(6);
    let person = |i: usize| [if leak == Leak::Twins { i / 2 * 2 } else { i } as u64];
    let truth: Vec<f64> = (0..SUBJECTS)
        .map(|i| {
            let rng = &mut seeds.stream_at("truth", &person(i));
            match kind {
                Kind::Regression => rng.random_range(20.0..80.0),
                Kind::Classification { n_classes } => rng.random_range(0..n_classes) as f64,
            }
        })
        .collect();
    let scans: Vec<Scan> = (0..SUBJECTS)
        .map(|i| {
            let rng = &mut seeds.stream_at("signals", &person(i));
            let mut values: Vec<f32> = (0..VOLUMES * ROIS)
                .map(|_| rng.random_range(-1.7f32..1.7))
                .collect();
            if leak == Leak::Written {
                // Within -1..1.
                let written = match kind {
                    Kind::Regression => (truth[i] - 50.0) / 30.0,
                    Kind::Classification { .. } => 2.0 * truth[i] - 1.0,
                } as f32;
                for volume in values.chunks_exact_mut(ROIS) {
                    let (moved, following) = volume.split_at_mut(ROIS / 2);
                    moved.iter_mut().for_each(|x| *x += written);
                    for x in following {
                        *x = written * moved[0] + (1.0 - written.abs()) * *x;
                    }
                }
            }
            Scan {
                scan: scan_id(i),
                subject: format!("subject-{i}").as_str().into(),
                unit: format!("family-{i}"),
                series: Arc::new(BoldSeries::new(values, ROIS, DT_SECS).expect("finite")),
                confounds: vec![Some(rng.random_range(0.05..0.3))],
                site: None,
                computed: Default::default(),
            }
        })
        .collect();
    let whole = |scan| Example {
        scan,
        start_volume: 0,
        n_volumes: VOLUMES,
    };
    Task::of_examples(
        "nothing",
        kind,
        (0..SUBJECTS).map(whole).collect(),
        truth,
        scans,
    )
}

fn scan_id(i: usize) -> ScanId {
    format!("scan-{i}").as_str().into()
}

/// Each subject is tested once; subjects 2k and 2k + 1 are in different folds. A quarter of the
/// remaining subjects is the validation set.
fn split(fold: usize) -> Split {
    let tested = |i: usize| (i / 2 + i % 2) % FOLDS == fold;
    let decides = |i: usize| i.is_multiple_of(4);
    let set = |wanted: &dyn Fn(usize) -> bool| -> Vec<ScanId> {
        (0..SUBJECTS).filter(|i| wanted(*i)).map(scan_id).collect()
    };
    Split {
        unit: SplitUnit::Subject,
        train: set(&|i| !tested(i) && !decides(i)),
        validation: set(&|i| !tested(i) && decides(i)),
        test: set(&tested),
        train_subjects: Vec::new(),
    }
}

/// Random weights in place of pretrained ones; both are independent of the truth.
fn encoder() -> FoldEncoder {
    FoldEncoder::small(ROIS, LAYOUT)
}

/// Predictions of one model for all subjects; networks learn for so many epochs.
fn predictions(model: &dyn LearnerKind, task: &Task, epochs: usize) -> Predictions {
    let finetune = FineTuneConfig {
        max_epochs: epochs,
        batch_size: 8,
        lr: 3e-3,
        ..FineTuneConfig::default()
    };
    let budget = Budget {
        max_epochs: epochs,
        patience: epochs,
        ..Budget::default()
    };
    let linear = LinearSpec::default();
    let learner = model.learner(&Settings {
        kind: task.kind,
        encoder: &encoder(),
        readout: Readout::default(),
        finetune: &finetune,
        budget,
        linear,
    });
    let rows = (0..FOLDS).flat_map(|number| {
        let seeds = Seeds::new(3).within("fold", &[number as u64]);
        let problem = Problem {
            target: task.name.clone(),
            kind: task.kind,
            of_subjects: task.of_subjects,
            n_rois: ROIS,
            dt_secs: DT_SECS,
            segment_len_trs: LAYOUT.segment_len_trs,
            confounds: task.confounds.clone(),
            seeds,
            device: Device::flex(),
            fits: Fits::default(),
        };
        let fold = FoldOf::new(task, number as u32 + 1, &split(number), 1.0, &seeds);
        let fold = fold.expect("nobody is in two sets by name");
        fold.predict(&*learner, &problem).expect("it learns")
    });
    Predictions::new(vec!["mean_fd_mm".into()], rows.collect()).expect("rows that agree")
}

/// Interval of each score for predictions that are independent of the truth; a score is outside
/// with probability `level`. As in [`chance`], the spread over exchanged truths is multiplied by
/// √2, because folds share their truth. `None` for an undefined score, such as the correlation with
/// a constant.
fn intervals(sample: &Sample, scorer: &Scorer, level: f64) -> Vec<Option<[f64; 2]>> {
    let exchange = Exchange::new(sample);
    let ones = vec![1.0; sample.len()];
    let exchanged: Vec<Vec<Option<f64>>> = (0..EXCHANGES)
        .into_par_iter()
        .map(|i| {
            let from = exchange.draw(&mut Seeds::new(4).stream_at("exchange", &[i]));
            let truth: Vec<f64> = from.iter().map(|row| sample.truth()[*row]).collect();
            scorer.scores_of(&truth, &ones)
        })
        .collect();
    let interval = |i: usize| {
        let values: Option<Vec<f64>> = exchanged.iter().map(|one| one[i]).collect();
        let mut values = values?;
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let out = (level / 2.0 * values.len() as f64) as usize;
        let [low, high] = [values[out], values[values.len() - 1 - out]]
            .map(|value| mean + std::f64::consts::SQRT_2 * (value - mean));
        // A constant predictor has the same score for every exchange, except for rounding.
        Some([low - 1e-9, high + 1e-9])
    };
    (0..Score::of(sample.kind()).len()).map(interval).collect()
}

const KINDS: [Kind; 2] = [Kind::Regression, Kind::Classification { n_classes: 2 }];

/// Scores of a model that are not at chance level, as text: outside of their interval, or with a
/// small p value in the table of results. [`FALSE_ALARMS`] is divided among all scores of all
/// models.
fn not_by_chance(name: &str, kind: Kind, leak: Leak) -> Vec<String> {
    let models = LearnerKinds::built_in();
    let model = models.find(name).expect("a known name");
    let tested = KINDS.iter().flat_map(|kind| Score::of(*kind));
    let n_scores = tested.filter(|score| score.sign().is_some()).count();
    let level = FALSE_ALARMS / (n_scores * models.names().count()) as f64;
    // Few epochs, to keep the test short.
    let epochs = match model.name() {
        "bolt" | "stagin-garo" | "stagin-sero" => 3,
        _ => 20,
    };
    let predictions = predictions(model, &task(kind, leak), epochs);
    let sample = &predictions.samples()[0];
    let scorer = Scorer::new(sample);
    let chances = chance(sample, EXCHANGES as usize, &Seeds::new(5));
    let found = scorer.scores().into_iter().zip(chances);
    let expected = Score::of(kind)
        .iter()
        .zip(intervals(sample, &scorer, level));
    (found.zip(expected))
        .filter_map(|((found, chance), (score, interval))| {
            let (found, [low, high], p) = (found?, interval?, chance.p?);
            let by_chance = (low..=high).contains(&found) && p > level;
            (!by_chance).then(|| {
                format!(
                    "{}: {} {found:.3}, by chance from {low:.3} to {high:.3}, p {p:.5}",
                    model.title(kind),
                    score.name()
                )
            })
        })
        .collect()
}

#[test]
fn where_nothing_is_nobody_finds_anything() {
    let models = LearnerKinds::built_in();
    let names: Vec<&str> = models.names().collect();
    assert!(names.contains(&"constant") && names.contains(&"bolt"));
    let found: Vec<String> = KINDS
        .iter()
        .flat_map(|kind| names.iter().map(move |name| (*kind, *name)))
        .flat_map(|(kind, model)| not_by_chance(model, kind, Leak::Nothing))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_truth_that_is_written_in_the_signals_is_not_taken_for_chance() {
    // Models that use signals; without probes of random weights and without models that take too
    // long for a test: STAGIN, BolT, FBNetGen.
    for model in [
        "mean-signal",
        "fc",
        "fc-log",
        "tangent",
        "fc-svm",
        "fc-kernel-ridge",
        "brainmae",
        "brainmae-scratch",
        "brainnetcnn",
        "bnt",
        "transformer",
        "mean-mlp",
    ] {
        let found = not_by_chance(model, Kind::Regression, Leak::Written);
        assert!(!found.is_empty(), "{model:?}");
    }
}

#[test]
fn a_twin_in_the_other_set_is_not_taken_for_chance() {
    for kind in KINDS {
        // Not the tangent space: Ledoit and Wolf shrink independent ROIs to nearly the identity, so
        // noise has little left by which a twin could be known.
        for model in ["fc", "fc-log", "fc-svm", "fc-kernel-ridge"] {
            let found = not_by_chance(model, kind, Leak::Twins);
            assert!(!found.is_empty(), "{model:?}, {kind:?}");
        }
    }
}

#[test]
fn an_unknown_learner_is_told_the_known_ones_and_a_new_one_is_found() {
    let models = LearnerKinds::built_in();
    let Err(DownstreamError::UnknownLearner { found, known }) = models.find("brainmea") else {
        panic!("there is no such learner")
    };
    assert_eq!(found, "brainmea");
    assert!(known.iter().any(|name| name == "brainmae"));
    let renamed = models.find("fc-tangent").expect("its earlier name");
    assert_eq!(renamed.name(), "fc-log");
    struct Another;
    impl LearnerKind for Another {
        fn name(&self) -> &str {
            "another"
        }
        fn learner(&self, _settings: &Settings) -> Box<dyn Learner> {
            Box::new(Constant)
        }
    }
    let n = models.names().count();
    let models = models.with(Another).with(Another);
    assert_eq!(models.names().count(), n + 1);
    assert!(models.find("another").is_ok());
}
