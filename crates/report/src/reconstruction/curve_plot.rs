//! Losses over training: one panel for each variant, on the same axes.

use std::ops::Range;

use plotters::style::Color;

use super::Curve;
use crate::Result;
use crate::canvas::{Axes, span};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::palette::{Ink, Palette, distinct};
use crate::thin::{envelope, quantile, running_median};

/// Largest number of points of a curve that is drawn with markers.
const MOST_MARKERS: usize = 30;

/// A curve without missing values, ready to draw.
struct Line<'a> {
    curve: &'a Curve,
    raw: Vec<(f64, f64)>,
    /// Running median of a noisy curve.
    smooth: Option<Vec<(f64, f64)>>,
}

impl<'a> Line<'a> {
    fn new(curve: &'a Curve) -> Self {
        let raw: Vec<_> = curve
            .points
            .iter()
            .filter(|p| p.0.is_finite() && p.1.is_finite())
            .copied()
            .collect();
        let window = (raw.len() / 40).max(5);
        let noisy = curve.name.starts_with("train/") && raw.len() > 2 * window;
        let smooth = noisy.then(|| running_median(&raw, window, 250));
        Self { curve, raw, smooth }
    }

    /// Values that the axis must include; for a noisy curve, all but the most extreme.
    fn ends(&self) -> Vec<f64> {
        let mut values: Vec<f64> = self.raw.iter().map(|p| p.1).collect();
        match &self.smooth {
            None => values,
            Some(smooth) => {
                let rare = [quantile(&mut values, 0.01), quantile(&mut values, 0.99)];
                smooth.iter().map(|p| p.1).chain(rare).collect()
            }
        }
    }
}

/// Figure of all curves.
pub fn figure(curves: &[Curve]) -> Result<Figure> {
    let palette = Palette::of_losses(curves.iter().map(|curve| &curve.name));
    let lines: Vec<Line> = curves
        .iter()
        .map(Line::new)
        .filter(|line| !line.raw.is_empty())
        .collect();
    let mut figure = Figure {
        id: "loss",
        heading: "Loss over training",
        empty: "There are no losses to plot.".into(),
        legend: Vec::new(),
        panels: Vec::new(),
        caption:
            "The running median of a training loss is drawn over its values, which are faint and \
                  cut where they leave the axis. Panels share their axes."
                .to_string(),
        paired: true,
    };
    let steps = lines.iter().flat_map(|line| line.raw.iter().map(|p| p.0));
    let (Some(x), Some(y)) = (
        span(steps, 0.02),
        span(lines.iter().flat_map(Line::ends), 0.06),
    ) else {
        return Ok(figure);
    };
    for variant in distinct(lines.iter().map(|line| &line.curve.variant)) {
        let shown: Vec<&Line> = lines
            .iter()
            .filter(|line| line.curve.variant == variant)
            .collect();
        figure.panels.push(Panel {
            svg: panel(&variant, &shown, x.clone(), y.clone(), &palette)?,
            title: format!("BrainMAE {variant}"),
        });
    }
    let marked = |name: &String| {
        let mut named = lines.iter().filter(|line| line.curve.name == *name);
        named.any(has_markers)
    };
    for name in palette.names() {
        let ink = palette.ink(name);
        figure.legend.push(match marked(name) {
            true => LegendEntry::marked(name, ink),
            false => LegendEntry::line(name, ink.colour),
        });
    }
    Ok(figure)
}

fn has_markers(line: &Line) -> bool {
    line.smooth.is_none() && line.raw.len() <= MOST_MARKERS
}

fn panel(
    variant: &str,
    lines: &[&Line],
    x: Range<f64>,
    y: Range<f64>,
    palette: &Palette,
) -> Result<String> {
    let axes = Axes {
        width: 470,
        height: 330,
        x,
        y,
        x_label: "Training step",
        y_label: "Loss (mean squared error)",
        x_ticks: 5,
        y_ticks: 7,
    };
    let ink = |line: &Line| -> Ink { palette.ink(&line.curve.name) };
    axes.draw(
        &format!("Losses of BrainMAE {variant} over training"),
        |canvas| {
            for line in lines.iter().filter(|line| line.smooth.is_some()) {
                canvas.line(&envelope(&line.raw, 300), ink(line).colour.mix(0.28), 0.75)?;
            }
            for line in lines {
                let colour = ink(line).colour;
                match &line.smooth {
                    Some(smooth) => canvas.line(smooth, colour.into(), 2.0)?,
                    None => canvas.line(&envelope(&line.raw, 400), colour.into(), 1.75)?,
                }
                if has_markers(line) {
                    canvas.markers(&line.raw, ink(line))?;
                }
            }
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wild_step_does_not_set_the_axis() {
        let mut points: Vec<_> = (0..500).map(|i| (f64::from(i), 1.0)).collect();
        points[250].1 = 1e6;
        points[300].1 = f64::NAN;
        let curve = Curve {
            variant: "sg".to_string(),
            name: "train/loss".to_string(),
            points,
        };
        let line = Line::new(&curve);
        assert_eq!(line.raw.len(), 499);
        assert!(line.ends().iter().all(|v| *v == 1.0));
    }
}
