//! Results as a table, for `results.parquet` and `results.csv`.

use brainmae_table::{Column, Table, TableError};

use super::{Against, ResultRow, Results};
use crate::DownstreamError;
use crate::scores::Score;
use crate::statistics::{Chance, Comparison, Interval};

/// Value of the column `fold` for all folds together.
const POOLED: &str = "pooled";

/// Access to one of a row's references.
type Reference = fn(&ResultRow) -> Option<&Against>;

impl Results {
    /// One row per score; `fold` is a number or `pooled`. Columns of the two references begin with
    /// `linear_` and `brainmae_`. Undefined values are null.
    ///
    /// # Errors
    /// [`DownstreamError::Table`].
    pub fn to_table(&self) -> Result<Table, DownstreamError> {
        let rows = &self.rows;
        let texts = |name: &str, of: &dyn Fn(&ResultRow) -> Option<String>| {
            Column::new(name, rows.iter().map(of))
        };
        let numbers = |name: &str, of: &dyn Fn(&ResultRow) -> Option<f64>| {
            Column::new(name, rows.iter().map(of))
        };
        let counts = |name: &str, of: &dyn Fn(&ResultRow) -> Option<usize>| {
            let counts = rows.iter().map(|row| of(row).map(|n| n as u32));
            Column::new(name, counts)
        };
        let mut columns = vec![
            texts("target", &|row| Some(row.target.clone())),
            texts("model", &|row| Some(row.model.clone())),
            numbers("train_share", &|row| Some(row.train_share)),
            texts("score", &|row| Some(row.score.name().into())),
            texts("fold", &|row| {
                Some(row.fold.map_or(POOLED.into(), |fold| fold.to_string()))
            }),
            numbers("value", &|row| row.value),
            numbers("low", &|row| row.interval.map(|i| i.low)),
            numbers("high", &|row| row.interval.map(|i| i.high)),
            counts("n_units", &|row| Some(row.n_units)),
            numbers("blind", &|row| row.blind),
            numbers("chance", &|row| row.chance.mean),
            numbers("p_chance", &|row| row.chance.p),
            numbers("p_chance_holm", &|row| row.p_chance_holm),
        ];
        let references: [(&str, Reference); 2] = [
            ("linear", |row| row.linear.as_ref()),
            ("brainmae", |row| row.brainmae.as_ref()),
        ];
        for (name, of) in references {
            let number = |what: &str, part: fn(&Against) -> Option<f64>| {
                numbers(&format!("{name}_{what}"), &|row| of(row).and_then(part))
            };
            columns.push(texts(&format!("{name}_model"), &|row| {
                of(row).map(|against| against.reference.clone())
            }));
            columns.extend([
                number("difference", |a| a.comparison.difference),
                number("low", |a| a.comparison.interval.map(|i| i.low)),
                number("high", |a| a.comparison.interval.map(|i| i.high)),
                number("p_folds", |a| a.comparison.p_folds),
                number("p_folds_holm", |a| a.p_folds_holm),
                number("p_units", |a| a.comparison.p_units),
                number("p_units_holm", |a| a.p_units_holm),
            ]);
            columns.push(counts(&format!("{name}_n_units"), &|row| {
                of(row).map(|against| against.comparison.n_units)
            }));
        }
        Ok(Table::new(rows.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table).
    ///
    /// # Errors
    /// [`DownstreamError::Table`] if a column is missing, has another type, or has forbidden nulls;
    /// [`DownstreamError::UnknownWord`] for an unknown score or fold.
    pub fn from_table(table: &Table) -> Result<Self, DownstreamError> {
        let [target, model] = ["target", "model"].map(|name| table.texts(name));
        let [score, fold] = ["score", "fold"].map(|name| table.texts(name));
        let (target, model, score, fold) = (target?, model?, score?, fold?);
        let train_share = table.numbers("train_share")?;
        let n_units = table.numbers("n_units")?;
        let [value, low, high] = ["value", "low", "high"].map(|c| table.optional_numbers(c));
        let (value, low, high) = (value?, low?, high?);
        let blind = table.optional_numbers("blind")?;
        let chance = table.optional_numbers("chance")?;
        let p_chance = table.optional_numbers("p_chance")?;
        let p_chance_holm = table.optional_numbers("p_chance_holm")?;
        let linear = references(table, "linear")?;
        let brainmae = references(table, "brainmae")?;
        let rows = (linear.into_iter().zip(brainmae).enumerate())
            .map(|(i, (linear, brainmae))| {
                Ok(ResultRow {
                    target: target[i].clone(),
                    model: model[i].clone(),
                    train_share: train_share[i],
                    score: score_of(&score[i])?,
                    fold: fold_of(&fold[i])?,
                    value: value[i],
                    interval: interval(low[i], high[i]),
                    n_units: n_units[i] as usize,
                    blind: blind[i],
                    chance: Chance {
                        mean: chance[i],
                        p: p_chance[i],
                    },
                    p_chance_holm: p_chance_holm[i],
                    linear,
                    brainmae,
                })
            })
            .collect::<Result<_, DownstreamError>>()?;
        Ok(Self { rows })
    }
}

pub(super) fn unknown(column: &'static str, found: &str) -> DownstreamError {
    DownstreamError::UnknownWord {
        column,
        found: found.to_owned(),
    }
}

pub(super) fn score_of(name: &str) -> Result<Score, DownstreamError> {
    name.parse().map_err(|_| unknown("score", name))
}

fn fold_of(text: &str) -> Result<Option<u32>, DownstreamError> {
    match text {
        POOLED => Ok(None),
        number => Ok(Some(number.parse().map_err(|_| unknown("fold", number))?)),
    }
}

pub(super) fn interval(low: Option<f64>, high: Option<f64>) -> Option<Interval> {
    let (low, high) = low.zip(high)?;
    Some(Interval { low, high })
}

/// Columns of one reference; they begin with its `name`.
fn references(table: &Table, name: &str) -> Result<Vec<Option<Against>>, TableError> {
    let numbers = |what: &str| table.optional_numbers(&format!("{name}_{what}"));
    let model = table.optional_texts(&format!("{name}_model"))?;
    let (difference, low, high) = (numbers("difference")?, numbers("low")?, numbers("high")?);
    let (p_folds, p_folds_holm) = (numbers("p_folds")?, numbers("p_folds_holm")?);
    let (p_units, p_units_holm) = (numbers("p_units")?, numbers("p_units_holm")?);
    let n_units = numbers("n_units")?;
    let row = |(i, reference): (usize, Option<String>)| {
        Some(Against {
            reference: reference?,
            comparison: Comparison {
                difference: difference[i],
                interval: interval(low[i], high[i]),
                p_folds: p_folds[i],
                p_units: p_units[i],
                n_units: n_units[i].unwrap_or_default() as usize,
            },
            p_folds_holm: p_folds_holm[i],
            p_units_holm: p_units_holm[i],
        })
    };
    Ok(model.into_iter().enumerate().map(row).collect())
}
