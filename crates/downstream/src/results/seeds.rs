//! Scores over seeds: the same experiment, trained again with other random numbers.

use brainmae_run::Seeds;
use brainmae_statistics::OverSeeds;
use brainmae_statistics::over_seeds::mean;

use super::ResultsSpec;
use crate::predictions::{Predictions, Sample};
use crate::scores::{Score, Scorer};
use crate::statistics::bootstrap;

mod markdown;
mod table;

/// One score of one model for one target.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedsRow {
    /// Name of the target.
    pub target: String,
    /// Name of the model.
    pub model: String,
    /// Share of the training set that the model learned from.
    pub train_share: f64,
    /// Kind of the score.
    pub score: Score,
    /// The score.
    pub of: OverSeeds,
    /// Name of the linear model, and the score minus that of the linear model with the same seed;
    /// `None` for the linear model itself and for scores without a better direction.
    pub linear: Option<(String, OverSeeds)>,
}

/// Scores of an experiment over several seeds, for all folds together, in order of target, model
/// and share. Folds are the same for all seeds; weights, batches and masks are not.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedsResults {
    seeds: Vec<u64>,
    rows: Vec<SeedsRow>,
}

impl SeedsResults {
    /// Scores of the predictions of each seed. A model or target that some seed lacks has no row.
    /// The same predictions, spec and `resampling` give the same numbers.
    pub fn new(runs: &[(u64, Predictions)], spec: &ResultsSpec, resampling: &Seeds) -> Self {
        let seeds = runs.iter().map(|(seed, _)| *seed).collect();
        let samples: Vec<Vec<Sample>> = runs.iter().map(|(_, all)| all.samples()).collect();
        let find = |target: &str, model: &str, share: f64| -> Option<Vec<&Sample>> {
            let of = |samples: &'_ Vec<Sample<'_>>| {
                samples.iter().position(|other| {
                    (other.target(), other.model()) == (target, model)
                        && other.train_share() == share
                })
            };
            let found = samples.iter().map(|all| of(all).map(|at| &all[at]));
            found.collect()
        };
        let mut rows = Vec::new();
        for sample in samples.first().into_iter().flatten() {
            let (target, model, share) = (sample.target(), sample.model(), sample.train_share());
            let Some(of_seeds) = find(target, model, share) else {
                continue;
            };
            let pairs: Vec<_> = of_seeds.iter().map(|one| ((*one).clone(), None)).collect();
            let scores = over_seeds(&pairs, spec, resampling);
            let linear = (spec.linear.iter())
                .find_map(|name| Some((name, find(target, name, share)?)))
                .filter(|(name, _)| *name != model);
            let against = linear.and_then(|(name, references)| {
                let pairs = of_seeds.iter().zip(references);
                let pairs = pairs.map(|(one, other)| {
                    let (one, other) = one.in_common(other)?;
                    Some((one, Some(other)))
                });
                let pairs: Vec<_> = pairs.collect::<Option<_>>()?;
                Some((name, over_seeds(&pairs, spec, resampling)))
            });
            for (at, score) in Score::of(sample.kind()).iter().enumerate() {
                let has_direction = score.sign().is_some();
                let linear = against.as_ref().filter(|_| has_direction);
                rows.push(SeedsRow {
                    target: target.to_owned(),
                    model: model.to_owned(),
                    train_share: share,
                    score: *score,
                    of: scores[at].clone(),
                    linear: linear.map(|(name, all)| ((*name).clone(), all[at].clone())),
                });
            }
        }
        Self { seeds, rows }
    }

    /// The seeds, in order.
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// One row for each target, model, share and score.
    pub fn rows(&self) -> &[SeedsRow] {
        &self.rows
    }
}

/// Every score of the samples of all seeds; of a pair, the difference.
fn over_seeds(
    pairs: &[(Sample, Option<Sample>)],
    spec: &ResultsSpec,
    resampling: &Seeds,
) -> Vec<OverSeeds> {
    let scorers: Vec<_> = (pairs.iter())
        .map(|(one, other)| (Scorer::new(one), other.as_ref().map(Scorer::new)))
        .collect();
    let of_seed = |at: usize, weights: &[f64]| -> Vec<Option<f64>> {
        let ((one, other), (scorer, reference)) = (&pairs[at], &scorers[at]);
        let scores = scorer.scores_of(one.truth(), weights);
        match (other, reference) {
            (Some(other), Some(reference)) => {
                let references = reference.scores_of(other.truth(), weights);
                let pairs = scores.into_iter().zip(references);
                pairs.map(|(a, b)| Some(a? - b?)).collect()
            }
            _ => scores,
        }
    };
    let all_of = |weights: &[f64]| -> Vec<Vec<Option<f64>>> {
        (0..pairs.len()).map(|at| of_seed(at, weights)).collect()
    };
    let Some((first, _)) = pairs.first() else {
        return Vec::new();
    };
    let values = all_of(&vec![1.0; first.len()]);
    let n_scores = values[0].len();
    let transposed = |all: &[Vec<Option<f64>>], at: usize| -> Vec<Option<f64>> {
        all.iter().map(|scores| scores[at]).collect()
    };
    // Seeds of one experiment predict the same examples, so weights of rows fit all of them.
    let is_aligned = pairs.iter().all(|(one, _)| one.units() == first.units());
    let intervals = match is_aligned {
        true => bootstrap(first.units(), spec.resamples, resampling, |weights| {
            let all = all_of(weights);
            (0..n_scores)
                .map(|at| mean(&transposed(&all, at)))
                .collect()
        }),
        false => vec![None; n_scores],
    };
    (0..n_scores)
        .map(|at| OverSeeds::new(transposed(&values, at), intervals[at]))
        .collect()
}

#[cfg(test)]
mod tests;
