//! Forest plot: the primary score of every model, with intervals and folds.

use std::ops::Range;

use brainmae_downstream::Kind;
use brainmae_downstream::results::ResultRow;
use plotters::style::RGBColor;

use super::scores::{ends, title};
use super::target::Target;
use crate::dot_plot::{Dot, DotPlot, DotRow, Upright};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::number;
use crate::palette::{GREY, Ink, Marker, Palette};

/// An R² below this becomes an arrow, so that one outlier does not compress the others.
const LEAST_R2: f64 = -1.0;
/// Colour of the line at the linear model's score.
const LINEAR: RGBColor = RGBColor(213, 94, 0);

/// Range of the axis for scores of this kind of target.
pub fn limits(kind: Kind) -> Range<f64> {
    match kind {
        Kind::Regression => LEAST_R2..1.0,
        Kind::Classification { .. } => 0.0..1.0,
    }
}

/// Figure with two panels: all folds together, and each fold.
pub fn figure(target: &Target, palette: &Palette) -> Figure {
    let mut figure = Figure {
        id: "scores",
        heading: "Scores",
        empty: "No model has a score that is defined.".into(),
        legend: Vec::new(),
        panels: Vec::new(),
        caption: String::new(),
        paired: false,
    };
    let rows = target.primary();
    let Some(first) = rows.iter().find(|row| row.value.is_some()) else {
        return figure;
    };
    let score = title(first.score);
    let linear = target
        .linear
        .as_ref()
        .and_then(|m| target.primary_of(m)?.value);
    let blind = first.blind;
    let uprights = || {
        let lines = [(blind, GREY), (linear, LINEAR)].into_iter();
        lines
            .filter_map(|(at, colour)| Some(Upright { at: at?, colour }))
            .collect::<Vec<_>>()
    };
    let plot = |row: &dyn Fn(&str) -> DotRow| DotPlot {
        width: 900.0,
        x_label: score.to_string(),
        limits: limits(target.kind),
        lines: uprights(),
        rows: target.ranking.iter().map(|model| row(model)).collect(),
    };
    let all = plot(&|model| pooled(target, model, palette));
    let folds = plot(&|model| by_fold(target, model, palette));
    let has_folds = folds.rows.iter().any(|row| row.dots.len() > 2);
    let panels = [
        ("all folds together, 95 % intervals", &all, true),
        ("each fold (dots) and their mean", &folds, has_folds),
    ];
    for (words, plot, wanted) in panels {
        let described = format!("{score} of {}: {words}", target.name);
        if let Some(svg) = plot.draw(&described).filter(|_| wanted) {
            figure.panels.push(Panel {
                title: format!("{score}, {words}"),
                svg,
            });
        }
    }
    if let Some(name) = target.linear.as_ref().filter(|_| linear.is_some()) {
        let name = format!("{name}, the linear model");
        figure.legend.push(LegendEntry::dashed(&name, LINEAR));
    }
    figure.legend.push(LegendEntry::dashed(
        "chance: answers without looking at scans",
        GREY,
    ));
    figure.legend.push(LegendEntry::marker(
        "the same predictions with truth exchanged at random",
        tick(),
    ));
    figure.caption =
        "The best model stands on top; BrainMAE is in bold. Higher is better.".to_string();
    if all.is_cut() || folds.is_cut() {
        figure.caption += &format!(
            " Arrows: scores below {}, beyond the axis.",
            number::short(limits(target.kind).start)
        );
    }
    figure
}

/// Marker of the mean score with permuted truth.
fn tick() -> Ink {
    Ink {
        colour: RGBColor(160, 160, 160),
        marker: Marker::Cross,
    }
}

fn pooled(target: &Target, model: &str, palette: &Palette) -> DotRow {
    let row = target.primary_of(model);
    let value = row.and_then(|row| row.value);
    let chance = row.and_then(|row| row.chance.mean);
    let chance = chance.map(|value| Dot {
        value,
        interval: None,
        ink: tick(),
        faint: false,
        layer: 0,
    });
    let own = value.map(|value| Dot {
        value,
        interval: row.and_then(|row| ends(row.interval)),
        ink: palette.ink(model),
        faint: false,
        layer: 0,
    });
    DotRow {
        name: model.to_string(),
        bold: target.brainmae.as_deref() == Some(model),
        dots: chance.into_iter().chain(own).collect(),
        note: row.map_or(number::NONE.to_string(), with_interval),
    }
}

/// Score with its interval, such as "0.412 (0.3–0.5)".
pub fn with_interval(row: &ResultRow) -> String {
    let value = number::score(row.value.unwrap_or(f64::NAN));
    let interval = row.interval;
    let interval = interval.and_then(|ends| number::interval(ends.low, ends.high));
    match interval {
        Some(interval) => format!("{value} ({interval})"),
        None => value,
    }
}

fn by_fold(target: &Target, model: &str, palette: &Palette) -> DotRow {
    let ink = palette.ink(model);
    let folds = target.rows.iter().filter(|row| {
        row.score.is_primary()
            && row.fold.is_some()
            && row.train_share == target.share
            && row.model == model
    });
    let values: Vec<f64> = folds.filter_map(|row| row.value).collect();
    let dot = |value: f64, faint| Dot {
        value,
        interval: None,
        ink,
        faint,
        layer: 0,
    };
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let dots = values.iter().map(|value| dot(*value, true));
    DotRow {
        name: model.to_string(),
        bold: target.brainmae.as_deref() == Some(model),
        dots: dots.chain([dot(mean, false)]).collect(),
        note: number::score(mean),
    }
}
