//! Results of an experiment: scores of all models with intervals, chance and comparisons.

use std::collections::BTreeSet;

use brainmae_run::Seeds;
use serde::{Deserialize, Serialize};

use crate::predictions::{Predictions, Sample};
use crate::scores::{Score, Scorer};
use crate::statistics::{self, Chance, Comparison, Interval, bootstrap, chance, holm};

mod markdown;
pub mod repeated;
pub mod seeds;
pub mod subgroups;
mod table;

/// Settings of the results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResultsSpec {
    /// Names of linear models on functional connectivity; for each target, the first one with
    /// predictions is the reference.
    pub linear: Vec<String>,
    /// Name of the experiment's own model.
    pub brainmae: String,
    /// Number of bootstrap replicates per interval.
    pub resamples: usize,
    /// Number of permutations per p value.
    pub permutations: usize,
}

impl Default for ResultsSpec {
    fn default() -> Self {
        Self {
            linear: vec!["FC + ridge".into(), "FC + logistic".into()],
            brainmae: "BrainMAE".into(),
            resamples: 2000,
            permutations: 10_000,
        }
    }
}

/// Comparison of a model with a reference; p values are adjusted for the number of tests.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    /// Name of the reference.
    pub reference: String,
    /// Difference to the reference, with its tests.
    pub comparison: Comparison,
    /// [`Comparison::p_folds`] adjusted by Holm's method.
    pub p_folds_holm: Option<f64>,
    /// [`Comparison::p_units`] adjusted by Holm's method.
    pub p_units_holm: Option<f64>,
}

/// One score of one model for one target.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultRow {
    /// Name of the target.
    pub target: String,
    /// Name of the model.
    pub model: String,
    /// Share of the training set that the model learned from.
    pub train_share: f64,
    /// Kind of the score.
    pub score: Score,
    /// Number of the fold; `None` for all folds together.
    pub fold: Option<u32>,
    /// Value of the score; `None` if it is undefined.
    pub value: Option<f64>,
    /// Interval over units, for the models as trained.
    pub interval: Option<Interval>,
    /// Number of test units.
    pub n_units: usize,
    /// Score of the constant predictor (mean or class shares of the training set). Its balanced
    /// accuracy is 1 divided by the number of classes.
    pub blind: Option<f64>,
    /// Score of predictions that are independent of the truth, and the p value against it.
    pub chance: Chance,
    /// The p value adjusted by Holm's method; for all folds together only.
    pub p_chance_holm: Option<f64>,
    /// Comparison with the linear model, trained on the same share; for all folds together only.
    pub linear: Option<Against>,
    /// Comparison with BrainMAE, likewise.
    pub brainmae: Option<Against>,
}

impl ResultRow {
    /// True if the linear model has the better score, significant or not.
    pub fn loses(&self) -> bool {
        let difference = (self.linear.as_ref()).and_then(|linear| linear.comparison.difference);
        difference.is_some_and(|difference| self.loses_by(difference))
    }

    /// True if a `difference` to a reference is for the worse.
    fn loses_by(&self, difference: f64) -> bool {
        let sign = self.score.sign();
        sign.is_some_and(|sign| difference * sign < 0.0)
    }
}

/// All results of an experiment, in order of target, model and share.
///
/// p values are adjusted by Holm's method over all targets, models and shares of an experiment.
/// Primary scores (R², balanced accuracy) are one family; each other score is a family of its own.
/// Questions (chance, the linear model, BrainMAE; over folds, over units) are adjusted separately.
/// Claims rest on primary scores, because p values are not adjusted for a choice among scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    rows: Vec<ResultRow>,
}

impl Results {
    /// Computes all results. The same predictions, spec and seeds give the same results.
    pub fn new(predictions: &Predictions, spec: &ResultsSpec, seeds: &Seeds) -> Self {
        let samples = predictions.samples();
        let mut rows = Vec::new();
        for sample in &samples {
            let pooled = rows.len();
            rows.extend(score_rows(sample, None, spec, seeds));
            let find = |model: &String| {
                samples.iter().find(|other| {
                    other.target() == sample.target()
                        && other.train_share() == sample.train_share()
                        && other.model() == model
                })
            };
            let linear = spec.linear.iter().find_map(find);
            let brainmae = find(&spec.brainmae);
            let against_linear = linear.and_then(|other| against(sample, other, spec, seeds));
            let against_brainmae = brainmae.and_then(|other| against(sample, other, spec, seeds));
            for (i, row) in rows[pooled..].iter_mut().enumerate() {
                row.linear = against_linear.as_ref().map(|all| all[i].clone());
                row.brainmae = against_brainmae.as_ref().map(|all| all[i].clone());
            }
            if sample.folds().len() > 1 {
                for (fold, sample) in sample.by_fold() {
                    rows.extend(score_rows(&sample, Some(fold), spec, seeds));
                }
            }
        }
        adjust(&mut rows);
        Self { rows }
    }

    /// One row per score, for each fold and for all folds together.
    pub fn rows(&self) -> &[ResultRow] {
        &self.rows
    }
}

fn score_rows(
    sample: &Sample,
    fold: Option<u32>,
    spec: &ResultsSpec,
    seeds: &Seeds,
) -> Vec<ResultRow> {
    let scorer = Scorer::new(sample);
    let values = scorer.scores();
    let intervals = bootstrap(sample.units(), spec.resamples, seeds, |weights| {
        scorer.scores_of(sample.truth(), weights)
    });
    let chances = chance(sample, spec.permutations, seeds);
    let blind = sample.blind();
    let blind = Scorer::new(&blind).scores();
    let scores = Score::of(sample.kind()).iter().enumerate();
    scores
        .map(|(i, score)| ResultRow {
            target: sample.target().to_owned(),
            model: sample.model().to_owned(),
            train_share: sample.train_share(),
            score: *score,
            fold,
            value: values[i],
            interval: values[i].and(intervals[i]),
            n_units: sample.units().len(),
            blind: blind[i],
            chance: chances[i],
            p_chance_holm: None,
            linear: None,
            brainmae: None,
        })
        .collect()
}

/// `None` for the reference itself.
fn against(
    sample: &Sample,
    other: &Sample,
    spec: &ResultsSpec,
    seeds: &Seeds,
) -> Option<Vec<Against>> {
    let (resamples, permutations) = (spec.resamples, spec.permutations);
    (sample.model() != other.model()).then(|| {
        statistics::compare(sample, other, resamples, permutations, seeds)
            .into_iter()
            .map(|comparison| Against {
                reference: other.model().to_owned(),
                comparison,
                p_folds_holm: None,
                p_units_holm: None,
            })
            .collect()
    })
}

/// Adjusts the p values of each question within their families.
fn adjust(rows: &mut [ResultRow]) {
    let score = |row: &ResultRow| row.fold.is_none().then_some(row.score);
    adjust_one(rows, score, |row| {
        Some((row.chance.p, &mut row.p_chance_holm))
    });
    adjust_one(rows, score, |row| row.linear.as_mut().map(over_folds));
    adjust_one(rows, score, |row| row.linear.as_mut().map(over_units));
    adjust_one(rows, score, |row| row.brainmae.as_mut().map(over_folds));
    adjust_one(rows, score, |row| row.brainmae.as_mut().map(over_units));
}

fn over_folds(against: &mut Against) -> (Option<f64>, &mut Option<f64>) {
    (against.comparison.p_folds, &mut against.p_folds_holm)
}

fn over_units(against: &mut Against) -> (Option<f64>, &mut Option<f64>) {
    (against.comparison.p_units, &mut against.p_units_holm)
}

/// Adjusts the p values of one question. `score` is that of a row, or `None` for a row that is not
/// adjusted; all primary scores are one family.
fn adjust_one<R>(
    rows: &mut [R],
    score: impl Fn(&R) -> Option<Score>,
    question: impl for<'r> Fn(&'r mut R) -> Option<(Option<f64>, &'r mut Option<f64>)>,
) {
    let family = |row: &R| {
        score(row).map(|score| match score.is_primary() {
            true => Score::R2,
            false => score,
        })
    };
    let families: BTreeSet<Score> = rows.iter().filter_map(family).collect();
    for one in families {
        let mut tests: Vec<_> = rows
            .iter_mut()
            .filter(|row| family(row) == Some(one))
            .filter_map(&question)
            .collect();
        let p: Vec<Option<f64>> = tests.iter().map(|(p, _)| *p).collect();
        for ((_, adjusted), p) in tests.iter_mut().zip(holm(&p)) {
            **adjusted = p;
        }
    }
}

#[cfg(test)]
mod tests;
