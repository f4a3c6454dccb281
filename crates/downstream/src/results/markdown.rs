//! Results as markdown: one table per target, the best model first.

use std::cmp::Ordering;
use std::fmt::Write;

use super::{Against, ResultRow, Results};
use crate::scores::Score;

const FOOT: &str = "In brackets: 95 % intervals from resampling units, models as trained. p values are adjusted by Holm's method; \
    by chance: truth permuted over units; differences: corrected resampled t-test over folds, sign flips over units.\n";

const SLOPE: &str = "calibration_slope: of truth on prediction, within folds; 1 is right, above 1 predictions are shrunk, – if they \
    are constant. calibration_in_the_large: mean truth minus mean prediction; 0 is right.\n";

const DECISIONS: &str = "balanced_accuracy and macro_f1 decide for the class whose probability is the largest multiple of its share in \
    the training set, accuracy for the most probable one.\n";

impl Results {
    /// One markdown table per target, for all folds together. Models are in order of the target's
    /// primary score, the best first. That score has its interval, its p value against chance and
    /// its differences to the linear model and to BrainMAE.
    ///
    /// `loses` marks a model with a lower score than the linear one, significant or not.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        let of_primary = |row: &&ResultRow| row.fold.is_none() && row.score.is_primary();
        let primary: Vec<&ResultRow> = self.rows.iter().filter(of_primary).collect();
        for models in primary.chunk_by(|a, b| a.target == b.target) {
            let mut models = models.to_vec();
            models.sort_by(|a, b| best_first(a, b));
            self.write_table(&mut text, &models);
        }
        text.push_str(FOOT);
        let has = |score| primary.iter().any(|row| row.score == score);
        for (score, foot) in [(Score::R2, SLOPE), (Score::BalancedAccuracy, DECISIONS)] {
            if has(score) {
                text.push_str(foot);
            }
        }
        text
    }

    fn write_table(&self, text: &mut String, models: &[&ResultRow]) {
        let first = models[0];
        let others: Vec<Score> = self.scores_of(first).map(|row| row.score).collect();
        let mut head = vec!["model".to_owned(), "training share".into(), "units".into()];
        head.extend(others.iter().map(|score| score.name().to_owned()));
        let score = first.score.name();
        head.push(format!("p of {score} by chance"));
        let references: [fn(&ResultRow) -> Option<&Against>; 2] =
            [|row| row.linear.as_ref(), |row| row.brainmae.as_ref()];
        for of in references {
            let name = models.iter().find_map(|row| of(row));
            let name = name.map_or("–", |against| &against.reference);
            head.push(format!("less that of {name}"));
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "### {}\n\n", first.target);
        line(text, &head);
        line(text, &vec!["---".to_owned(); head.len()]);
        for model in models {
            let mut cells = vec![
                model.model.clone(),
                format!("{}", model.train_share),
                model.n_units.to_string(),
            ];
            cells.extend(self.scores_of(model).map(value));
            cells.push(p_value(model.p_chance_holm));
            cells.push(difference(model, model.linear.as_ref(), "loses"));
            cells.push(difference(model, model.brainmae.as_ref(), "worse"));
            line(text, &cells);
        }
        let blind: Vec<String> = self
            .scores_of(first)
            .filter_map(|row| Some(format!("{} {}", row.score.name(), number(row.blind?))))
            .collect();
        let _ = write!(
            text,
            "\nWithout a look at scans ({}): {}.\n\n",
            first.model,
            blind.join(", ")
        );
    }

    /// All scores of the model and target of `row`, for all folds together.
    fn scores_of<'a>(&'a self, row: &'a ResultRow) -> impl Iterator<Item = &'a ResultRow> {
        self.rows.iter().filter(move |other| {
            other.fold.is_none()
                && (&other.target, &other.model) == (&row.target, &row.model)
                && other.train_share == row.train_share
        })
    }
}

/// Descending order of scores, then of shares; undefined scores are last.
fn best_first(a: &ResultRow, b: &ResultRow) -> Ordering {
    let rank = |row: &ResultRow| {
        row.value
            .zip(row.score.sign())
            .map_or(f64::NEG_INFINITY, |(value, sign)| value * sign)
    };
    rank(b)
        .total_cmp(&rank(a))
        .then(b.train_share.total_cmp(&a.train_share))
}

pub(super) fn line(text: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn value(row: &ResultRow) -> String {
    match (row.value, row.interval) {
        (None, _) => "–".into(),
        (Some(value), None) => number(value),
        (Some(value), Some(interval)) => {
            let (low, high) = (number(interval.low), number(interval.high));
            format!("{} [{low}, {high}]", number(value))
        }
    }
}

fn difference(row: &ResultRow, against: Option<&Against>, worse: &str) -> String {
    let Some(against) = against else {
        return String::new();
    };
    let Some(difference) = against.comparison.difference else {
        return "–".into();
    };
    let mut text = match difference {
        d if d > 0.0 => format!("+{}", number(d)),
        d => number(d),
    };
    if let Some(interval) = against.comparison.interval {
        let _ = write!(
            text,
            " [{}, {}]",
            number(interval.low),
            number(interval.high)
        );
    }
    let (folds, units) = (p_value(against.p_folds_holm), p_value(against.p_units_holm));
    let _ = write!(text, ", p {folds} over folds, {units} over units");
    if row.loses_by(difference) {
        let _ = write!(text, ": **{worse}**");
    }
    text
}

/// Three digits after the point for small numbers, four digits in all for large ones; a Unicode
/// minus sign.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size < 10.0 => 3,
        size if size < 100.0 => 2,
        _ => 1,
    };
    let text = format!("{value:.digits$}");
    let zero = text.trim_start_matches('-').parse() == Ok(0.0);
    match zero {
        true => text.trim_start_matches('-').to_owned(),
        false => text.replace('-', "−"),
    }
}

pub(super) fn p_value(p: Option<f64>) -> String {
    match p {
        None => "–".into(),
        Some(p) if p < 0.001 => "< 0.001".into(),
        Some(p) => format!("{p:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let numbers = [0.12345, -7.0, 38.25, -123.456, -0.0001];
        let expected = ["0.123", "−7.000", "38.25", "−123.5", "0.000"];
        assert_eq!(numbers.map(number), expected);
        assert_eq!(p_value(Some(0.0002)), "< 0.001");
    }
}
