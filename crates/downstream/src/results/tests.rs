//! Tests of results with planted effects.

use brainmae_table::Column;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::predictions::tests::{class, number};
use crate::{DownstreamError, Prediction};

/// Three models of 60 subjects in five folds: the truth with little noise, with more noise, and
/// noise alone.
fn experiment() -> Predictions {
    let mut rows = Vec::new();
    for (model, signal, noise) in [
        ("BrainMAE", 1.0, 0.3),
        ("FC + ridge", 0.8, 0.8),
        ("hopeless", 0.0, 1.0),
    ] {
        let truths = &mut Seeds::new(1).stream("truth");
        let noises = &mut Seeds::new(1).stream(model);
        for i in 0..60 {
            let truth: f64 = StandardNormal.sample(truths);
            let e: f64 = StandardNormal.sample(noises);
            rows.push(Prediction {
                model: model.into(),
                n_train_units: 48,
                ..number(i / 12, &format!("{i:2}"), truth, signal * truth + noise * e)
            });
        }
    }
    Predictions::new(vec![], rows).expect("rows that agree")
}

fn results() -> Results {
    let spec = ResultsSpec {
        resamples: 200,
        permutations: 499,
        ..ResultsSpec::default()
    };
    Results::new(&experiment(), &spec, &Seeds::new(1))
}

fn pooled<'a>(results: &'a Results, model: &str, score: Score) -> &'a ResultRow {
    let mut rows = results.rows().iter();
    rows.find(|row| row.fold.is_none() && row.model == model && row.score == score)
        .expect("every model has every score")
}

#[test]
fn who_is_good_beats_chance_and_the_linear_model() {
    let results = results();
    let good = pooled(&results, "BrainMAE", Score::R2);
    assert_eq!(good.chance.p, Some(0.002));
    assert_eq!(good.p_chance_holm, Some(0.006), "three models, one score");
    assert_eq!(good.blind, Some(0.0));
    assert!(good.brainmae.is_none(), "nobody is compared with itself");
    let linear = good.linear.as_ref().expect("a linear model");
    assert!(linear.comparison.difference > Some(0.2));
    assert!(linear.p_units_holm < Some(0.05), "{linear:?}");
    assert!(linear.p_folds_holm < Some(0.1), "{linear:?}");

    let hopeless = pooled(&results, "hopeless", Score::R2);
    assert!(hopeless.value < Some(0.0) && hopeless.p_chance_holm > Some(0.05));
    assert_eq!(hopeless.n_units, 60);
    let of_fold = results.rows().iter().filter(|row| row.fold == Some(4));
    assert_eq!(of_fold.map(|row| row.n_units).collect::<Vec<_>>(), [12; 18]);
}

#[test]
fn a_slope_describes_a_model_and_decides_nothing() {
    let results = results();
    // Truth on truth plus noise: 1 / (1 + .3²) = .917; on .8 truth + .8 noise: .8 / 1.28 = .625.
    for (model, expected) in [("BrainMAE", 0.917), ("FC + ridge", 0.625)] {
        let row = pooled(&results, model, Score::CalibrationSlope);
        let interval = row.interval.expect("60 units");
        assert!(
            interval.low < expected && expected < interval.high,
            "{row:?}"
        );
        assert_eq!(
            (row.chance.p, row.p_chance_holm, row.blind),
            (None, None, None)
        );
        assert!(row.chance.mean.expect("permuted truth").abs() < 0.1);
        let against = row.linear.as_ref().or(row.brainmae.as_ref());
        let against = &against.expect("one is compared with the other").comparison;
        assert_eq!((against.difference, against.p_units), (None, None));
        assert!(!row.loses());
    }
    let offset = pooled(&results, "FC + ridge", Score::CalibrationInTheLarge);
    assert!(offset.value.is_some() && offset.interval.is_some() && offset.chance.p.is_none());
}

#[test]
fn the_slope_of_constant_predictions_is_a_dash() {
    let rows = (0..20).map(|i| number(i / 10, &format!("{i:2}"), f64::from(i), 9.5));
    let predictions = Predictions::new(vec![], rows.collect()).expect("rows that agree");
    let spec = ResultsSpec {
        resamples: 50,
        permutations: 19,
        ..ResultsSpec::default()
    };
    let results = Results::new(&predictions, &spec, &Seeds::new(1));
    let slope = pooled(&results, "m", Score::CalibrationSlope);
    assert_eq!((slope.value, slope.interval), (None, None));
    let text = results.to_markdown();
    let row = text.lines().find(|line| line.starts_with("| m |"));
    let cells: Vec<&str> = row.expect("the model").split(" | ").collect();
    assert_eq!(cells[6..8], ["–", "–"], "{text}");
    assert!(text.contains("above 1 predictions are shrunk"));
}

#[test]
fn results_are_the_same_every_time() {
    assert_eq!(results(), results());
}

#[test]
fn the_table_has_a_row_for_every_score_and_fold() {
    let table = results().to_table().expect("columns of one length");
    // Three models, six scores, five folds plus all folds together.
    assert_eq!(table.height(), 3 * 6 * 6);
    let folds = table.texts("fold").expect("texts").into_iter();
    assert_eq!(folds.filter(|fold| fold == "pooled").count(), 18);
    let differences = table.optional_numbers("linear_difference");
    let differences = differences.expect("numbers").into_iter();
    // Two models differ from the linear one in the four scores with a better direction.
    assert_eq!(differences.flatten().count(), 8);
}

#[test]
fn results_come_back_from_their_table() {
    let results = results();
    let table = results.to_table().expect("columns of one length");
    assert_eq!(Results::from_table(&table).expect("as written"), results);
}

#[test]
fn unknown_scores_and_folds_are_refused() {
    let table = results().to_table().expect("columns of one length");
    for column in ["score", "fold"] {
        let words = vec!["beauty"; table.height()];
        let other = table.with_column(Column::new(column, words));
        let other = other.expect("replaced");
        let error = Results::from_table(&other).expect_err("no such word");
        assert!(
            matches!(error, DownstreamError::UnknownWord { column: c, found } if c == column && found == "beauty")
        );
    }
    let without = table.without("value").expect("a column");
    let error = Results::from_table(&without).expect_err("a column is missing");
    assert!(matches!(error, DownstreamError::Table(_)));
}

#[test]
fn the_primary_score_of_a_row_says_whether_it_loses_to_the_linear_model() {
    let results = results();
    let hopeless = pooled(&results, "hopeless", Score::Mae);
    let good = pooled(&results, "BrainMAE", Score::Mae);
    assert!(hopeless.loses() && !good.loses());
    assert!(!pooled(&results, "FC + ridge", Score::R2).loses());
}

#[test]
fn the_best_comes_first_and_losers_are_told() {
    let text = results().to_markdown();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "### age_years");
    assert!(lines[2].starts_with("| model | training share | units | r2 | mae"));
    assert!(lines[4].starts_with("| BrainMAE") && !lines[4].contains("loses"));
    assert!(lines[5].starts_with("| FC + ridge") && lines[5].contains("worse"));
    assert!(lines[6].starts_with("| hopeless") && lines[6].contains("**loses**"));
}

#[test]
fn numbers_and_classes_are_one_family() {
    let mut rows = Vec::new();
    for i in 0..40 {
        let (unit, truth) = (format!("{i:2}"), f64::from(i));
        rows.push(number(0, &unit, truth, truth));
        let p = [[0.9, 0.1], [0.1, 0.9]][i as usize % 2];
        rows.push(class(0, &unit, i as usize % 2, &p));
    }
    let predictions = Predictions::new(vec![], rows).expect("rows that agree");
    let spec = ResultsSpec {
        resamples: 10,
        permutations: 99,
        ..ResultsSpec::default()
    };
    let results = Results::new(&predictions, &spec, &Seeds::new(1));
    let adjusted = |score| pooled(&results, "m", score).p_chance_holm;
    assert_eq!(adjusted(Score::R2), Some(0.02));
    assert_eq!(adjusted(Score::BalancedAccuracy), Some(0.02));
    assert_eq!(adjusted(Score::Mae), Some(0.01));
}
