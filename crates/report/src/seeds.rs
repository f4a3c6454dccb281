//! Report over seeds: how far a training differs from the next on the same people, beside how far
//! other people would differ.

mod run;

use std::ops::Range;

use brainmae_statistics::OverSeeds;
use serde::Serialize;

use crate::dot_plot::{Dot, DotPlot, DotRow};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::palette::{Palette, distinct};
use crate::{FactGroup, Result, number, page};

/// Contents of a report.
#[derive(Debug, Clone, Default)]
pub struct ReportData {
    /// Name of the experiment.
    pub title: String,
    /// One paragraph about the experiment.
    pub lead: String,
    /// The seeds, in order.
    pub seeds: Vec<u64>,
    /// Scores to compare, each on a figure of its own.
    pub groups: Vec<Group>,
    /// Facts about the origin of the numbers.
    pub facts: Vec<FactGroup>,
}

/// One score of several models.
#[derive(Debug, Clone)]
pub struct Group {
    /// Name: a target, or a share of hidden ROIs.
    pub name: String,
    /// Name of the score, for the axis.
    pub score: String,
    /// Whether a higher score is better.
    pub higher_is_better: bool,
    /// Scores beyond these limits become arrows.
    pub limits: Range<f64>,
    /// The models, in any order.
    pub rows: Vec<Row>,
}

/// One model.
#[derive(Debug, Clone)]
pub struct Row {
    /// Name of the model; one that starts with "BrainMAE" is in bold.
    pub model: String,
    /// Its score.
    pub of: OverSeeds,
    /// Name of the linear model, and the score minus that of the linear model.
    pub linear: Option<(String, OverSeeds)>,
}

/// Input of the template.
#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    lead: &'a str,
    warnings: [(); 0],
    explanation: String,
    groups: Vec<Section>,
    facts: &'a [FactGroup],
}

/// Section of one group.
#[derive(Serialize)]
struct Section {
    name: String,
    finding: String,
    figure: Figure,
    caption: &'static str,
    head: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

const EXPLANATION: &str = "The standard deviation over seeds says how far a training differs from the next on the same people. The \
    interval, of the mean over seeds, says how far other people would differ. A difference of two models that is smaller than the \
    deviation over seeds is no difference.";

const CAPTION: &str = "Mean and standard deviation over the seeds, the 95 % interval of the mean from resampling units (models as \
    trained), and the value of each seed.";

/// Renders the page.
///
/// # Errors
/// If the template needs a value that the page lacks.
pub fn render(data: &ReportData) -> Result<String> {
    let models = data.groups.iter().flat_map(|group| &group.rows);
    let names: Vec<String> = models.map(|row| row.model.clone()).collect();
    let (ours, others): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| is_ours(name));
    let palette = Palette::of(ours.into_iter().chain(others));
    let page = Page {
        title: &data.title,
        lead: &data.lead,
        warnings: [],
        explanation: EXPLANATION.to_string(),
        groups: (data.groups.iter())
            .map(|group| section(group, &data.seeds, &palette))
            .collect(),
        facts: &data.facts,
    };
    page::render("seeds.html", page)
}

fn is_ours(model: &str) -> bool {
    model.starts_with("BrainMAE")
}

fn section(group: &Group, seeds: &[u64], palette: &Palette) -> Section {
    let mut rows: Vec<&Row> = group.rows.iter().collect();
    let sign = if group.higher_is_better { 1.0 } else { -1.0 };
    let rank = |row: &Row| row.of.mean.map_or(f64::NEG_INFINITY, |mean| sign * mean);
    rows.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    let linear = distinct(rows.iter().filter_map(|row| Some(&row.linear.as_ref()?.0)));
    let mut head = vec![
        group.score.clone(),
        "Deviation".to_string(),
        "Interval".to_string(),
    ];
    head.extend(linear.iter().map(|name| format!("Less that of {name}")));
    head.extend(seeds.iter().map(|seed| format!("Seed {seed}")));
    let cells = |row: &&Row| {
        let interval = row.of.interval;
        let interval = interval.and_then(|ends| number::interval(ends.low, ends.high));
        let mut cells = vec![
            shown(row.of.mean),
            shown(row.of.std),
            interval.unwrap_or(number::NONE.to_string()),
        ];
        if !linear.is_empty() {
            let difference = row.linear.as_ref().map(|(_, of)| with_deviation(of));
            cells.push(difference.unwrap_or_default());
        }
        cells.extend(row.of.values.iter().map(|value| shown(*value)));
        (row.model.clone(), cells)
    };
    Section {
        name: group.name.clone(),
        finding: finding(group, &rows, seeds.len()),
        figure: figure(group, &rows, palette),
        caption: CAPTION,
        head,
        rows: rows.iter().map(cells).collect(),
    }
}

fn shown(value: Option<f64>) -> String {
    number::score(value.unwrap_or(f64::NAN))
}

fn with_deviation(of: &OverSeeds) -> String {
    match of.std {
        Some(std) => format!("{} ± {}", shown(of.mean), number::score(std)),
        None => shown(of.mean),
    }
}

/// What the scores say about BrainMAE and the best model, in a sentence.
fn finding(group: &Group, rows: &[&Row], n_seeds: usize) -> String {
    let Some(best) = rows.first().filter(|row| row.of.mean.is_some()) else {
        return "no model has a score that is defined.".to_string();
    };
    let of_best = with_deviation(&best.of);
    let mut text = format!(
        "{} is ahead, with {} of {of_best} over {n_seeds} seeds.",
        best.model, group.score
    );
    let Some(ours) = rows.iter().find(|row| is_ours(&row.model)) else {
        return text;
    };
    if ours.model != best.model {
        text += &format!(" {} has {}.", ours.model, with_deviation(&ours.of));
    }
    if let Some((linear, difference)) = &ours.linear {
        let sign = if group.higher_is_better { 1.0 } else { -1.0 };
        let values = difference.values.iter().flatten();
        let ahead = values.filter(|value| sign * **value > 0.0).count();
        text += &format!(
            " {} is ahead of {linear} with {ahead} of {n_seeds} seeds.",
            ours.model
        );
    }
    text
}

fn figure(group: &Group, rows: &[&Row], palette: &Palette) -> Figure {
    let row = |row: &&Row| {
        let ink = palette.ink(&row.model);
        let dot = |value: f64, interval, faint| Dot {
            value,
            interval,
            ink,
            faint,
            layer: 0,
        };
        let values = row.of.values.iter().flatten();
        let interval = row.of.interval.map(|ends| (ends.low, ends.high));
        let mean = row.of.mean.map(|mean| dot(mean, interval, false));
        DotRow {
            name: row.model.clone(),
            bold: is_ours(&row.model),
            dots: (values.map(|value| dot(*value, None, true)))
                .chain(mean)
                .collect(),
            note: with_deviation(&row.of),
        }
    };
    let plot = DotPlot {
        width: 900.0,
        x_label: group.score.clone(),
        limits: group.limits.clone(),
        lines: Vec::new(),
        rows: rows.iter().map(row).collect(),
    };
    let title = format!(
        "{} of {}, each seed and their mean",
        group.score, group.name
    );
    let panel = plot.draw(&title).map(|svg| Panel {
        title: title.clone(),
        svg,
    });
    let better = match group.higher_is_better {
        true => "Higher is better.",
        false => "Lower is better.",
    };
    let mut caption = format!(
        "Small dots: one seed each. Marker and line: their mean, with the 95 % interval over units. The best mean stands on top; \
         BrainMAE is in bold. {better}"
    );
    if plot.is_cut() {
        caption += " Arrows: scores beyond the axis.";
    }
    Figure {
        id: "group",
        heading: "Scores",
        empty: "No model has a score that is defined.".into(),
        legend: Vec::<LegendEntry>::new(),
        panels: panel.into_iter().collect(),
        caption,
        paired: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(values: [f64; 2]) -> OverSeeds {
        OverSeeds::new(values.map(Some).to_vec(), None)
    }

    fn data(higher_is_better: bool) -> ReportData {
        let row = |model: &str, values, linear: Option<[f64; 2]>| Row {
            model: model.to_string(),
            of: over(values),
            linear: linear.map(|values| ("FC + ridge".to_string(), over(values))),
        };
        ReportData {
            title: "states".to_string(),
            seeds: vec![4, 7],
            groups: vec![Group {
                name: "age".to_string(),
                score: "R²".to_string(),
                higher_is_better,
                limits: -1.0..1.0,
                rows: vec![
                    row("BrainMAE", [0.5, 0.75], Some([-0.25, 0.125])),
                    row("FC + ridge", [0.75, 0.625], None),
                ],
            }],
            ..ReportData::default()
        }
    }

    #[test]
    fn the_winner_is_named_first_and_seeds_are_counted() {
        let page = render(&data(true)).expect("whole data");
        let short = "<strong>age</strong>: FC + ridge is ahead, with R² of 0.688 ± 0.088 over 2 seeds. BrainMAE has 0.625 ± 0.177. \
            BrainMAE is ahead of FC + ridge with 1 of 2 seeds.";
        assert!(page.contains(short), "{page}");
        let head = "<th scope=\"col\">Less that of FC + ridge</th><th scope=\"col\">Seed 4</th><th scope=\"col\">Seed 7</th>";
        assert!(page.contains(head), "{page}");
        assert!(page.contains("<td>−0.062 ± 0.265</td><td>0.500</td><td>0.750</td>"));
    }

    #[test]
    fn of_errors_the_lowest_is_best() {
        let page = render(&data(false)).expect("whole data");
        assert!(page.contains("BrainMAE is ahead, with"), "{page}");
        assert!(page.contains("Lower is better."));
    }
}
