//! Plot of the reconstruction error against the mask ratio.

use plotters::style::Color;

use super::Score;
use crate::Result;
use crate::canvas::{Axes, span};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::palette::{Palette, distinct};

/// Figure of all predictors.
pub fn figure(scores: &[Score], unit: &str, palette: &Palette) -> Result<Figure> {
    let mut figure = Figure {
        id: "error-plot",
        heading: "Error against mask ratio",
        empty: "There are no finite scores to plot.".into(),
        legend: Vec::new(),
        panels: Vec::new(),
        caption: String::new(),
        paired: false,
    };
    let seen: Vec<&Score> = scores
        .iter()
        .filter(|row| row.mse.mean.is_finite() && row.mask_ratio.is_finite())
        .collect();
    let values = seen
        .iter()
        .flat_map(|row| [row.mse.mean, row.mse.low, row.mse.high]);
    let ratios = seen.iter().map(|row| row.mask_ratio);
    let (Some(x), Some(y)) = (span(ratios, 0.05), span(values, 0.05)) else {
        return Ok(figure);
    };
    let predictors = distinct(seen.iter().map(|row| &row.predictor));
    let axes = Axes {
        width: 560,
        height: 370,
        x,
        y,
        x_label: "Mask ratio (hidden part of the signal)",
        y_label: "Mean squared error of hidden ROIs",
        x_ticks: 10,
        y_ticks: 9,
    };
    let described = format!("Error of {} against mask ratio", predictors.join(", "));
    let lines: Vec<(&String, Vec<&Score>)> = predictors
        .iter()
        .map(|name| (name, line(&seen, name)))
        .collect();
    let svg = axes.draw(&described, |canvas| {
        for (name, rows) in &lines {
            let band: Vec<_> = rows
                .iter()
                .filter(|row| row.mse.low.is_finite() && row.mse.high.is_finite())
                .map(|row| (row.mask_ratio, row.mse.low, row.mse.high))
                .collect();
            let colour = palette.ink(name).colour;
            match band[..] {
                // A band needs two points; a single interval is drawn as a whisker.
                [(x, low, high)] => canvas.line(&[(x, low), (x, high)], colour.into(), 1.0)?,
                _ => canvas.band(&band, colour.mix(0.18))?,
            }
        }
        for (name, rows) in &lines {
            let ink = palette.ink(name);
            let points: Vec<_> = rows
                .iter()
                .map(|row| (row.mask_ratio, row.mse.mean))
                .collect();
            canvas.line(&points, ink.colour.into(), 2.0)?;
            canvas.markers(&points, ink)?;
        }
        Ok(())
    })?;
    figure.panels.push(Panel {
        title: "Mean squared error of hidden ROIs (z-scored signal; 1 = predicting zero)"
            .to_string(),
        svg,
    });
    figure.legend = predictors
        .iter()
        .map(|name| LegendEntry::marked(name, palette.ink(name)))
        .collect();
    figure.caption = format!(
        "Lower is better. Bands are intervals over {unit}. The vertical axis is cut to the data."
    );
    Ok(figure)
}

/// Scores of one predictor, from the lowest mask ratio to the highest.
fn line<'a>(scores: &[&'a Score], predictor: &str) -> Vec<&'a Score> {
    let mut rows: Vec<&Score> = scores
        .iter()
        .filter(|row| row.predictor == predictor)
        .copied()
        .collect();
    rows.sort_by(|a, b| a.mask_ratio.total_cmp(&b.mask_ratio));
    rows
}
