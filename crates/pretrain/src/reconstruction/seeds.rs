//! Reconstruction scores over seeds.

use std::collections::BTreeMap;

use brainmae_run::Seeds;
use brainmae_statistics::{Interval, OverSeeds, bootstrap_mean};
use brainmae_table::{Column, Table};

use super::{ScanScore, means_by_unit};
use crate::PretrainError;

/// Error of one predictor at one mask ratio over several seeds. Weights, batches and masks differ
/// between seeds, and the test scans do not.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedsScore {
    /// Name of the predictor.
    pub predictor: String,
    /// Share of hidden ROIs.
    pub mask_ratio: f64,
    /// Mean squared error of hidden ROIs, the mean over units.
    pub mse: OverSeeds,
}

/// Errors over the seeds, from the scores of each seed by scan. A predictor that some seed lacks
/// has no row.
pub fn over_seeds(runs: &[Vec<ScanScore>], resamples: usize, seeds: &Seeds) -> Vec<SeedsScore> {
    let mut order: Vec<(&str, f64)> = Vec::new();
    for score in runs.iter().flatten() {
        let key = (score.predictor.as_str(), score.mask_ratio);
        if !order.contains(&key) {
            order.push(key);
        }
    }
    let row = |(predictor, mask_ratio): (&str, f64)| {
        let of =
            |score: &&ScanScore| score.predictor == predictor && score.mask_ratio == mask_ratio;
        let by_unit: Vec<BTreeMap<&str, f64>> =
            runs.iter().map(|run| means_by_unit(run, of)).collect();
        if by_unit.iter().any(BTreeMap::is_empty) {
            return None;
        }
        let mean =
            |units: &BTreeMap<&str, f64>| Some(units.values().sum::<f64>() / units.len() as f64);
        let mut of_unit: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (unit, mse) in by_unit.iter().flatten() {
            of_unit.entry(unit).or_default().push(*mse);
        }
        let of_unit: Vec<f64> = (of_unit.values())
            .map(|seeds| seeds.iter().sum::<f64>() / seeds.len() as f64)
            .collect();
        let ends = bootstrap_mean(&of_unit, resamples, seeds);
        let interval = Interval {
            low: ends.low,
            high: ends.high,
        };
        Some(SeedsScore {
            predictor: predictor.to_string(),
            mask_ratio,
            mse: OverSeeds::new(by_unit.iter().map(mean).collect(), Some(interval)),
        })
    };
    order.into_iter().filter_map(row).collect()
}

impl SeedsScore {
    /// One row per predictor and mask ratio; `seed_N` is the error with the seed `N`.
    ///
    /// # Errors
    /// [`PretrainError::Table`].
    pub fn to_table(scores: &[Self], seeds: &[u64]) -> Result<Table, PretrainError> {
        let numbers = |name: &str, of: &dyn Fn(&OverSeeds) -> Option<f64>| {
            Column::new(name, scores.iter().map(|score| of(&score.mse)))
        };
        let mut columns = vec![
            Column::new("predictor", scores.iter().map(|s| &s.predictor)),
            Column::new("mask_ratio", scores.iter().map(|s| s.mask_ratio)),
            numbers("mean", &|mse| mse.mean),
            numbers("std", &|mse| mse.std),
            numbers("low", &|mse| Some(mse.interval?.low)),
            numbers("high", &|mse| Some(mse.interval?.high)),
        ];
        for (at, seed) in seeds.iter().enumerate() {
            columns.push(numbers(&format!("seed_{seed}"), &|mse| mse.values[at]));
        }
        Ok(Table::new(scores.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table) of these seeds.
    ///
    /// # Errors
    /// [`PretrainError::Table`] if a column is missing, has another type, or has forbidden nulls.
    pub fn from_table(table: &Table, seeds: &[u64]) -> Result<Vec<Self>, PretrainError> {
        let (predictor, mask_ratio) = (table.texts("predictor")?, table.numbers("mask_ratio")?);
        let (low, high) = (
            table.optional_numbers("low")?,
            table.optional_numbers("high")?,
        );
        let of_seeds = (seeds.iter())
            .map(|seed| table.optional_numbers(&format!("seed_{seed}")))
            .collect::<Result<Vec<_>, _>>()?;
        let row = |at: usize| {
            let interval = low[at].zip(high[at]);
            let values = of_seeds.iter().map(|values| values[at]).collect();
            Self {
                predictor: predictor[at].clone(),
                mask_ratio: mask_ratio[at],
                mse: OverSeeds::new(values, interval.map(|(low, high)| Interval { low, high })),
            }
        };
        Ok((0..table.height()).map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(errors: &[(&str, f64)]) -> Vec<ScanScore> {
        let score = |(subject, mse): &(&str, f64)| ScanScore {
            predictor: "zero".into(),
            mask_ratio: 0.5,
            scan: format!("{subject}-rest"),
            subject: subject.to_string(),
            mse: *mse,
        };
        errors.iter().map(score).collect()
    }

    #[test]
    fn seeds_are_averaged_and_people_resampled() {
        let runs = [
            run(&[("a", 1.0), ("b", 3.0)]),
            run(&[("a", 3.0), ("b", 1.0)]),
            run(&[("a", 5.0), ("b", 5.0)]),
        ];
        let found = over_seeds(&runs, 200, &Seeds::new(1));
        let mse = &found[0].mse;
        assert_eq!(mse.values, [Some(2.0), Some(2.0), Some(5.0)]);
        assert_eq!(mse.mean, Some(3.0));
        assert!((mse.std.expect("three seeds") - 3f64.sqrt()).abs() < 1e-12);
        // Over the seeds both people have an error of 3.
        assert_eq!(
            mse.interval,
            Some(Interval {
                low: 3.0,
                high: 3.0
            })
        );

        let table = SeedsScore::to_table(&found, &[4, 5, 6]).expect("a table");
        let read = SeedsScore::from_table(&table, &[4, 5, 6]).expect("read");
        assert_eq!(read, found);
        assert!(SeedsScore::from_table(&table, &[7]).is_err());
    }

    #[test]
    fn a_predictor_that_a_seed_lacks_has_no_row() {
        let runs = [run(&[("a", 1.0)]), Vec::new()];
        assert_eq!(over_seeds(&runs, 200, &Seeds::new(1)), []);
    }
}
