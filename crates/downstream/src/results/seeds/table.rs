//! Scores over seeds as a table, for `seeds.parquet` and `seeds.csv`.

use brainmae_statistics::OverSeeds;
use brainmae_table::{Column, Table};

use super::{SeedsResults, SeedsRow};
use crate::DownstreamError;
use crate::scores::Score;
use crate::statistics::Interval;

impl SeedsResults {
    /// One row per score; `seed_N` is the score with the seed `N`. Columns of the difference to the
    /// linear model begin with `linear_`. Undefined values are null.
    ///
    /// # Errors
    /// [`DownstreamError::Table`].
    pub fn to_table(&self) -> Result<Table, DownstreamError> {
        let rows = &self.rows;
        let texts = |name: &str, of: &dyn Fn(&SeedsRow) -> Option<String>| {
            Column::new(name, rows.iter().map(of))
        };
        let numbers = |name: &str, of: &dyn Fn(&SeedsRow) -> Option<f64>| {
            Column::new(name, rows.iter().map(of))
        };
        let mut columns = vec![
            texts("target", &|row| Some(row.target.clone())),
            texts("model", &|row| Some(row.model.clone())),
            numbers("train_share", &|row| Some(row.train_share)),
            texts("score", &|row| Some(row.score.name().into())),
            texts("linear_model", &|row| Some(row.linear.as_ref()?.0.clone())),
        ];
        type Of = fn(&SeedsRow) -> Option<&OverSeeds>;
        let parts: [(&str, Of); 2] = [
            ("", |row| Some(&row.of)),
            ("linear_", |row| Some(&row.linear.as_ref()?.1)),
        ];
        for (prefix, of) in parts {
            let number = |name: &str, part: &dyn Fn(&OverSeeds) -> Option<f64>| {
                numbers(&format!("{prefix}{name}"), &|row| part(of(row)?))
            };
            columns.extend([
                number("mean", &|one| one.mean),
                number("std", &|one| one.std),
                number("low", &|one| Some(one.interval?.low)),
                number("high", &|one| Some(one.interval?.high)),
            ]);
            for (at, seed) in self.seeds.iter().enumerate() {
                columns.push(number(&format!("seed_{seed}"), &|one| one.values[at]));
            }
        }
        Ok(Table::new(rows.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table).
    ///
    /// # Errors
    /// [`DownstreamError::Table`] if a column is missing, has another type, or has forbidden nulls;
    /// [`DownstreamError::UnknownWord`] for an unknown score.
    pub fn from_table(table: &Table, seeds: &[u64]) -> Result<Self, DownstreamError> {
        let (target, model) = (table.texts("target")?, table.texts("model")?);
        let (train_share, score) = (table.numbers("train_share")?, table.texts("score")?);
        let linear_model = table.optional_texts("linear_model")?;
        let read = |prefix: &str| -> Result<Vec<OverSeeds>, DownstreamError> {
            let numbers = |name: &str| table.optional_numbers(&format!("{prefix}{name}"));
            let (low, high) = (numbers("low")?, numbers("high")?);
            let of_seeds = seeds.iter().map(|seed| numbers(&format!("seed_{seed}")));
            let of_seeds = of_seeds.collect::<Result<Vec<_>, _>>()?;
            let row = |at: usize| {
                let values = of_seeds.iter().map(|values| values[at]).collect();
                let interval = low[at].zip(high[at]);
                OverSeeds::new(values, interval.map(|(low, high)| Interval { low, high }))
            };
            Ok((0..table.height()).map(row).collect())
        };
        let rows = (read("")?.into_iter().zip(read("linear_")?).enumerate())
            .map(|(i, (of, linear))| {
                let unknown = |_| DownstreamError::UnknownWord {
                    column: "score",
                    found: score[i].clone(),
                };
                Ok(SeedsRow {
                    target: target[i].clone(),
                    model: model[i].clone(),
                    train_share: train_share[i],
                    score: score[i].parse::<Score>().map_err(unknown)?,
                    of,
                    linear: linear_model[i].clone().map(|name| (name, linear)),
                })
            })
            .collect::<Result<_, DownstreamError>>()?;
        Ok(Self {
            seeds: seeds.to_vec(),
            rows,
        })
    }
}
