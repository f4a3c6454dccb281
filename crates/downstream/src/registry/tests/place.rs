//! Tests of all models on segments whose states come in the same order for everyone: the place in
//! the scan tells the state, the signals do not.

use super::*;

const SEGMENTS: usize = 8;
const STATES: usize = 4;
/// State of each segment.
const ORDER: [usize; SEGMENTS] = [0, 0, 1, 1, 2, 2, 3, 3];

/// Models that are not told the place.
const MODELS: [&str; 16] = [
    "constant",
    "confounds",
    "autocorrelation",
    "mean-signal",
    "fc",
    "fc-log",
    "tangent",
    "fc-svm",
    "fc-kernel-ridge",
    "mean-mlp",
    "transformer",
    "bnt",
    "brainmae",
    "brainmae-scratch",
    "brainmae-probe",
    "brainmae-attention-probe",
];

const PERMUTATIONS: usize = 4999;
/// Largest p value that is not by chance; [`FALSE_ALARMS`] is divided among the models.
const LEVEL: f64 = FALSE_ALARMS / MODELS.len() as f64;

/// States of segments in one order for all subjects. Signals are stationary noise of variance 1,
/// correlated over some volumes, whatever the state; `drift` is the change of their mean from the
/// start to the end of a scan.
fn states(drift: f32) -> Task {
    let seeds = Seeds::new(8);
    let n_volumes = SEGMENTS * LAYOUT.segment_len_trs;
    let scans = (0..SUBJECTS).map(|i| {
        let rng = &mut seeds.stream_at("signals", &[i as u64]);
        let mut draw = || rng.random_range(-1.7f32..1.7);
        let mut last: Vec<f32> = (0..ROIS).map(|_| draw()).collect();
        let mut values = Vec::with_capacity(n_volumes * ROIS);
        for volume in 0..n_volumes {
            for x in &mut last {
                *x = 0.6 * *x + 0.8 * draw();
                values.push(*x + drift * volume as f32 / n_volumes as f32);
            }
        }
        Scan {
            scan: scan_id(i),
            subject: format!("subject-{i}").as_str().into(),
            unit: format!("family-{i}"),
            series: Arc::new(BoldSeries::new(values, ROIS, DT_SECS).expect("finite")),
            confounds: vec![Some(0.1 + 0.001 * i as f64)],
            site: None,
            computed: Default::default(),
        }
    });
    let segments = (0..SUBJECTS).flat_map(|scan| {
        (0..SEGMENTS).map(move |segment| Example {
            scan,
            start_volume: segment * LAYOUT.segment_len_trs,
            n_volumes: LAYOUT.segment_len_trs,
        })
    });
    let truth = ORDER.map(|state| state as f64).repeat(SUBJECTS);
    let kind = Kind::Classification { n_classes: STATES };
    let mut task = Task::of_examples("state", kind, segments.collect(), truth, scans.collect());
    (task.of_segments, task.of_subjects) = (true, false);
    task
}

/// Balanced accuracy of a model, and its p value against chance.
fn score(name: &str, task: &Task) -> (f64, f64) {
    let models = LearnerKinds::built_in();
    let model = models.find(name).expect("a known name");
    let predictions = predictions(model, task, 5);
    let sample = &predictions.samples()[0];
    let chances = chance(sample, PERMUTATIONS, &Seeds::new(5));
    let found = Scorer::new(sample).scores()[0].zip(chances[0].p);
    found.expect("all states occur, in all scans")
}

#[test]
fn an_order_that_is_the_same_for_all_is_read_from_the_place_and_not_from_signals() {
    let task = states(0.0);
    let (place, p) = score(PLACE, &task);
    assert!(place > 0.95 && p <= LEVEL, "{place}, p {p}");
    let found = MODELS.map(|name| (name, score(name, &task)));
    let read: Vec<_> = found.iter().filter(|(_, (_, p))| *p <= LEVEL).collect();
    assert!(read.is_empty(), "these models read the place: {read:?}");
}

#[test]
fn signals_that_drift_tell_the_place_and_so_the_state() {
    let (score, p) = score("mean-signal", &states(3.0));
    assert!(p <= LEVEL, "{score}, p {p}");
}
