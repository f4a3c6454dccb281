//! Comparison of two models on their common test examples.

use std::ops::Range;

use brainmae_run::Seeds;

use super::{Interval, bootstrap, corrected_t, sign_flips};
use crate::predictions::Sample;
use crate::scores::{Score, Scorer};

/// Difference of two models in one score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Score of the first model minus that of the second, in the score's unit of measurement;
    /// [`Score::sign`] tells which sign is better.
    pub difference: Option<f64>,
    /// Interval over units, for both models as trained.
    pub interval: Option<Interval>,
    /// Two-sided p value over folds: [`corrected_t()`] of the differences per fold.
    pub p_folds: Option<f64>,
    /// Two-sided p value over units: [`sign_flips()`] of the differences in [loss](Score::losses)
    /// per unit. `None` for scores without losses.
    pub p_units: Option<f64>,
    /// Number of units that both models were tested on.
    pub n_units: usize,
}

/// Compares two models of one target in all scores of its kind. All fields are `None` if the models
/// have no common example, or if the score has no better direction ([`Score::sign`]).
pub fn compare(
    one: &Sample,
    other: &Sample,
    resamples: usize,
    permutations: usize,
    seeds: &Seeds,
) -> Vec<Comparison> {
    let scores = Score::of(one.kind());
    let Some((one, other)) = one.in_common(other) else {
        return vec![Comparison::default(); scores.len()];
    };
    let (scorer, reference) = (Scorer::new(&one), Scorer::new(&other));
    let differences = |weights: &[f64]| {
        subtract(
            scorer.scores_of(one.truth(), weights),
            reference.scores_of(other.truth(), weights),
        )
    };
    let intervals = bootstrap(one.units(), resamples, seeds, differences);
    let difference = differences(&vec![1.0; one.len()]);
    let by_fold = differences_by_fold(&one, &other);
    let test_share = test_share(&one);
    scores
        .iter()
        .enumerate()
        .map(|(i, score)| {
            if score.sign().is_none() {
                return Comparison {
                    n_units: one.units().len(),
                    ..Comparison::default()
                };
            }
            let of_folds: Vec<f64> = by_fold.iter().filter_map(|fold| fold[i]).collect();
            let losses = score.losses(&one).zip(score.losses(&other));
            Comparison {
                difference: difference[i],
                interval: intervals[i],
                p_folds: corrected_t(&of_folds, test_share),
                p_units: losses.and_then(|(one_losses, other_losses)| {
                    let of_units = by_unit(one.units(), &one_losses, &other_losses);
                    sign_flips(&of_units, permutations, seeds)
                }),
                n_units: one.units().len(),
            }
        })
        .collect()
}

/// Differences of all scores in each fold, `[folds][scores]`; both samples have the same examples.
pub(crate) fn differences_by_fold(one: &Sample, other: &Sample) -> Vec<Vec<Option<f64>>> {
    one.by_fold()
        .zip(other.by_fold())
        .map(|((_, one), (_, other))| {
            subtract(Scorer::new(&one).scores(), Scorer::new(&other).scores())
        })
        .collect()
}

fn subtract(one: Vec<Option<f64>>, other: Vec<Option<f64>>) -> Vec<Option<f64>> {
    let pairs = one.into_iter().zip(other);
    pairs.map(|(a, b)| Some(a? - b?)).collect()
}

/// Differences summed over the rows of each unit; the total is the difference of the scores.
fn by_unit(units: &[Range<usize>], one: &[f64], other: &[f64]) -> Vec<f64> {
    let sum = |losses: &[f64], unit: &Range<usize>| losses[unit.clone()].iter().sum::<f64>();
    units
        .iter()
        .map(|unit| sum(one, unit) - sum(other, unit))
        .collect()
}

/// Mean number of test units divided by the mean number of training units.
pub(crate) fn test_share(sample: &Sample) -> f64 {
    let shares = sample.by_fold().map(|(_, fold)| {
        let trained = fold.rows()[0].n_train_units.max(1);
        fold.units().len() as f64 / f64::from(trained)
    });
    shares.sum::<f64>() / sample.folds().len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::tests::number;
    use crate::{Prediction, Predictions};

    /// Models `m` and `n` with these errors in years.
    fn wrong_by(m: &[f64], n: &[f64]) -> Predictions {
        let rows = [("m", m), ("n", n)].map(|(model, errors)| {
            errors.iter().enumerate().map(move |(i, error)| {
                let truth = 20.0 + i as f64;
                Prediction {
                    model: model.into(),
                    n_train_units: 8,
                    ..number(i as u32 / 2, &format!("{i}"), truth, truth + error)
                }
            })
        });
        Predictions::new(vec![], rows.into_iter().flatten().collect()).expect("rows that agree")
    }

    fn mae(predictions: &Predictions) -> Comparison {
        let samples = predictions.samples();
        compare(&samples[0], &samples[1], 200, 2000, &Seeds::new(1))[1]
    }

    #[test]
    fn differences_are_tested_over_folds_and_over_units() {
        let predictions = wrong_by(
            &[1.0, -1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 0.0],
            &[2.0, 3.0, -2.0, 4.0, 2.0, 2.0, 3.0, -4.0, 1.0, 5.0],
        );
        let found = mae(&predictions);
        // Errors of 11 and 28 years in ten units.
        assert!((found.difference.expect("defined") + 1.7).abs() < 1e-12);
        // By fold: −1.5, −1.5, −0.5, −2.5, −2.5; t = −1.7 / √((1/5 + 2/8) · 0.7) = −3.028961, 4
        // degrees of freedom (scipy).
        let p = found.p_folds.expect("folds differ");
        assert!((p - 0.038_820_116).abs() < 1e-7, "{p}");
        // By unit −1 −2 0 −3 −1 0 −2 −3 0 −5: one sign and three zeros, so 2 · 2³ of 2¹⁰.
        assert_eq!(found.p_units, Some(16.0 / 1024.0));
        let interval = found.interval.expect("ten units");
        assert!(interval.low < -1.7 && interval.high < 0.0 && interval.high > -1.7);
        assert_eq!(found.n_units, 10);
    }

    #[test]
    fn a_model_is_as_good_as_itself() {
        let errors = [1.0, -2.0, 3.0, 0.0, 1.0, 5.0];
        let found = mae(&wrong_by(&errors, &errors));
        assert_eq!(found.difference, Some(0.0));
        assert_eq!((found.p_folds, found.p_units), (None, None));
    }
}
