//! Target with its predictions and scores, as input of figures.

use std::collections::BTreeMap;

use brainmae_downstream::results::{Against, ResultRow};
use brainmae_downstream::{Kind, Prediction, Predictions, Sample, Score, TargetNotes};

use crate::palette::distinct;
use crate::{ReportError, Result};

/// A target at the largest share of training data. Only [`efficiency`](super::efficiency) looks at
/// the other shares.
pub struct Target<'a> {
    pub name: String,
    pub notes: TargetNotes,
    pub kind: Kind,
    /// Largest share of the training set that models were fitted on.
    pub share: f64,
    /// Predictions of this target at this share, with the confounds that are known for it.
    pub predictions: Predictions,
    /// Scores of this target at all shares.
    pub rows: Vec<&'a ResultRow>,
    /// Names of models, the best first.
    pub ranking: Vec<String>,
    /// Name of the linear model that the others must beat.
    pub linear: Option<String>,
    /// Name of the BrainMAE model, the subject of the experiment.
    pub brainmae: Option<String>,
    /// Share and mean number of training units, from the smallest.
    pub shares: Vec<(f64, f64)>,
}

impl<'a> Target<'a> {
    /// Collects the rows of target `name` from all tables.
    ///
    /// # Errors
    /// If only one of the tables has the target.
    pub fn new(
        name: &str,
        notes: TargetNotes,
        predictions: &Predictions,
        rows: &'a [ResultRow],
    ) -> Result<Self> {
        let rows: Vec<&ResultRow> = rows.iter().filter(|row| row.target == name).collect();
        let own: Vec<&Prediction> = (predictions.rows().iter())
            .filter(|row| row.target == name)
            .collect();
        let first = own.first().ok_or_else(|| ReportError::NoPredictions {
            target: name.to_string(),
        })?;
        let kind = first.kind();
        let shares = shares(&own);
        let share = shares.last().map_or(1.0, |(share, _)| *share);
        let largest = own.into_iter().filter(|row| row.train_share == share);
        let largest: Vec<Prediction> = largest.cloned().collect();
        let mut target = Self {
            name: name.to_string(),
            notes,
            kind,
            share,
            predictions: with_known(predictions.confounds(), largest, |_| true)?,
            rows,
            ranking: Vec::new(),
            linear: None,
            brainmae: None,
            shares,
        };
        let reference = |of: fn(&ResultRow) -> Option<&Against>| {
            let found = target.rows.iter().find_map(|row| of(row));
            found.map(|against| against.reference.clone())
        };
        let alone = || {
            let mut models = target.rows.iter().map(|row| &row.model);
            models.find(|model| model.starts_with("BrainMAE")).cloned()
        };
        let linear = reference(|row| row.linear.as_ref());
        let brainmae = reference(|row| row.brainmae.as_ref()).or_else(alone);
        let mut ranked = target.primary();
        ranked.sort_by(|a, b| {
            let rank = |row: &ResultRow| row.value.unwrap_or(f64::NEG_INFINITY);
            rank(b).total_cmp(&rank(a))
        });
        target.ranking = distinct(ranked.iter().map(|row| &row.model));
        target.linear = linear;
        target.brainmae = brainmae;
        Ok(target)
    }

    /// Primary score of every model, over all folds.
    pub fn primary(&self) -> Vec<&'a ResultRow> {
        let rows = self.rows.iter().filter(|row| row.score.is_primary());
        rows.filter(|row| row.fold.is_none() && row.train_share == self.share)
            .copied()
            .collect()
    }

    /// Primary score of one model, over all folds.
    pub fn primary_of(&self, model: &str) -> Option<&'a ResultRow> {
        self.primary().into_iter().find(|row| row.model == model)
    }

    /// A score of one model, over all folds.
    pub fn score_of(&self, model: &str, score: Score) -> Option<&'a ResultRow> {
        let mut rows = self.rows.iter();
        rows.find(|row| {
            row.fold.is_none()
                && row.train_share == self.share
                && row.model == model
                && row.score == score
        })
        .copied()
    }

    /// The best model, BrainMAE and the linear model, each once, for figures in which all models
    /// would be too many.
    pub fn spotlight(&self) -> Vec<String> {
        let best = self.ranking.first();
        distinct(best.into_iter().chain(&self.brainmae).chain(&self.linear))
    }

    /// Predictions of each model of the spotlight.
    pub fn samples(&self) -> Vec<Sample<'_>> {
        let samples = self.predictions.samples();
        let find = |model: &String| samples.iter().find(|sample| sample.model() == model);
        self.spotlight().iter().filter_map(find).cloned().collect()
    }

    /// Name of a class, or its number if it has no name.
    pub fn class(&self, number: usize) -> String {
        let name = self.notes.classes.get(number).cloned();
        name.unwrap_or_else(|| format!("class {number}"))
    }

    /// Words with the unit of measurement, such as "age_years (years)".
    pub fn with_unit(&self, words: &str) -> String {
        match &self.notes.unit {
            Some(unit) => format!("{words} ({unit})"),
            None => words.to_string(),
        }
    }
}

/// `rows` with those of the wanted confounds that at least one row has.
///
/// # Errors
/// As `Predictions::new`.
pub fn with_known(
    confounds: &[String],
    mut rows: Vec<Prediction>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Predictions> {
    let known: Vec<usize> = (0..confounds.len())
        .filter(|i| wanted(&confounds[*i]))
        .filter(|i| rows.iter().any(|row| row.confounds[*i].is_some()))
        .collect();
    for row in &mut rows {
        row.confounds = known.iter().map(|i| row.confounds[*i]).collect();
    }
    let names = known.iter().map(|i| confounds[*i].clone()).collect();
    Ok(Predictions::new(names, rows)?)
}

/// Shares with the mean number of training units.
fn shares(rows: &[&Prediction]) -> Vec<(f64, f64)> {
    let mut found: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for row in rows {
        // The order of positive numbers is that of their bits.
        let (sum, n) = found.entry(row.train_share.to_bits()).or_default();
        *sum += f64::from(row.n_train_units);
        *n += 1.0;
    }
    let shares = found.into_iter();
    shares
        .map(|(share, (sum, n))| (f64::from_bits(share), sum / n))
        .collect()
}
