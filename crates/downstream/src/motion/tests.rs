//! Tests with motion planted in predictions: it is found and removed.

use brainmae_run::Seeds;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::predictions::tests::{class, number};
use crate::scores::Scorer;
use crate::{DownstreamError, Prediction, PredictionError, Predictions};

fn rows(of: impl Fn(f64, f64, f64) -> f64) -> Predictions {
    let rng = &mut Seeds::new(3).stream("data");
    let rows = (0..200).map(|i| {
        let [truth, fd, noise]: [f64; 3] = std::array::from_fn(|_| StandardNormal.sample(rng));
        Prediction {
            confounds: vec![Some(0.2 + 0.05 * fd)],
            ..number(i / 40, &format!("{i:3}"), truth, of(truth, fd, noise))
        }
    });
    Predictions::new(vec!["mean_fd_mm".into()], rows.collect()).expect("rows that agree")
}

fn link(predictions: &Predictions, quantity: Quantity) -> ConfoundLink {
    let links = confound_links(predictions, 300, &Seeds::new(1));
    let found = links.into_iter().find(|link| link.quantity == quantity);
    found.expect("every quantity is there")
}

#[test]
fn a_model_that_reads_motion_is_found_out() {
    let reads_motion = rows(|truth, fd, noise| truth + fd + noise);
    let r = |quantity| {
        let link = link(&reads_motion, quantity);
        let interval = link.interval.expect("many units");
        (interval.low, interval.high)
    };
    // 1/√3 of the prediction, 1/√2 of the error, 0 of the truth.
    let (low, high) = r(Quantity::Prediction);
    assert!(low < 0.577 && 0.577 < high && high - low < 0.3);
    let (low, high) = r(Quantity::Error);
    assert!(low < 0.707 && 0.707 < high);
    let (low, high) = r(Quantity::Truth);
    assert!(low < 0.0 && 0.0 < high);
}

#[test]
fn motion_is_taken_out_of_predictions() {
    let clean = without_confounds(&rows(|truth, fd, noise| truth + fd + noise));
    let clean = clean.expect("five folds");
    let r = link(&clean, Quantity::Prediction).r.expect("it varies");
    assert!(r.abs() < 0.15, "{r}");
    // The score is 1/√3 with motion and 1/√2 without.
    let score = |p: &Predictions| Scorer::new(&p.samples()[0]).scores()[3].expect("it varies");
    assert!((score(&clean) - 0.707).abs() < 0.08);

    let only_motion = without_confounds(&rows(|_, fd, _| fd)).expect("five folds");
    let largest = only_motion.rows().iter().map(|row| row.output[0].abs());
    assert!(
        largest.fold(0.0, f64::max) < 1.0,
        "the mean of the prediction is left"
    );
}

#[test]
fn slopes_are_of_other_folds() {
    // In fold 1 the prediction is twice the confound, in fold 0 it equals the confound. The first
    // result is 5 − (3 − 1) · 2.
    let fd = [[0.0, 3.0], [0.0, 2.0]];
    let predicted = [[2.0, 5.0], [0.0, 4.0]];
    let mut rows = Vec::new();
    for fold in 0..2 {
        for i in 0..2 {
            rows.push(Prediction {
                confounds: vec![Some(fd[fold][i])],
                ..number(fold as u32, &format!("{fold}{i}"), 0.0, predicted[fold][i])
            });
        }
    }
    let predictions = Predictions::new(vec!["mean_fd_mm".into()], rows).expect("rows that agree");
    let clean = without_confounds(&predictions).expect("two folds");
    let found: Vec<f64> = clean.rows().iter().map(|row| row.output[0]).collect();
    // Fold 1: slope 1 and mean 1.5 of fold 0.
    let expected = [2.0 + 2.0, 5.0 - 4.0, 0.0 + 1.5, 4.0 - 0.5];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
}

#[test]
fn probabilities_stay_probabilities_and_who_moved_unknown_is_left_out() {
    let rows = (0..30).map(|i| {
        let p = 0.1 + 0.8 * f64::from(i) / 30.0;
        Prediction {
            confounds: vec![(i > 0).then(|| f64::from(i))],
            ..class(i as u32 % 3, &format!("{i}"), i as usize % 2, &[1.0 - p, p])
        }
    });
    let predictions = Predictions::new(vec!["mean_fd_mm".into()], rows.collect());
    let predictions = predictions.expect("rows that agree");
    let clean = without_confounds(&predictions).expect("three folds");
    assert_eq!(clean.rows().len(), 29);
    let spread = |p: &Predictions| {
        let p = p.rows().iter().map(|row| row.output[1]);
        p.clone().fold(0.0, f64::max) - p.fold(1.0, f64::min)
    };
    assert!(spread(&clean) < 0.3 * spread(&predictions));
}

#[test]
fn one_fold_cannot_tell() {
    let one = Prediction {
        confounds: vec![Some(0.1)],
        ..number(0, "a", 1.0, 1.0)
    };
    let predictions = Predictions::new(vec!["mean_fd_mm".into()], vec![one]).expect("a row");
    let error = without_confounds(&predictions).expect_err("one fold");
    assert!(matches!(
        error,
        DownstreamError::Predictions {
            reason: PredictionError::OneFold,
            ..
        }
    ));
}

#[test]
fn a_confound_that_is_constant_explains_nothing() {
    let mut rows: Vec<Prediction> = rows(|truth, _, noise| truth + noise).rows().to_vec();
    for row in &mut rows {
        row.confounds = vec![Some(0.1)];
    }
    let predictions = Predictions::new(vec!["site".into()], rows).expect("rows that agree");
    let clean = without_confounds(&predictions).expect("five folds");
    for (clean, row) in clean.rows().iter().zip(predictions.rows()) {
        assert_eq!(clean.output, row.output);
    }
}
