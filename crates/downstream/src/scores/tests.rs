//! Tests of scores against scikit-learn 1.9.1, numpy and calculation by hand.

use brainmae_run::Seeds;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::predictions::tests::{class, number};
use crate::statistics::chance;
use crate::{Prediction, Predictions};

const TRUTH: [f64; 10] = [30.4, 24.1, 37.0, 45.0, 53.6, 41.3, 33.4, 30.6, 49.0, 59.6];
const PREDICTED: [f64; 10] = [36.8, 24.7, 32.8, 52.1, 48.0, 30.3, 36.2, 28.3, 40.7, 46.9];

fn scores(rows: Vec<Prediction>) -> Vec<Option<f64>> {
    let predictions = Predictions::new(vec![], rows).expect("rows that agree");
    Scorer::new(&predictions.samples()[0]).scores()
}

fn ages(fold: impl Fn(usize) -> u32) -> Vec<Prediction> {
    (0..10)
        .map(|i| Prediction {
            blind: vec![38.0],
            ..number(fold(i), &format!("{i}"), TRUTH[i], PREDICTED[i])
        })
        .collect()
}

fn close(found: &[Option<f64>], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let found = found.expect("a score that is defined");
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn numbers_score_as_numpy_says() {
    let one_fold = [
        0.585_591_203_741_691_9,
        6.1,
        7.106_616_635_221_011,
        0.792_986_798_892_697,
        0.989_124_667_013_276_6,
        2.72,
    ];
    close(&scores(ages(|_| 0)), &one_fold);
    let two_folds = [
        one_fold[0],
        one_fold[1],
        one_fold[2],
        0.852_793_398_285_056_7,
        1.047_609_157_835_480_3,
        2.72,
    ];
    close(&scores(ages(|i| u32::from(i > 4))), &two_folds);
}

#[test]
fn three_classes_score_as_sklearn_says() {
    let truth = [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2];
    let p = [
        [0.8, 0.1, 0.1],
        [0.0, 0.1, 0.9],
        [0.8, 0.1, 0.1],
        [0.0, 1.0, 0.0],
        [0.1, 0.8, 0.1],
        [0.3, 0.5, 0.2],
        [0.1, 0.8, 0.1],
        [0.3, 0.4, 0.3],
        [0.1, 0.1, 0.8],
        [0.3, 0.0, 0.7],
        [0.1, 0.1, 0.8],
        [0.7, 0.2, 0.1],
    ];
    let rows = (0..12).map(|i| class(0, &format!("{i:2}"), truth[i], &p[i]));
    let rows: Vec<_> = rows.collect();
    let expected = [
        0.755_555_555_555_555_5,
        0.75,
        0.740_740_740_740_740_6,
        0.818_871_252_204_585_5,
        0.200_833_333_333_333_34,
        0.283_333_333_333_333_3,
    ];
    close(&scores(rows.clone()), &expected);

    let predictions = Predictions::new(vec![], rows).expect("rows that agree");
    let sample = &predictions.samples()[0];
    let confusion = Scorer::new(sample).confusion().expect("classes");
    let counts: Vec<Vec<f64>> = (0..3)
        .map(|truth| (0..3).map(|p| confusion.count(truth, p)).collect())
        .collect();
    assert_eq!(counts, [[2.0, 0.0, 1.0], [0.0, 4.0, 0.0], [1.0, 1.0, 3.0]]);
}

#[test]
fn two_classes_with_ties_score_as_sklearn_says() {
    let truth = [0, 0, 1, 1, 0, 1, 1, 0];
    let p = [0.1, 0.4, 0.4, 0.8, 0.6, 0.6, 0.9, 0.2];
    let rows = (0..8).map(|i| class(0, &format!("{i}"), truth[i], &[1.0 - p[i], p[i]]));
    let rows: Vec<_> = rows.collect();
    close(
        &scores(rows.clone()),
        &[0.75, 0.75, 0.75, 0.875, 0.1425, 0.125],
    );

    // Probability .6 in four rows; two of them are right.
    let predictions = Predictions::new(vec![], rows).expect("rows that agree");
    let samples = predictions.samples();
    let curve = Scorer::new(&samples[0]).calibration_curve();
    let point = curve.iter().find(|bin| bin.from == 0.6).expect("a bin");
    assert!((point.confidence - 0.6).abs() < 1e-12);
    assert_eq!((point.accuracy, point.n), (0.5, 4.0));
}

/// 40,000 subjects, 10 % of them cases. One number tells them apart: it is normal with standard
/// deviation 1, around 0 and for cases around `distance`. The probabilities are Bayes'.
fn rare_cases(distance: f64, base_rate: f64) -> Vec<Prediction> {
    let rng = &mut Seeds::new(1).stream("rare");
    let draw = (0..40_000).map(|i| {
        let case = rng.random::<f64>() < 0.1;
        let noise: f64 = StandardNormal.sample(rng);
        let x = noise + if case { distance } else { 0.0 };
        let odds = (distance * (x - distance / 2.0)).exp() * 0.1 / 0.9;
        let p = odds / (1.0 + odds);
        Prediction {
            blind: vec![1.0 - base_rate, base_rate],
            ..class(0, &format!("{i}"), usize::from(case), &[1.0 - p, p])
        }
    });
    draw.collect()
}

#[test]
fn rare_cases_are_told_apart_as_well_as_common_ones() {
    // AUROC = Φ(d / √2) = .86; the best balanced accuracy is Φ(d / 2) = .7775. The most probable
    // class is the case beyond d / 2 + ln 9 / d = 2.2021: recalls Φ(2.2021) = .9862 and
    // Φ(d − 2.2021) = .2501.
    let distance = 1.5278;
    let found = scores(rare_cases(distance, 0.1));
    let value = |score| {
        let scores = Score::of(Kind::Classification { n_classes: 2 });
        let at = scores.iter().position(|other| *other == score);
        found[at.expect("a score of classes")].expect("defined")
    };
    assert!((value(Score::Auroc) - 0.86).abs() < 0.01, "{found:?}");
    assert!(
        (value(Score::BalancedAccuracy) - 0.7775).abs() < 0.02,
        "{found:?}"
    );
    assert!(
        (value(Score::Accuracy) - (0.9 * 0.9862 + 0.1 * 0.2501)).abs() < 0.01,
        "{found:?}"
    );
    assert!(value(Score::CalibrationError) < 0.01, "{found:?}");
    // With equal base rates the decision is for the most probable class.
    let likeliest = scores(rare_cases(distance, 0.5))[0].expect("defined");
    assert!((likeliest - 0.618).abs() < 0.02, "{likeliest}");
}

#[test]
fn the_constant_predictor_is_at_chance_in_every_fold_and_in_all_together() {
    // Folds with many subjects of a class have few of them in training.
    let shares = [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]];
    let tested = [[6, 3, 1], [1, 3, 6]];
    let mut rows = Vec::new();
    for (fold, counts) in tested.iter().enumerate() {
        for (truth, n) in counts.iter().enumerate() {
            rows.extend((0..*n).map(|i| Prediction {
                blind: shares[fold].to_vec(),
                ..class(
                    fold as u32,
                    &format!("{fold}{truth}{i}"),
                    truth,
                    &shares[fold],
                )
            }));
        }
    }
    let predictions = Predictions::new(vec![], rows).expect("rows that agree");
    let sample = &predictions.samples()[0];
    let of_folds: Vec<Sample> = sample.by_fold().map(|(_, fold)| fold).collect();
    for sample in of_folds.iter().chain([sample]) {
        let balanced = Scorer::new(sample).scores()[0].expect("three classes");
        assert!((balanced - 1.0 / 3.0).abs() < 1e-15, "{balanced}");
        let chance = chance(sample, 99, &Seeds::new(1))[0];
        assert!((chance.mean.expect("a mean") - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(chance.p, Some(1.0));
        let losses = Score::BalancedAccuracy.losses(sample).expect("errors");
        assert!((losses.iter().sum::<f64>() - 2.0).abs() < 1e-12);
    }
    // The most frequent class of training is right in two of 20 rows.
    assert_eq!(Scorer::new(sample).scores()[1], Some(0.1));
}

#[test]
fn what_is_undefined_is_nothing() {
    let constant = (0..4).map(|i| number(0, &format!("{i}"), f64::from(i), 0.1));
    let found = scores(constant.collect());
    assert!(found[0].is_some() && found[3].is_none(), "{found:?}");
    assert_eq!(found[4], None, "{found:?}");
    close(&found[5..], &[1.4]);

    let one_class = (0..4).map(|i| class(0, &format!("{i}"), 1, &[0.3, 0.7]));
    let [balanced, accuracy, f1, auroc, ..] = scores(one_class.collect())[..] else {
        panic!("six scores");
    };
    assert_eq!((balanced, f1, auroc), (None, None, None));
    assert_eq!(accuracy, Some(1.0));
}

#[test]
fn who_answers_the_training_mean_has_no_correlation_over_folds() {
    // Fold 0 has the old subjects, so the training mean of its model is low. Over all rows the
    // correlation would be −1.
    let rows = [
        (0, 60.0, 30.0),
        (0, 62.0, 30.0),
        (1, 29.0, 61.0),
        (1, 31.0, 61.0),
    ];
    let rows = rows
        .iter()
        .enumerate()
        .map(|(i, &(fold, truth, p))| number(fold, &format!("{i}"), truth, p));
    assert_eq!(scores(rows.collect())[3], None);
}

#[test]
fn shrunk_predictions_have_a_slope_above_one() {
    // Deviations from the mean of 40 are halved in both folds, and fold 1 is 5 too low.
    let rows = [
        (0, 30.0, 35.0),
        (0, 50.0, 45.0),
        (1, 20.0, 25.0),
        (1, 60.0, 45.0),
    ];
    let rows = rows
        .iter()
        .enumerate()
        .map(|(i, &(fold, truth, p))| number(fold, &format!("{i}"), truth, p));
    close(&scores(rows.collect())[4..], &[2.0, 2.5]);
}

#[test]
fn noise_of_32_bits_has_no_slope() {
    let rows = |noise: f64| -> Vec<Prediction> {
        let signs = [1.0, 1.0, -1.0, -1.0];
        let row = |(i, sign): (usize, &f64)| {
            number(
                0,
                &format!("{i}"),
                20.0 + 10.0 * i as f64,
                35.0 + noise * sign,
            )
        };
        signs.iter().enumerate().map(row).collect()
    };
    assert_eq!(scores(rows(3e-6))[4], None);
    assert!(scores(rows(3e-3))[4].is_some());
}

#[test]
fn folds_do_not_share_a_scale_of_probabilities() {
    // The model of each fold orders its rows correctly, with a different scale.
    let rows = [(0, 0, 0.1), (0, 1, 0.2), (1, 0, 0.8), (1, 1, 0.9)];
    let rows = rows
        .iter()
        .enumerate()
        .map(|(i, &(fold, truth, p))| class(fold, &format!("{i}"), truth, &[1.0 - p, p]));
    assert_eq!(scores(rows.collect())[3], Some(1.0));
}

#[test]
fn weights_count_rows() {
    let numbers = ages(|i| u32::from(i > 4));
    let p = [0.2, 0.9, 0.5, 0.5, 0.3, 0.7, 0.35, 0.6, 0.8, 0.1];
    let classes = (0..10).map(|i| class(i as u32 / 5, &format!("{i}"), i % 2, &[1.0 - p[i], p[i]]));
    for rows in [numbers, classes.collect()] {
        let mut doubled = rows.clone();
        for row in &rows[..3] {
            let scan = row.scan.as_ref().map(|scan| format!("{scan}-again"));
            doubled.push(Prediction {
                scan,
                ..row.clone()
            });
        }
        let predictions = Predictions::new(vec![], rows).expect("rows that agree");
        let sample = &predictions.samples()[0];
        let weights: Vec<f64> = (0..10).map(|i| if i < 3 { 2.0 } else { 1.0 }).collect();
        let weighted = Scorer::new(sample).scores_of(sample.truth(), &weights);
        let expected: Vec<f64> = scores(doubled).into_iter().flatten().collect();
        close(&weighted, &expected);
    }
}

#[test]
fn losses_sum_to_scores() {
    let predictions = Predictions::new(vec![], ages(|_| 0)).expect("rows that agree");
    let sample = &predictions.samples()[0];
    let losses = Score::Mae.losses(sample).expect("absolute errors");
    assert!((losses.iter().sum::<f64>() / 10.0 - 6.1).abs() < 1e-12);
    // Recall is 2/3 for class 0 and 1 for class 1: (2/3 + 1) / 2 = 1 − (1/3 + 0) / 2.
    let p = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]];
    let rows = (0..4).map(|i| class(0, &format!("{i}"), usize::from(i == 3), &p[i]));
    let predictions = Predictions::new(vec![], rows.collect()).expect("rows that agree");
    let sample = &predictions.samples()[0];
    let losses = Score::BalancedAccuracy.losses(sample).expect("errors");
    let balanced = 1.0 - losses.iter().sum::<f64>() / 2.0;
    close(&Scorer::new(sample).scores()[..1], &[balanced]);
}

#[test]
fn every_score_is_found_again_by_its_name() {
    use strum::VariantArray;
    let names: Vec<&str> = Score::VARIANTS.iter().map(|score| score.name()).collect();
    let expected = [
        "mae",
        "rmse",
        "r2",
        "pearson_r",
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "auroc",
        "brier",
        "calibration_error",
        "calibration_slope",
        "calibration_in_the_large",
    ];
    assert_eq!(names, expected);
    for score in Score::VARIANTS {
        assert_eq!(score.name().parse(), Ok(*score));
    }
}
