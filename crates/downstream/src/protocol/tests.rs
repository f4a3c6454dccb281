use std::sync::{Arc, Mutex};

use brainmae_data::{BoldSeries, ScanId, SplitUnit};
use burn::tensor::Device;

use super::*;
use crate::{Example, Examples, FitResult, Fits, Fitted, Labelled, Output, Scan};

/// Scans of subjects, two per subject; the truth is the subject's number.
fn task(n_subjects: usize) -> Task {
    let scans: Vec<Scan> = (0..2 * n_subjects)
        .map(|i| Scan {
            scan: format!("scan-{i}").as_str().into(),
            subject: format!("subject-{}", i / 2).as_str().into(),
            unit: format!("subject {}", i / 2),
            series: Arc::new(BoldSeries::new(vec![i as f32; 4], 1, 1.0).expect("finite")),
            confounds: vec![None],
            site: None,
            computed: Default::default(),
        })
        .collect();
    let example = |scan| Example {
        scan,
        start_volume: 0,
        n_volumes: 4,
    };
    Task::of_examples(
        "number",
        Kind::Regression,
        (0..scans.len()).map(example).collect(),
        (0..scans.len()).map(|i| (i / 2) as f64).collect(),
        scans,
    )
}

fn split(train: &[usize], validation: &[usize], test: &[usize]) -> Split {
    let scans = |numbers: &[usize]| -> Vec<ScanId> {
        numbers
            .iter()
            .map(|i| format!("scan-{i}").as_str().into())
            .collect()
    };
    Split {
        unit: SplitUnit::Subject,
        train: scans(train),
        validation: scans(validation),
        test: scans(test),
        train_subjects: Vec::new(),
    }
}

fn problem(task: &Task) -> Problem {
    Problem {
        target: task.name.clone(),
        kind: task.kind,
        of_subjects: task.of_subjects,
        n_rois: 1,
        dt_secs: 1.0,
        segment_len_trs: 2,
        confounds: task.confounds.clone(),
        seeds: Seeds::new(1),
        device: Device::flex(),
        fits: Fits::default(),
    }
}

/// Records its inputs.
#[derive(Default)]
struct Spy {
    learned: Mutex<Vec<f64>>,
}

impl Learner for Spy {
    fn name(&self) -> &str {
        "spy"
    }

    fn fit(&self, _problem: &Problem, training: &Labelled, _validation: &Labelled) -> FitResult {
        *self.learned.lock().expect("no panic") = training.truth.clone();
        Ok(Box::new(First))
    }
}

/// Predicts the first value of the signal, which is the number of the scan.
struct First;

impl Fitted for First {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let first = examples
            .iter()
            .map(|(scan, e)| f64::from(scan.signals(e)[0]));
        Ok(Output::new(Kind::Regression, first.collect()))
    }
}

#[test]
fn rows_say_who_was_tested_and_what_the_training_set_alone_would_answer() {
    let task = task(4);
    let split = split(&[0, 1, 2, 3], &[4, 5], &[6, 7]);
    let fold = FoldOf::new(&task, 3, &split, 1.0, &Seeds::new(1)).expect("disjoint");
    let spy = Spy::default();
    let rows = fold.predict(&spy, &problem(&task)).expect("predicted");
    assert_eq!(*spy.learned.lock().expect("no panic"), [0.0, 0.0, 1.0, 1.0]);
    // The scans 6 and 7 are of one subject; their predictions are 6 and 7.
    let found: Vec<_> = (rows.iter())
        .map(|row| {
            (
                row.subject.as_str(),
                &row.scan,
                row.truth,
                row.output[0],
                row.blind[0],
            )
        })
        .collect();
    assert_eq!(found, [("subject-3", &None, 3.0, 6.5, 0.5)]);
    assert!(
        rows.iter()
            .all(|row| row.n_train_units == 2 && row.fold == 3)
    );
}

#[test]
fn nobody_is_in_two_sets() {
    let task = task(3);
    let leak = split(&[0, 2], &[4, 5], &[1, 3]);
    let error = FoldOf::new(&task, 1, &leak, 1.0, &Seeds::new(1))
        .err()
        .expect("a leak");
    assert!(
        matches!(&error, DownstreamError::Fit { reason: FitError::InTwoSets { unit }, .. } if unit == "subject 0"),
        "{error}"
    );
}

#[test]
fn a_smaller_share_is_part_of_a_larger_one_and_keeps_subjects_whole() {
    let task = task(12);
    let train: Vec<usize> = (0..20).collect();
    let split = split(&train, &[20, 21], &[22, 23]);
    let learned = |share: f64| -> Vec<f64> {
        let fold = FoldOf::new(&task, 1, &split, share, &Seeds::new(1)).expect("disjoint");
        let spy = Spy::default();
        fold.predict(&spy, &problem(&task)).expect("predicted");
        spy.learned.into_inner().expect("no panic")
    };
    let [tenth, half, all] = [0.1, 0.5, 1.0].map(learned);
    assert_eq!([tenth.len(), half.len(), all.len()], [2, 10, 20]);
    assert!(tenth.iter().all(|truth| half.contains(truth)));
    assert!(
        half.iter()
            .all(|truth| half.iter().filter(|t| *t == truth).count() == 2)
    );
}

#[test]
fn a_set_without_anybody_is_refused() {
    let task = task(3);
    let empty = split(&[0, 1], &[], &[4, 5]);
    let error = FoldOf::new(&task, 1, &empty, 1.0, &Seeds::new(1))
        .err()
        .expect("empty");
    let empty = FitError::EmptySet { set: "validation" };
    assert!(matches!(error, DownstreamError::Fit { reason, .. } if reason == empty));
}
