//! Permutation test of the scores of one model against chance.

use brainmae_run::Seeds;
use rayon::prelude::*;

use super::Exchange;
use crate::Score;
use crate::predictions::Sample;
use crate::scores::Scorer;

/// Distribution of a score if predictions are independent of the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chance {
    /// Mean score over permuted truths.
    pub mean: Option<f64>,
    /// One-sided p value: share of permuted truths with an equal or better score. `None` if the
    /// score has no better direction.
    pub p: Option<f64>,
}

/// Chance level of all scores of the sample's kind of target. Truths are permuted by [`Exchange`];
/// predictions stay the same.
///
/// ```text
/// p = (1 + #{T̄ + c (Tᵢ − T̄) ≥ T}) / (1 + permutations)      c = 1 for one fold, √2 for several
/// ```
/// Models are not retrained. Within one fold the test is exact, because the truth of the test set
/// was unknown to the model. Over several folds the factor `c` is needed: a truth of one fold's
/// test set is a training truth of the other folds' models. For a prediction that is linear in the
/// training truth, `ŷᵢ = Σj Kᵢⱼ yⱼ` with `Kᵢⱼ = Kⱼᵢ`, the score `Σᵢ yᵢ ŷᵢ` counts each pair of
/// units of two folds twice. Permuted truth treats the two as independent, which gives half the
/// variance; `c` corrects it. Of models without an effect, 11 % have p ≤ 0.05 without `c`, 3 to 4 %
/// with it (`folds_of_a_ridge_are_not_independent`). If the model was trained on other data, the
/// test is conservative.
///
/// `None` if no truths can be exchanged: one unit per fold, or one truth for all.
///
/// # Source
/// Phipson & Smyth 2010 for the added one; Noirhomme et al. 2014 for the dependence of folds. The
/// factor `c` is new here.
pub fn chance(sample: &Sample, permutations: usize, seeds: &Seeds) -> Vec<Chance> {
    let scores = Score::of(sample.kind());
    let exchange = Exchange::new(sample);
    if !exchange.is_possible() || permutations == 0 {
        return vec![Chance::default(); scores.len()];
    }
    let scorer = Scorer::new(sample);
    let ones = vec![1.0; sample.len()];
    let exchanged: Vec<Vec<Option<f64>>> = (0..permutations as u64)
        .into_par_iter()
        .map(|permutation| {
            let rng = &mut seeds.stream_at("permutations", &[permutation]);
            let from = exchange.draw(rng);
            let truth: Vec<f64> = from.iter().map(|row| sample.truth()[*row]).collect();
            scorer.scores_of(&truth, &ones)
        })
        .collect();
    let widen = match sample.folds().len() {
        1 => 1.0,
        _ => std::f64::consts::SQRT_2,
    };
    let observed = scorer.scores();
    (0..scores.len())
        .map(|i| {
            let values: Vec<f64> = exchanged.iter().filter_map(|one| one[i]).collect();
            if values.is_empty() {
                return Chance::default();
            }
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let p = observed[i].zip(scores[i].sign()).map(|(observed, sign)| {
                let threshold = sign * observed - 1e-12 * observed.abs();
                let reached = values
                    .iter()
                    .filter(|value| sign * (mean + widen * (*value - mean)) >= threshold)
                    .count();
                let undefined = permutations - values.len();
                (1 + reached + undefined) as f64 / (1 + permutations) as f64
            });
            Chance {
                mean: Some(mean),
                p,
            }
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use nalgebra::{DMatrix, DVector};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::predictions::tests::{class, number};
    use crate::{Prediction, Predictions};

    /// Kolmogorov-Smirnov distance of p values from the uniform distribution, below its 99.9 %
    /// bound.
    pub(crate) fn assert_uniform(mut p: Vec<f64>) {
        p.sort_by(f64::total_cmp);
        let n = p.len() as f64;
        let distance = p.iter().enumerate().fold(0.0, |largest: f64, (i, p)| {
            let i = i as f64;
            largest
                .max((p - i / n).abs())
                .max((p - (i + 1.0) / n).abs())
        });
        assert!(distance < 1.95 / n.sqrt(), "{distance} of {n}");
    }

    fn normal(rng: &mut ChaCha8Rng) -> f64 {
        StandardNormal.sample(rng)
    }

    fn chances(rows: Vec<Prediction>, permutations: usize, seed: u64) -> Vec<Chance> {
        let predictions = Predictions::new(vec![], rows).expect("rows that agree");
        chance(&predictions.samples()[0], permutations, &Seeds::new(seed))
    }

    fn p_of_r(rows: Vec<Prediction>, permutations: usize, seed: u64) -> f64 {
        chances(rows, permutations, seed)[3].p.expect("it varies")
    }

    #[test]
    fn p_values_of_one_fold_are_uniform_with_several_scans_of_a_subject() {
        let p = (0..500).map(|trial| {
            let rng = &mut Seeds::new(trial).stream("data");
            let mut rows = Vec::new();
            for i in 0..24 {
                let (truth, of_subject) = (normal(rng), normal(rng));
                for scan in 0..1 + i % 3 {
                    let p = of_subject + 0.3 * normal(rng);
                    rows.push(Prediction {
                        scan: Some(format!("{i} {scan}")),
                        ..number(0, &format!("{i}"), truth, p)
                    });
                }
            }
            p_of_r(rows, 299, trial)
        });
        assert_uniform(p.collect());
    }

    /// Predictions of a ridge regression in five folds; the truth is independent of the 20 features
    /// of 50 subjects.
    fn ridge_of_noise(rng: &mut ChaCha8Rng, classes: bool) -> Vec<Prediction> {
        let (n, folds) = (50, 5);
        let x = DMatrix::from_fn(n, 20, |_, _| normal(rng));
        let noise = DVector::from_fn(n, |_, _| normal(rng));
        let y = if classes {
            noise.map(|y| f64::from(y > 0.0))
        } else {
            noise
        };
        let mut rows = Vec::new();
        for fold in 0..folds {
            let training: Vec<usize> = (0..n).filter(|i| i % folds != fold).collect();
            let (x_train, y_train) = (x.select_rows(&training), y.select_rows(&training));
            let mean = y_train.mean();
            let gram = x_train.tr_mul(&x_train) + DMatrix::identity(20, 20) * 20.0;
            let slopes = gram
                .cholesky()
                .expect("positive definite")
                .solve(&x_train.tr_mul(&y_train.add_scalar(-mean)));
            for i in (fold..n).step_by(folds) {
                let predicted = mean + (x.row(i) * &slopes)[0];
                let p = predicted.clamp(0.0, 1.0);
                let (fold, unit) = (fold as u32, format!("{i}"));
                rows.push(match classes {
                    true => Prediction {
                        blind: vec![1.0 - mean, mean],
                        ..class(fold, &unit, y[i] as usize, &[1.0 - p, p])
                    },
                    false => number(fold, &unit, y[i], predicted),
                });
            }
        }
        rows
    }

    #[test]
    fn folds_of_a_ridge_are_not_independent() {
        let (mut of_r, mut of_error, mut of_classes, mut as_if) = (0, 0, 0, 0);
        let found = |p: Option<f64>| usize::from(p.expect("it varies") <= 0.05);
        for trial in 0..500 {
            let rng = &mut Seeds::new(trial).stream("data");
            let mut rows = ridge_of_noise(rng, false);
            let classes = chances(ridge_of_noise(rng, true), 199, trial);
            of_classes += found(classes[0].p);
            let numbers = chances(rows.clone(), 199, trial);
            of_error += found(numbers[1].p);
            of_r += found(numbers[3].p);
            // The same numbers as predictions of one model trained on other data; the mean of each
            // fold is known.
            for fold in 0..5 {
                let mean = |of: fn(&Prediction) -> f64, rows: &[Prediction]| {
                    rows.iter().filter(|r| r.fold == fold).map(of).sum::<f64>() / 10.0
                };
                let (truth, output) = (mean(|r| r.truth, &rows), mean(|r| r.output[0], &rows));
                for row in rows.iter_mut().filter(|row| row.fold == fold) {
                    row.truth -= truth;
                    row.output[0] -= output;
                }
            }
            rows.iter_mut().for_each(|row| row.fold = 0);
            as_if += found(chances(rows, 199, trial)[3].p);
        }
        // Of 500, 25 are expected, with a standard deviation of 5.
        for found in [of_r, of_error, of_classes] {
            assert!(found < 41, "{found}");
        }
        assert!(of_r > 9 && as_if > 45, "{of_r} {as_if}");
    }

    #[test]
    fn a_model_that_knows_is_found() {
        let rows = (0..40).map(|i| {
            let p = if i % 10 == 0 { 0.4 } else { 0.8 };
            let truth = usize::from(i % 2 == 0);
            let p = if truth == 1 {
                [1.0 - p, p]
            } else {
                [p, 1.0 - p]
            };
            class(i / 20, &format!("{i}"), truth, &p)
        });
        let found = chances(rows.collect(), 999, 1);
        assert!(found[0].p < Some(0.01), "{found:?}");
        let mean = found[0].mean.expect("a mean");
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }

    #[test]
    fn without_anything_to_exchange_there_is_no_test() {
        let rows = (0..3).map(|i| number(i, &format!("{i}"), f64::from(i), f64::from(i)));
        assert_eq!(chances(rows.collect(), 99, 1), [Chance::default(); 6]);
    }
}
