//! Repeated folds: scores of models that were fitted on several partitions into folds, and their
//! difference to the linear reference.

use std::collections::BTreeMap;
use std::fmt::Write;

use brainmae_table::{Column, Table};

use super::markdown::{line, number, p_value};
use super::table::score_of;
use super::{ResultsSpec, adjust_one};
use crate::DownstreamError;
use crate::predictions::{Predictions, Sample};
use crate::scores::{Score, Scorer};
use crate::statistics::{corrected_t, differences_by_fold, test_share};

/// One score of one model for one target, over all repeats.
#[derive(Clone, Debug, PartialEq)]
pub struct RepeatedRow {
    /// Name of the target.
    pub target: String,
    /// Name of the model.
    pub model: String,
    /// Kind of the score.
    pub score: Score,
    /// Number of partitions.
    pub n_repeats: usize,
    /// Number of folds of a partition.
    pub n_folds: usize,
    /// Mean over the folds of all repeats in which the score is defined.
    pub mean: Option<f64>,
    /// Standard deviation, over repeats, of the score of all folds together (n − 1): how much of it
    /// depends on the partition. `None` for one repeat.
    pub sd_of_repeats: Option<f64>,
    /// Name of the linear reference; `None` for the reference itself.
    pub reference: Option<String>,
    /// Mean difference to the reference over the folds of all repeats.
    pub difference: Option<f64>,
    /// Two-sided p value of these differences: [`corrected_t`]. `None` for scores without a better
    /// direction.
    pub p: Option<f64>,
    /// The p value adjusted by Holm's method over models and targets.
    pub p_holm: Option<f64>,
}

/// Scores of all models over all repeats, in order of target and model.
///
/// p values are adjusted as those of [`Results`](super::Results): primary scores are one family,
/// each other score is a family of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated {
    rows: Vec<RepeatedRow>,
}

impl Repeated {
    /// Computes the scores. Each element of `repeats` has the predictions on one partition, of the
    /// same models and targets, with one share of the training set.
    pub fn new(repeats: &[Predictions], spec: &ResultsSpec) -> Self {
        let mut samples = BTreeMap::<(&str, &str), Vec<Sample>>::new();
        for sample in repeats.iter().flat_map(Predictions::samples) {
            let model = (sample.target(), sample.model());
            samples.entry(model).or_default().push(sample);
        }
        let mut rows = Vec::new();
        for ((target, model), own) in &samples {
            let mut linear = spec.linear.iter();
            let reference = linear.find_map(|name| samples.get_key_value(&(target, name)));
            let reference = reference.filter(|((_, name), _)| name != model);
            rows.extend(rows_of(own, reference.map(|(_, samples)| &samples[..])));
        }
        let score = |row: &RepeatedRow| Some(row.score);
        adjust_one(&mut rows, score, |row| Some((row.p, &mut row.p_holm)));
        Self { rows }
    }

    /// One row per target, model and score.
    pub fn rows(&self) -> &[RepeatedRow] {
        &self.rows
    }

    /// One row per score, for `repeated.parquet`. Undefined values are null.
    ///
    /// # Errors
    /// [`DownstreamError::Table`].
    pub fn to_table(&self) -> Result<Table, DownstreamError> {
        let rows = || self.rows.iter();
        let reference = rows().map(|row| row.reference.as_deref());
        let columns = vec![
            Column::new("target", rows().map(|row| row.target.as_str())),
            Column::new("model", rows().map(|row| row.model.as_str())),
            Column::new("score", rows().map(|row| row.score.name())),
            Column::new("n_repeats", rows().map(|row| row.n_repeats as u32)),
            Column::new("n_folds", rows().map(|row| row.n_folds as u32)),
            Column::new("mean", rows().map(|row| row.mean)),
            Column::new("sd_of_repeats", rows().map(|row| row.sd_of_repeats)),
            Column::new("linear_model", reference),
            Column::new("linear_difference", rows().map(|row| row.difference)),
            Column::new("linear_p_folds", rows().map(|row| row.p)),
            Column::new("linear_p_folds_holm", rows().map(|row| row.p_holm)),
        ];
        Ok(Table::new(self.rows.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table).
    ///
    /// # Errors
    /// [`DownstreamError::Table`] if a column is missing, has another type, or has forbidden nulls;
    /// [`DownstreamError::UnknownWord`] for an unknown score.
    pub fn from_table(table: &Table) -> Result<Self, DownstreamError> {
        let [target, model, score] = ["target", "model", "score"].map(|name| table.texts(name));
        let (target, model, score) = (target?, model?, score?);
        let (n_repeats, n_folds) = (table.numbers("n_repeats")?, table.numbers("n_folds")?);
        let reference = table.optional_texts("linear_model")?;
        let numbers = |name: &str| table.optional_numbers(name);
        let (mean, sd) = (numbers("mean")?, numbers("sd_of_repeats")?);
        let difference = numbers("linear_difference")?;
        let (p, p_holm) = (numbers("linear_p_folds")?, numbers("linear_p_folds_holm")?);
        let rows = (0..table.height())
            .map(|i| {
                Ok(RepeatedRow {
                    target: target[i].clone(),
                    model: model[i].clone(),
                    score: score_of(&score[i])?,
                    n_repeats: n_repeats[i] as usize,
                    n_folds: n_folds[i] as usize,
                    mean: mean[i],
                    sd_of_repeats: sd[i],
                    reference: reference[i].clone(),
                    difference: difference[i],
                    p: p[i],
                    p_holm: p_holm[i],
                })
            })
            .collect::<Result<_, DownstreamError>>()?;
        Ok(Self { rows })
    }

    /// One markdown table of the primary scores, the best model of each target first, and a line
    /// that explains it. Empty if there are no rows.
    pub fn to_markdown(&self) -> String {
        let mut primary: Vec<&RepeatedRow> = (self.rows.iter())
            .filter(|row| row.score.is_primary())
            .collect();
        let Some(first) = primary.first() else {
            return String::new();
        };
        let mut text = format!(
            "\n### Linear models on {} more partitions into {} folds\n\n",
            first.n_repeats, first.n_folds
        );
        let mean = |row: &RepeatedRow| row.mean.unwrap_or(f64::NEG_INFINITY);
        primary.sort_by(|a, b| {
            let best_first = mean(b).total_cmp(&mean(a));
            a.target.cmp(&b.target).then(best_first)
        });
        let head = [
            "target",
            "model",
            "score",
            "mean over folds",
            "sd over repeats",
            "difference to the linear model",
            "p",
        ];
        line(&mut text, &head.map(String::from));
        line(&mut text, &head.map(|_| "---".to_string()));
        let optional = |value: Option<f64>| value.map_or("–".to_string(), number);
        for row in primary {
            let of_reference = |text: String| match row.reference {
                Some(_) => text,
                None => String::new(),
            };
            let cells = [
                row.target.clone(),
                row.model.clone(),
                row.score.name().to_owned(),
                optional(row.mean),
                optional(row.sd_of_repeats),
                of_reference(optional(row.difference)),
                of_reference(p_value(row.p_holm)),
            ];
            line(&mut text, &cells);
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{FOOT}");
        text
    }
}

const FOOT: &str = "Linear models are fitted again on each partition. sd over repeats: of the score of all folds together; p: corrected \
    resampled t-test over all folds of all repeats, after Holm.\n";

/// Rows of one model for one target; `own` and `reference` have one sample per repeat.
fn rows_of(own: &[Sample], reference: Option<&[Sample]>) -> Vec<RepeatedRow> {
    let pooled: Vec<_> = own.iter().map(|s| Scorer::new(s).scores()).collect();
    let of_folds: Vec<_> = (own.iter().flat_map(Sample::by_fold))
        .map(|(_, fold)| Scorer::new(&fold).scores())
        .collect();
    let pairs: Vec<(Sample, Sample)> = (own.iter().zip(reference.unwrap_or_default()))
        .filter_map(|(one, other)| one.in_common(other))
        .collect();
    let differences: Vec<_> = pairs
        .iter()
        .flat_map(|(one, other)| differences_by_fold(one, other))
        .collect();
    let share = mean(pairs.iter().map(|(one, _)| test_share(one)));
    let first = &own[0];
    let row = |(i, score): (usize, &Score)| {
        let at = |all: &[Vec<Option<f64>>]| -> Vec<f64> {
            all.iter().filter_map(|scores| scores[i]).collect()
        };
        let compared = score.sign().is_some().then(|| at(&differences));
        RepeatedRow {
            target: first.target().to_owned(),
            model: first.model().to_owned(),
            score: *score,
            n_repeats: own.len(),
            n_folds: first.folds().len(),
            mean: mean(at(&of_folds).into_iter()),
            sd_of_repeats: sd(&at(&pooled)),
            reference: reference.map(|samples| samples[0].model().to_owned()),
            difference: compared.as_ref().and_then(|all| mean(all.iter().copied())),
            p: (compared.zip(share)).and_then(|(all, share)| corrected_t(&all, share)),
            p_holm: None,
        }
    };
    Score::of(first.kind())
        .iter()
        .enumerate()
        .map(row)
        .collect()
}

/// `None` without any value.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let n = values.len();
    (n > 0).then(|| values.sum::<f64>() / n as f64)
}

/// Standard deviation (n − 1); `None` for fewer than two values.
fn sd(values: &[f64]) -> Option<f64> {
    let middle = mean(values.iter().copied())?;
    let squares = values.iter().map(|value| (value - middle).powi(2));
    (values.len() > 1).then(|| (squares.sum::<f64>() / (values.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests;
