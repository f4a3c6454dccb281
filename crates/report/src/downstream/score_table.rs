//! Table of results of one target: models in rows, scores and comparisons in columns.

use brainmae_downstream::results::{Against, ResultRow};
use brainmae_downstream::{Kind, Score};
use brainmae_statistics::Interval;
use serde::Serialize;

use super::scores::{in_text, title};
use super::target::Target;
use crate::number;

/// Input of the template.
#[derive(Debug, Serialize)]
pub struct ScoreTable {
    pub head: Vec<String>,
    pub rows: Vec<TableRow>,
    pub caption: String,
}

/// Row of one model.
#[derive(Debug, Serialize)]
pub struct TableRow {
    pub model: String,
    /// Whether the model is BrainMAE.
    pub ours: bool,
    /// Words such as "loses to FC + ridge", if it does.
    pub loses: Option<String>,
    pub cells: Vec<Cell>,
}

/// A number, with the words below it.
#[derive(Debug, Serialize)]
pub struct Cell {
    pub value: String,
    pub small: Vec<String>,
}

impl Cell {
    fn new(value: Option<f64>, interval: Option<Interval>) -> Self {
        let interval = interval.and_then(|ends| number::interval(ends.low, ends.high));
        Self {
            value: number::score(value.unwrap_or(f64::NAN)),
            small: interval.into_iter().collect(),
        }
    }
}

impl ScoreTable {
    /// Table of the models at the largest share, the best first.
    pub fn new(target: &Target) -> Self {
        let others = Score::of(target.kind).iter().copied();
        let others: Vec<Score> = others.filter(|score| !score.is_primary()).collect();
        let primary = target.primary();
        let score = primary.first().map_or("Score", |row| title(row.score));
        let words = primary
            .first()
            .map_or("score".to_string(), |row| in_text(row.score));
        let mut head = vec![score.to_string(), "Chance".to_string()];
        let references = [&target.linear, &target.brainmae];
        head.extend(
            references
                .into_iter()
                .flatten()
                .map(|name| format!("Difference to {name}")),
        );
        head.extend(others.iter().map(|score| title(*score).to_string()));
        let rows = target.ranking.iter().filter_map(|model| {
            let row = target.primary_of(model)?;
            let mut cells = vec![Cell::new(row.value, row.interval), chance(row)];
            let against = [
                (&target.linear, &row.linear),
                (&target.brainmae, &row.brainmae),
            ];
            let against = against.into_iter().filter(|(name, _)| name.is_some());
            cells.extend(against.map(|(_, against)| difference(against.as_ref())));
            cells.extend(others.iter().map(|score| {
                let row = target.score_of(model, *score);
                Cell::new(row.and_then(|r| r.value), row.and_then(|r| r.interval))
            }));
            let loses = row.linear.as_ref().filter(|_| row.loses());
            Some(TableRow {
                model: model.clone(),
                ours: target.brainmae.as_ref() == Some(model),
                loses: loses.map(|linear| format!("loses to {}", linear.reference)),
                cells,
            })
        });
        let slope = match target.kind {
            Kind::Regression => {
                " A calibration slope of 1 and a calibration in the large of 0 are right; above 1, predictions are \
                 shrunk towards their mean."
            }
            Kind::Classification { .. } => "",
        };
        Self {
            head,
            rows: rows.collect(),
            caption: format!(
                "{score} decides; the best model stands on top. Small: 95 % intervals from resampling units; p \
                 values after Holm's method. A model “loses” if its {words} is below the linear model's, however \
                 little: the interval of the difference tells how surely.{slope}"
            ),
        }
    }
}

fn chance(row: &ResultRow) -> Cell {
    Cell {
        value: number::score(row.chance.mean.unwrap_or(f64::NAN)),
        small: vec![probability(row.p_chance_holm)],
    }
}

fn difference(against: Option<&Against>) -> Cell {
    let Some(against) = against else {
        return Cell {
            value: "itself".to_string(),
            small: vec![],
        };
    };
    let comparison = &against.comparison;
    let mut cell = Cell::new(comparison.difference, comparison.interval);
    if comparison.difference.is_some_and(|d| d > 0.0) {
        cell.value.insert(0, '+');
    }
    let folds = probability(against.p_folds_holm);
    let units = probability(against.p_units_holm);
    cell.small.push(format!("{folds} over folds"));
    cell.small.push(format!("{units} over units"));
    cell
}

/// p value in words, such as "p = 0.03".
pub fn probability(p: Option<f64>) -> String {
    match p {
        None => format!("p {}", number::NONE),
        Some(p) if p < 0.001 => "p < 0.001".to_string(),
        Some(p) if p < 0.01 => format!("p = {p:.3}"),
        Some(p) => format!("p = {p:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_probabilities_are_not_zero() {
        assert_eq!(probability(Some(1e-5)), "p < 0.001");
        assert_eq!(probability(Some(0.0042)), "p = 0.004");
        assert_eq!(probability(Some(1.0)), "p = 1.00");
        assert_eq!(probability(None), "p –");
    }
}
