//! Label efficiency: scores against the share of the training set.

use brainmae_downstream::results::ResultRow;

use super::forest_plot::limits;
use super::scores::{ends, title};
use super::target::Target;
use crate::Result;
use crate::canvas::{Axes, span};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::number;
use crate::palette::Palette;

/// Primary score of every model against the share of training data; `None` if there is only one
/// share.
pub fn figure(target: &Target, palette: &Palette) -> Result<Option<Figure>> {
    if target.shares.len() < 2 {
        return Ok(None);
    }
    let mut figure = Figure {
        id: "efficiency",
        heading: "Label efficiency",
        empty: "No model has a score that is defined at any share.".into(),
        legend: Vec::new(),
        panels: Vec::new(),
        caption: "Every model learned from shares of the training set of the same folds, and was tested on the \
                  same subjects. Whiskers: 95 % intervals from resampling units, moved apart to be seen."
            .to_string(),
        paired: false,
    };
    let lines: Vec<(&String, Vec<&ResultRow>)> = (target.ranking.iter())
        .map(|model| (model, line(target, model)))
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    let limits = limits(target.kind);
    let values = lines.iter().flat_map(|(_, rows)| rows).flat_map(|row| {
        let ends = row.interval.map(|interval| [interval.low, interval.high]);
        let ends = ends.map_or([None; 2], |ends| ends.map(Some));
        ends.into_iter().chain([row.value]).flatten()
    });
    let values = values.map(|value| value.clamp(limits.start, limits.end));
    let places = target.shares.iter().map(|(share, _)| share.log10());
    let (Some(x), Some(y)) = (span(places, 0.08), span(values, 0.06)) else {
        return Ok(Some(figure));
    };
    let score = lines[0].1[0].score;
    let marks: Vec<(f64, String)> = (target.shares.iter())
        .map(|(share, units)| {
            let words = format!("{} % ({units:.0})", number::short(100.0 * share));
            (share.log10(), words)
        })
        .collect();
    let apart = (x.end - x.start) * 0.006;
    let axes = Axes {
        width: 860,
        height: 380,
        x,
        y,
        x_label: "Share of the training set (units learned from, mean over folds), log scale",
        y_label: title(score),
        x_ticks: marks.len(),
        y_ticks: 8,
    };
    let described = format!(
        "Scores of {} against the share of training data",
        target.name
    );
    let svg = axes.draw_marked(&marks, &described, |canvas| {
        for (i, (model, rows)) in lines.iter().enumerate() {
            let ink = palette.ink(model);
            let moved = (i as f64 - (lines.len() - 1) as f64 / 2.0) * apart;
            let x = |row: &ResultRow| row.train_share.log10() + moved;
            for row in rows {
                if let Some((low, high)) = ends(row.interval) {
                    canvas.line(&[(x(row), low), (x(row), high)], ink.colour.into(), 1.0)?;
                }
            }
            let points = rows.iter().filter_map(|row| Some((x(row), row.value?)));
            let points: Vec<(f64, f64)> = points.collect();
            canvas.line(&points, ink.colour.into(), 1.75)?;
            canvas.markers(&points, ink)?;
        }
        Ok(())
    })?;
    let legend = lines
        .iter()
        .map(|(model, _)| LegendEntry::marked(model, palette.ink(model)));
    figure.legend = legend.collect();
    figure.panels.push(Panel {
        title: format!("{} against the share of training data", title(score)),
        svg,
    });
    Ok(Some(figure))
}

/// Defined scores of one model, in order of their share.
fn line<'a>(target: &Target<'a>, model: &str) -> Vec<&'a ResultRow> {
    let rows = target.rows.iter().filter(|row| {
        row.score.is_primary() && row.fold.is_none() && row.model == model && row.value.is_some()
    });
    let mut rows: Vec<&ResultRow> = rows.copied().collect();
    rows.sort_by(|a, b| a.train_share.total_cmp(&b.train_share));
    rows
}
