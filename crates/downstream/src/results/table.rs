//! Results as a data frame, for `results.parquet` and `results.csv`.

use polars::prelude::{Column, DataFrame};

use super::{Against, ResultRow, Results};
use crate::DownstreamError;

/// Which of a row's references.
type Reference = fn(&ResultRow) -> Option<&Against>;

impl Results {
    /// One row per score, with `fold` a number or `pooled`. Columns of the two references begin with `linear_` and `brainmae_`.
    /// What is undefined is null.
    ///
    /// # Errors
    /// [`DownstreamError::Table`] from polars.
    pub fn to_frame(&self) -> Result<DataFrame, DownstreamError> {
        let rows = &self.rows;
        let texts = |name: &str, of: &dyn Fn(&ResultRow) -> Option<String>| {
            Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
        };
        let numbers = |name: &str, of: &dyn Fn(&ResultRow) -> Option<f64>| {
            Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
        };
        let counts = |name: &str, of: &dyn Fn(&ResultRow) -> Option<usize>| {
            let counts = rows.iter().map(|row| of(row).map(|n| n as u32));
            Column::new(name.into(), counts.collect::<Vec<_>>())
        };
        let mut columns = vec![
            texts("target", &|row| Some(row.target.clone())),
            texts("model", &|row| Some(row.model.clone())),
            numbers("train_share", &|row| Some(row.train_share)),
            texts("score", &|row| Some(row.score.name().into())),
            texts("fold", &|row| {
                Some(row.fold.map_or("pooled".into(), |fold| fold.to_string()))
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
        Ok(DataFrame::new(rows.len(), columns)?)
    }
}
