//! The table of results, row by row.

use anyhow::{Context, Result};
use brainmae_downstream::Score;
use polars::prelude::{DataFrame, DataType};

/// One score of one model for one target.
#[derive(Debug, Clone, Default)]
pub struct ScoreRow {
    pub target: String,
    pub model: String,
    pub train_share: f64,
    /// As [`Score::name`] has it.
    pub score: String,
    /// Of one fold; of all together if nothing.
    pub fold: Option<u32>,
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
    pub n_units: usize,
    /// The score of who never looks at a scan.
    pub blind: Option<f64>,
    /// Mean score of exchanged truth.
    pub chance: Option<f64>,
    pub p_chance_holm: Option<f64>,
    pub linear: Option<Versus>,
    pub brainmae: Option<Versus>,
}

/// A model against one of reference.
#[derive(Debug, Clone, Default)]
pub struct Versus {
    pub reference: String,
    pub difference: Option<f64>,
    pub interval: Option<(f64, f64)>,
    pub p_folds_holm: Option<f64>,
    pub p_units_holm: Option<f64>,
}

impl ScoreRow {
    /// Whether models are ranked by this score.
    pub fn is_primary(&self) -> bool {
        [Score::R2, Score::BalancedAccuracy]
            .iter()
            .any(|score| score.name() == self.score)
    }

    /// Whether a simple linear model is better, surely or not.
    pub fn loses(&self) -> bool {
        let difference = self.linear.as_ref().and_then(|linear| linear.difference);
        difference.is_some_and(|difference| difference * sign(&self.score) < 0.0)
    }
}

/// 1 if more is better, −1 if less is.
fn sign(score: &str) -> f64 {
    let less = [
        Score::Mae,
        Score::Rmse,
        Score::Brier,
        Score::CalibrationError,
    ];
    if less.iter().any(|less| less.name() == score) {
        -1.0
    } else {
        1.0
    }
}

/// A score's name for people; an unknown one keeps its own.
pub fn title(score: &str) -> &str {
    match score {
        "r2" => "R²",
        "mae" => "Mean absolute error",
        "rmse" => "Root mean squared error",
        "pearson_r" => "Pearson r",
        "accuracy" => "Accuracy",
        "balanced_accuracy" => "Balanced accuracy",
        "macro_f1" => "Macro F1",
        "auroc" => "AUROC",
        "brier" => "Brier score",
        "calibration_error" => "Calibration error",
        other => other,
    }
}

/// The same within a sentence.
pub fn in_text(score: &str) -> String {
    match score {
        "r2" | "pearson_r" | "auroc" => title(score).to_string(),
        other => title(other).to_lowercase(),
    }
}

/// Rows of what `Results::to_frame` gave.
///
/// # Errors
/// If a column is missing or of another kind.
pub fn read(table: &DataFrame) -> Result<Vec<ScoreRow>> {
    let numbers = |name: &str| -> Result<Vec<Option<f64>>> {
        let column = table.column(name)?.cast(&DataType::Float64)?;
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        Ok(column.f64()?.iter().map(finite).collect())
    };
    let texts = |name: &str| -> Result<Vec<Option<String>>> {
        // A column of nothing but nulls has no kind of its own.
        let column = table.column(name)?.cast(&DataType::String)?;
        Ok(column.str()?.iter().map(|t| t.map(str::to_owned)).collect())
    };
    let versus = |name: &str| -> Result<Vec<Option<Versus>>> {
        let reference = texts(&format!("{name}_model"))?;
        let [difference, low, high, folds, units] =
            ["difference", "low", "high", "p_folds_holm", "p_units_holm"]
                .map(|what| numbers(&format!("{name}_{what}")));
        let (difference, low, high) = (difference?, low?, high?);
        let (folds, units) = (folds?, units?);
        let row = |(i, reference): (usize, Option<String>)| {
            reference.map(|reference| Versus {
                reference,
                difference: difference[i],
                interval: low[i].zip(high[i]),
                p_folds_holm: folds[i],
                p_units_holm: units[i],
            })
        };
        Ok(reference.into_iter().enumerate().map(row).collect())
    };
    let [target, model, score, fold] = ["target", "model", "score", "fold"].map(texts);
    let (target, model, score, fold) = (target?, model?, score?, fold?);
    let (train_share, n_units) = (numbers("train_share")?, numbers("n_units")?);
    let [value, low, high] = ["value", "low", "high"].map(numbers);
    let (value, low, high) = (value?, low?, high?);
    let [blind, chance, p_chance] = ["blind", "chance", "p_chance_holm"].map(numbers);
    let (blind, chance, p_chance) = (blind?, chance?, p_chance?);
    let (mut linear, mut brainmae) = (versus("linear")?, versus("brainmae")?);
    (0..table.height())
        .map(|i| {
            let name = |of: &[Option<String>]| {
                of[i].clone().with_context(|| format!("row {i} has a null"))
            };
            let fold = name(&fold)?;
            let fold = match fold.as_str() {
                "pooled" => None,
                number => Some(number.parse().with_context(|| format!("fold {number:?}"))?),
            };
            Ok(ScoreRow {
                target: name(&target)?,
                model: name(&model)?,
                train_share: train_share[i].with_context(|| format!("row {i} has no share"))?,
                score: name(&score)?,
                fold,
                value: value[i],
                interval: low[i].zip(high[i]),
                n_units: n_units[i].unwrap_or(0.0) as usize,
                blind: blind[i],
                chance: chance[i],
                p_chance_holm: p_chance[i],
                linear: linear[i].take(),
                brainmae: brainmae[i].take(),
            })
        })
        .collect::<Result<_>>()
        .context("the table of results is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_error_is_no_loss() {
        let row = |score: &str, difference| ScoreRow {
            score: score.to_string(),
            linear: Some(Versus {
                difference: Some(difference),
                ..Versus::default()
            }),
            ..ScoreRow::default()
        };
        assert!(row("r2", -0.1).loses() && row("mae", 0.1).loses());
        assert!(!row("mae", -0.1).loses() && !row("r2", 0.0).loses());
        assert!(!ScoreRow::default().loses());
    }
}
