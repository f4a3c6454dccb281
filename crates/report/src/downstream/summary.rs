//! Summary of one target in a few sentences: a loss is called a loss.

use brainmae_downstream::Score;
use brainmae_downstream::results::{Against, ResultRow};

use super::forest_plot::with_interval;
use super::score_table::probability;
use super::scores::{ends, in_text};
use super::target::Target;
use crate::number;

/// States the best model, the comparison of BrainMAE with the linear model, and the models that are
/// no better than chance.
pub fn finding(target: &Target) -> String {
    let best = target
        .ranking
        .first()
        .and_then(|model| target.primary_of(model));
    let Some(best) = best.filter(|row| row.value.is_some()) else {
        return "No model has a score that is defined.".to_string();
    };
    let mut sentences = vec![format!(
        "Of {} models {} is best, with {} {} of {}.",
        target.ranking.len(),
        best.model,
        if best.score == Score::R2 { "an" } else { "a" },
        in_text(best.score),
        with_interval(best)
    )];
    let brainmae = target
        .brainmae
        .as_ref()
        .and_then(|model| target.primary_of(model));
    if let Some(row) = brainmae {
        if row.model != best.model {
            sentences.push(format!("{} has {}.", row.model, with_interval(row)));
        }
        if let Some(linear) = &row.linear {
            sentences.extend(against(row, linear));
        }
        sentences.push(match row.p_chance_holm {
            Some(p) if p <= 0.05 => {
                format!("It predicts better than chance ({}).", probability(Some(p)))
            }
            Some(p) => format!(
                "That it predicts anything is not shown ({} against chance).",
                probability(Some(p))
            ),
            None => "Against chance it could not be tested.".to_string(),
        });
    }
    let losers = target.primary().into_iter();
    let losers: Vec<&str> = losers
        .filter(|row| row.loses() && target.brainmae.as_ref() != Some(&row.model))
        .map(|row| row.model.as_str())
        .collect();
    if let (Some(linear), false) = (&target.linear, losers.is_empty()) {
        sentences.push(format!("Also behind {linear}: {}.", losers.join(", ")));
    }
    sentences.join(" ")
}

fn against(row: &ResultRow, linear: &Against) -> Option<String> {
    let difference = linear.comparison.difference?;
    let ends = ends(linear.comparison.interval);
    let sure = ends.is_some_and(|(low, high)| low > 0.0 || high < 0.0);
    let verdict = match (row.loses(), sure) {
        (true, true) => "It loses to",
        (true, false) => "It loses to, though not surely,",
        (false, true) => "It beats",
        (false, false) => "It is not surely better than",
    };
    let interval = ends.and_then(|(low, high)| number::interval(low, high));
    let interval = interval.map_or(String::new(), |interval| format!(", interval {interval}"));
    Some(format!(
        "{verdict} {} (difference {}{interval}).",
        linear.reference,
        number::score(difference)
    ))
}
