//! Calibration: share of right answers against the probability of the likeliest class.

use brainmae_downstream::Kind;
use brainmae_downstream::scores::Scorer;

use super::target::Target;
use crate::Result;
use crate::canvas::Axes;
use crate::figure::{Figure, LegendEntry, Panel};
use crate::palette::{GREY, Palette};

/// Bins with fewer predictions are too noisy to draw.
const FEWEST: f64 = 5.0;

/// Curves of the best model, BrainMAE and the linear model; `None` for a numeric target.
pub fn figure(target: &Target, palette: &Palette) -> Result<Option<Figure>> {
    let Kind::Classification { n_classes } = target.kind else {
        return Ok(None);
    };
    let mut figure = Figure {
        id: "calibration",
        heading: "Calibration",
        empty: "There are too few predictions for a calibration curve.".into(),
        legend: vec![LegendEntry::dashed("as often right as sure", GREY)],
        panels: Vec::new(),
        caption: "Predictions in ten bins by the probability of their likeliest class. Below the broken line a \
                  model is surer than it is right. Bins of fewer than five predictions are left out."
            .to_string(),
        paired: true,
    };
    let samples = target.samples();
    let curves: Vec<(&str, Vec<(f64, f64)>)> = samples
        .iter()
        .map(|sample| {
            let bins = Scorer::new(sample).calibration_curve();
            let bins = bins.iter().filter(|bin| bin.n >= FEWEST);
            let points = bins.map(|bin| (bin.confidence, bin.accuracy));
            (sample.model(), points.collect())
        })
        .filter(|(_, points): &(_, Vec<_>)| !points.is_empty())
        .collect();
    if curves.is_empty() {
        return Ok(Some(figure));
    }
    let least = 1.0 / n_classes as f64;
    let axes = Axes {
        width: 440,
        height: 380,
        x: least - 0.02..1.02,
        y: -0.02..1.02,
        x_label: "Probability of the likeliest class",
        y_label: "Share that is right",
        x_ticks: 7,
        y_ticks: 7,
    };
    let described = format!("Calibration curves of {}", target.name);
    let svg = axes.draw(&described, |canvas| {
        canvas.dashes(&[(least, least), (1.0, 1.0)], GREY.into())?;
        for (model, points) in &curves {
            let ink = palette.ink(model);
            canvas.line(points, ink.colour.into(), 1.75)?;
            canvas.markers(points, ink)?;
        }
        Ok(())
    })?;
    for (model, _) in &curves {
        figure
            .legend
            .push(LegendEntry::marked(model, palette.ink(model)));
    }
    figure.panels.push(Panel {
        title: "How often right, by how sure".to_string(),
        svg,
    });
    Ok(Some(figure))
}
