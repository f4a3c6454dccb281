//! Names of scores for readers.

use brainmae_downstream::Score;
use brainmae_statistics::Interval;

/// Name of a score as a title.
pub fn title(score: Score) -> &'static str {
    match score {
        Score::R2 => "R²",
        Score::Mae => "Mean absolute error",
        Score::Rmse => "Root mean squared error",
        Score::PearsonR => "Pearson r",
        Score::Accuracy => "Accuracy",
        Score::BalancedAccuracy => "Balanced accuracy",
        Score::MacroF1 => "Macro F1",
        Score::Auroc => "AUROC",
        Score::Brier => "Brier score",
        Score::CalibrationError => "Calibration error",
        Score::CalibrationSlope => "Calibration slope",
        Score::CalibrationInTheLarge => "Calibration in the large",
    }
}

/// Name of a score within a sentence.
pub fn in_text(score: Score) -> String {
    match score {
        Score::R2 | Score::PearsonR | Score::Auroc => title(score).to_string(),
        other => title(other).to_lowercase(),
    }
}

/// Lower and upper end of an interval, in the form that plots take.
pub fn ends(interval: Option<Interval>) -> Option<(f64, f64)> {
    interval.map(|interval| (interval.low, interval.high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_keep_their_capitals_within_a_sentence() {
        assert_eq!(in_text(Score::Auroc), "AUROC");
        assert_eq!(in_text(Score::BalancedAccuracy), "balanced accuracy");
    }
}
