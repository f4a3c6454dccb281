//! Summary of the scores, in a paragraph for each BrainMAE variant: a loss is called a loss.

use super::Score;
use crate::number;
use crate::palette::distinct;

/// Mask ratio at which predictors are compared; the nearest available ratio counts.
const RATIO: f64 = 0.5;
/// Ratios that differ by less than this are the same.
const SAME_RATIO: f64 = 1e-6;

/// Result of a comparison of a variant with a simple predictor.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Loses,
    Wins,
    Equal,
}

/// One paragraph for each predictor whose name starts with "BrainMAE".
pub fn findings(scores: &[Score]) -> Vec<String> {
    let predictors = distinct(scores.iter().map(|row| &row.predictor));
    let (ours, simple): (Vec<String>, Vec<String>) = predictors
        .into_iter()
        .partition(|name| name.starts_with("BrainMAE"));
    ours.iter()
        .map(|variant| finding(scores, variant, &simple))
        .collect()
}

fn finding(scores: &[Score], variant: &str, simple: &[String]) -> String {
    let Some(own) = nearest(scores, variant) else {
        return format!("{variant} has no finite score.");
    };
    let mut sentences = vec![format!(
        "At mask ratio {}, {variant} predicts hidden ROIs with a mean squared error of {}.",
        number::short(own.mask_ratio),
        with_interval(own)
    )];
    let mut rivals = Vec::new();
    let mut unknown = Vec::new();
    for name in simple {
        let rival = scores.iter().find(|row| {
            row.predictor == *name
                && row.mse.mean.is_finite()
                && (row.mask_ratio - own.mask_ratio).abs() < SAME_RATIO
        });
        match rival {
            Some(rival) => rivals.push((outcome(own, rival), rival)),
            None => unknown.push(name.clone()),
        }
    }
    // Results against the model come first.
    let verdicts = [
        (Outcome::Loses, "It loses to"),
        (Outcome::Equal, "It equals"),
        (Outcome::Wins, "It beats"),
    ];
    for (outcome, words) in verdicts {
        let named: Vec<String> = rivals
            .iter()
            .filter(|(found, _)| *found == outcome)
            .map(|(_, rival)| compared(own, rival))
            .collect();
        if !named.is_empty() {
            sentences.push(format!("{words} {}.", listed(&named)));
        }
    }
    if !unknown.is_empty() {
        sentences.push(format!(
            "There is no score of {} to compare with.",
            listed(&unknown)
        ));
    }
    sentences.join(" ")
}

/// Finite score of `predictor` at the ratio nearest to [`RATIO`].
fn nearest<'a>(scores: &'a [Score], predictor: &str) -> Option<&'a Score> {
    let distance = |row: &Score| (row.mask_ratio - RATIO).abs();
    scores
        .iter()
        .filter(|row| row.predictor == predictor)
        .filter(|row| row.mse.mean.is_finite() && row.mask_ratio.is_finite())
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

fn outcome(own: &Score, rival: &Score) -> Outcome {
    match own.mse.mean.total_cmp(&rival.mse.mean) {
        std::cmp::Ordering::Less => Outcome::Wins,
        std::cmp::Ordering::Equal => Outcome::Equal,
        std::cmp::Ordering::Greater => Outcome::Loses,
    }
}

fn compared(own: &Score, rival: &Score) -> String {
    let ends = [own.mse.low, own.mse.high, rival.mse.low, rival.mse.high];
    let intervals = match ends.iter().all(|end| end.is_finite()) {
        false => "no interval to judge by",
        true if own.mse.low <= rival.mse.high && rival.mse.low <= own.mse.high => {
            "intervals overlap"
        }
        true => "intervals do not overlap",
    };
    format!(
        "{} ({}; {intervals})",
        rival.predictor,
        number::score(rival.mse.mean)
    )
}

fn with_interval(row: &Score) -> String {
    let [mse, low, high] = [row.mse.mean, row.mse.low, row.mse.high].map(number::score);
    match row.mse.low.is_finite() && row.mse.high.is_finite() {
        true => format!("{mse} (interval {low} to {high})"),
        false => format!("{mse} (no interval)"),
    }
}

/// Words as a list: "a", "a and b", "a, b and c".
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::MeanInterval;
    use super::*;

    fn row(predictor: &str, mask_ratio: f64, mse: f64, half: f64) -> Score {
        Score {
            predictor: predictor.to_string(),
            mask_ratio,
            mse: MeanInterval {
                mean: mse,
                low: mse - half,
                high: mse + half,
            },
            n_units: 4,
            training: None,
        }
    }

    #[test]
    fn a_loss_is_a_loss_and_a_win_is_a_win() {
        let scores = [
            row("BrainMAE sg", 0.5, 0.5, 0.05),
            row("zero", 0.5, 1.0, 0.05),
            row("linear", 0.5, 0.3, 0.05),
            row("visible mean", 0.5, 0.55, 0.05),
        ];
        assert_eq!(
            findings(&scores),
            [
                "At mask ratio 0.5, BrainMAE sg predicts hidden ROIs with a mean squared error of 0.500 \
                 (interval 0.450 to 0.550). It loses to linear (0.300; intervals do not overlap). It beats \
                 zero (1.000; intervals do not overlap) and visible mean (0.550; intervals overlap)."
            ]
        );
    }

    #[test]
    fn the_nearest_ratio_counts_and_holes_are_named() {
        let scores = [
            row("BrainMAE ag", 0.1, 0.2, 0.0),
            row("BrainMAE ag", 0.7, 0.4, f64::NAN),
            row("BrainMAE ag", 0.5, f64::NAN, 0.0),
            row("linear", 0.7, f64::NAN, 0.0),
            row("zero", 0.7, 1.0, 0.0),
            row("BrainMAE sg", 0.5, f64::NAN, 0.0),
        ];
        let [ag, sg] = &findings(&scores)[..] else {
            panic!("two variants");
        };
        assert!(ag.starts_with("At mask ratio 0.7, BrainMAE ag"), "{ag}");
        assert!(
            ag.contains("beats zero (1.000; no interval to judge by)"),
            "{ag}"
        );
        assert!(
            ag.ends_with("There is no score of linear to compare with."),
            "{ag}"
        );
        assert_eq!(sg, "BrainMAE sg has no finite score.");
    }
}
