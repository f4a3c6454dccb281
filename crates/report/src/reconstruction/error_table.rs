//! Table of reconstruction errors: predictors in rows, mask ratios in columns.

use serde::Serialize;

use super::Score;
use crate::number;
use crate::palette::distinct;

/// Ratios that differ by less than this share a column.
const SAME_RATIO: f64 = 1e-6;

/// Input of the template.
#[derive(Debug, Serialize)]
pub struct ErrorTable {
    pub caption: String,
    pub ratios: Vec<String>,
    pub rows: Vec<TableRow>,
}

/// Row of one predictor.
#[derive(Debug, Serialize)]
pub struct TableRow {
    pub predictor: String,
    pub cells: Vec<Cell>,
}

/// Cell of one error.
#[derive(Debug, Default, Serialize)]
pub struct Cell {
    pub mse: String,
    pub interval: Option<String>,
    /// Error on training scans; `None` if it is not measured.
    pub training: Option<String>,
    /// Whether no predictor has a lower error in this column, after rounding.
    pub best: bool,
}

impl ErrorTable {
    /// Table of `scores`, whose intervals resample `unit`.
    pub fn new(scores: &[Score], unit: &str) -> Self {
        let ratios = ratios(scores);
        let rows = distinct(scores.iter().map(|row| &row.predictor))
            .into_iter()
            .map(|predictor| {
                let cells = ratios
                    .iter()
                    .map(|ratio| cell(scores, &predictor, *ratio))
                    .collect();
                TableRow { predictor, cells }
            })
            .collect();
        let mut table = Self {
            caption: caption(scores, unit),
            ratios: ratios.iter().map(|ratio| number::short(*ratio)).collect(),
            rows,
        };
        for (column, ratio) in ratios.iter().enumerate() {
            table.mark_best(column, lowest(scores, *ratio));
        }
        table
    }

    fn mark_best(&mut self, column: usize, lowest: Option<f64>) {
        let Some(lowest) = lowest.map(number::score) else {
            return;
        };
        for row in &mut self.rows {
            row.cells[column].best = row.cells[column].mse == lowest;
        }
    }
}

fn ratios(scores: &[Score]) -> Vec<f64> {
    let mut ratios: Vec<f64> = scores.iter().map(|row| row.mask_ratio).collect();
    ratios.retain(|ratio| ratio.is_finite());
    ratios.sort_by(f64::total_cmp);
    ratios.dedup_by(|a, b| (*a - *b).abs() < SAME_RATIO);
    ratios
}

fn at(scores: &[Score], ratio: f64) -> impl Iterator<Item = &Score> {
    scores
        .iter()
        .filter(move |row| (row.mask_ratio - ratio).abs() < SAME_RATIO)
}

fn cell(scores: &[Score], predictor: &str, ratio: f64) -> Cell {
    match at(scores, ratio).find(|row| row.predictor == predictor) {
        None => Cell {
            mse: number::NONE.to_string(),
            ..Cell::default()
        },
        Some(row) => Cell {
            mse: number::score(row.mse.mean),
            interval: number::interval(row.mse.low, row.mse.high),
            training: row.training.map(|training| number::score(training.mse)),
            best: false,
        },
    }
}

fn lowest(scores: &[Score], ratio: f64) -> Option<f64> {
    at(scores, ratio)
        .map(|row| row.mse.mean)
        .filter(|mse| mse.is_finite())
        .min_by(f64::total_cmp)
}

fn caption(scores: &[Score], unit: &str) -> String {
    let units = scores.iter().map(|row| row.n_units);
    let n = match (units.clone().min(), units.max()) {
        (Some(low), Some(high)) if low == high => low.to_string(),
        (Some(low), Some(high)) => format!("{low} to {high}"),
        _ => "0".to_string(),
    };
    let training = scores.iter().find_map(|row| row.training);
    let training = training.map_or(String::new(), |training| {
        format!(
            " Train: mean error on {} scans of the training set.",
            training.n_scans
        )
    });
    format!(
        "Mean squared error of hidden ROIs at each mask ratio (z-scored signal; 1 = predicting zero), \
         lower is better. Small: interval over {unit} (n = {n}). Bold: lowest of its column.{training}"
    )
}

#[cfg(test)]
mod tests {
    use super::super::{MeanInterval, TrainingError};
    use super::*;

    fn row(predictor: &str, mask_ratio: f64, mse: f64) -> Score {
        Score {
            predictor: predictor.to_string(),
            mask_ratio,
            mse: MeanInterval {
                mean: mse,
                low: mse - 0.1,
                high: mse + 0.1,
            },
            n_units: 4,
            training: None,
        }
    }

    #[test]
    fn errors_on_training_scans_stand_in_their_cells() {
        let training = TrainingError {
            mse: 0.25,
            n_scans: 9,
        };
        let seen = Score {
            training: Some(training),
            ..row("a", 0.5, 0.4)
        };
        let table = ErrorTable::new(&[seen, row("b", 0.5, 0.5)], "scans");
        assert_eq!(table.rows[0].cells[0].training.as_deref(), Some("0.250"));
        assert_eq!(table.rows[1].cells[0].training, None);
        assert!(
            table
                .caption
                .ends_with("Train: mean error on 9 scans of the training set.")
        );
    }

    #[test]
    fn the_best_of_each_column_is_marked_and_a_hole_is_a_dash() {
        let scores = [
            row("a", 0.5, 0.4),
            row("b", 0.5, f64::NAN),
            row("a", 0.1 + 0.2, 0.6),
            row("b", 0.3, 0.5),
            row("c", 0.3, 0.5001),
        ];
        let table = ErrorTable::new(&scores, "scans");
        assert_eq!(table.ratios, ["0.3", "0.5"]);
        let best = |i: usize| -> Vec<bool> { table.rows[i].cells.iter().map(|c| c.best).collect() };
        assert_eq!(best(0), [false, true]);
        assert_eq!(best(1), [true, false]);
        // The two errors are equal after rounding.
        assert_eq!(best(2), [true, false]);
        assert_eq!(table.rows[1].cells[1].mse, "–");
        assert_eq!(table.rows[1].cells[1].interval, None);
        assert_eq!(table.rows[2].cells[1].mse, "–");
        assert!(table.caption.contains("over scans (n = 4)"));
    }
}
