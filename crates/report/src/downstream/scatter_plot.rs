//! Scatter plot of predicted numbers against true ones.

use brainmae_downstream::{Kind, Sample, Score};
use plotters::style::Color;

use super::target::Target;
use crate::Result;
use crate::canvas::{Axes, span};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::number;
use crate::palette::{GREY, Palette};

/// Largest number of dots, for readability and page size; beyond it, a regular subset is drawn.
const MOST_DOTS: usize = 2000;

/// One panel for the best model, and one for BrainMAE; `None` for classes.
pub fn figure(target: &Target, palette: &Palette) -> Result<Option<Figure>> {
    if target.kind != Kind::Regression {
        return Ok(None);
    }
    let of_subjects = target
        .predictions
        .rows()
        .iter()
        .all(|row| row.scan.is_none());
    let what = if of_subjects { "subject" } else { "scan" };
    let mut figure = Figure {
        id: "truth",
        heading: "Predicted against true",
        empty: "There is nothing to plot.".into(),
        legend: vec![LegendEntry::dashed("predicted = true", GREY)],
        panels: Vec::new(),
        caption: format!(
            "One dot for each {what}; both axes have the same length. R² against the training mean over all folds; r and \
             calibration slope within folds. The slope is that of truth on prediction: above 1, predictions are shrunk \
             towards their mean."
        ),
        paired: true,
    };
    let samples: Vec<Sample> = target.samples().into_iter().take(2).collect();
    let values = samples
        .iter()
        .flat_map(|s| s.truth().iter().chain(s.output()));
    let Some(ends) = span(values.copied(), 0.04) else {
        return Ok(Some(figure));
    };
    let stride = samples
        .iter()
        .map(Sample::len)
        .max()
        .unwrap_or(0)
        .div_ceil(MOST_DOTS)
        .max(1);
    for sample in &samples {
        let axes = Axes {
            width: 440,
            height: 420,
            x: ends.clone(),
            y: ends.clone(),
            x_label: &target.with_unit("True"),
            y_label: &target.with_unit("Predicted"),
            x_ticks: 6,
            y_ticks: 8,
        };
        let described = format!(
            "{} predicted by {} against the truth",
            target.name,
            sample.model()
        );
        let points: Vec<(f64, f64)> = (sample.truth().iter().copied())
            .zip(sample.output().iter().copied())
            .step_by(stride)
            .collect();
        // Dots are small and pale if there are many, so that their density is visible.
        let (radius, strength) = if points.len() > 300 {
            (2.2, 0.35)
        } else {
            (3.2, 0.55)
        };
        let svg = axes.draw(&described, |canvas| {
            let corners = [(ends.start, ends.start), (ends.end, ends.end)];
            canvas.dashes(&corners, GREY.into())?;
            let colour = palette.ink(sample.model()).colour.mix(strength);
            canvas.dots(&points, colour, radius)
        })?;
        let value = |score: Score| {
            let row = target.score_of(sample.model(), score);
            number::score(row.and_then(|row| row.value).unwrap_or(f64::NAN))
        };
        figure.panels.push(Panel {
            title: format!(
                "{}: R² {}, r {}, calibration slope {}, {} {what}s",
                sample.model(),
                value(Score::R2),
                value(Score::PearsonR),
                value(Score::CalibrationSlope),
                sample.len()
            ),
            svg,
        });
    }
    if stride > 1 {
        figure.caption += &format!(" One dot in {stride} is drawn.");
    }
    Ok(Some(figure))
}
