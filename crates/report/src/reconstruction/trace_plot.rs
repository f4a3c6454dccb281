//! Plot of example time courses: measured signals, and the predictions of hidden intervals.

use std::ops::Range;

use plotters::style::{Color, RGBColor};

use super::Trace;
use crate::Result;
use crate::canvas::{Axes, span};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::number;
use crate::palette::{BLACK, Palette, distinct};

const HIDDEN: RGBColor = RGBColor(232, 232, 232);
const BOUNDARY: RGBColor = RGBColor(150, 150, 150);
/// Largest number of segment boundaries; more would hide the signal.
const MOST_BOUNDARIES: f64 = 60.0;

/// Figure of all traces.
pub fn figure(traces: &[Trace], palette: &Palette) -> Result<Figure> {
    let mut figure = Figure {
        id: "traces",
        heading: "Example time courses",
        empty: "There are no time courses to plot.".into(),
        legend: Vec::new(),
        panels: Vec::new(),
        caption: String::new(),
        paired: false,
    };
    let mut shown = Vec::new();
    for trace in traces {
        if let Some(svg) = panel(trace, palette)? {
            figure.panels.push(Panel {
                title: format!("{} · {}", trace.roi, trace.scan),
                svg,
            });
            shown.push(trace);
        }
    }
    let predictors = distinct(
        shown
            .iter()
            .flat_map(|t| t.drawn.iter().map(|(name, _)| name)),
    );
    figure.legend = vec![
        LegendEntry::line("measured", BLACK),
        LegendEntry::patch("hidden from the predictors", HIDDEN),
    ];
    for name in &predictors {
        figure
            .legend
            .push(LegendEntry::line(name, palette.ink(name).colour));
    }
    figure.caption = "Predictions are drawn where the signal was hidden from them.".to_string();
    if let Some(trace) = shown.iter().find(|trace| boundaries(trace).len() > 1) {
        figure.caption += &format!(
            " Faint vertical lines are the boundaries of segments, {} s long.",
            number::short(trace.segment_secs)
        );
    }
    Ok(figure)
}

fn panel(trace: &Trace, palette: &Palette) -> Result<Option<String>> {
    let predicted = trace.drawn.iter().flat_map(|(_, values)| {
        let hidden = values
            .iter()
            .zip(&trace.hidden)
            .filter(|(_, hidden)| **hidden);
        hidden.map(|(v, _)| f64::from(*v))
    });
    let values = trace
        .measured
        .iter()
        .map(|v| f64::from(*v))
        .chain(predicted);
    let half = step(trace) / 2.0;
    let (Some(x), Some(y)) = (
        span(trace.time_secs.iter().copied(), 0.0),
        span(values, 0.06),
    ) else {
        return Ok(None);
    };
    let x = match trace.time_secs.len() {
        1 => x,
        // Each volume is drawn in the middle of its interval.
        _ => first(trace) - half..last(trace) + half,
    };
    let axes = Axes {
        width: 920,
        height: 210,
        x,
        y,
        x_label: "Time (s)",
        y_label: "Signal (z-score)",
        x_ticks: 12,
        y_ticks: 5,
    };
    let described = format!("Measured and predicted signal of ROI {}", trace.roi);
    let svg = axes.draw(&described, |canvas| {
        for run in runs(trace.hidden.iter().copied()) {
            let (start, end) = (trace.time_secs[run.start], trace.time_secs[run.end - 1]);
            if start.is_finite() && end.is_finite() {
                canvas.shade(start - half..end + half, HIDDEN.into())?;
            }
        }
        for boundary in boundaries(trace) {
            canvas.upright(boundary, BOUNDARY.mix(0.6), 0.75)?;
        }
        for (name, values) in &trace.drawn {
            let colour = palette.ink(name).colour;
            let known = values
                .iter()
                .zip(&trace.hidden)
                .map(|(v, hidden)| *hidden && v.is_finite());
            for run in runs(known) {
                canvas.line(&points(trace, values, run), colour.into(), 1.75)?;
            }
        }
        // The measured signal is drawn above the predictions, because it is the reference.
        let measured = trace.measured.iter().map(|v| v.is_finite());
        for run in runs(measured) {
            canvas.line(&points(trace, &trace.measured, run), BLACK.into(), 1.25)?;
        }
        Ok(())
    })?;
    Ok(Some(svg))
}

fn points(trace: &Trace, values: &[f32], run: Range<usize>) -> Vec<(f64, f64)> {
    run.map(|i| (trace.time_secs[i], f64::from(values[i])))
        .filter(|p| p.0.is_finite())
        .collect()
}

fn first(trace: &Trace) -> f64 {
    let times = trace.time_secs.iter().copied();
    times.fold(f64::INFINITY, f64::min)
}

fn last(trace: &Trace) -> f64 {
    let times = trace.time_secs.iter().copied();
    times.fold(f64::NEG_INFINITY, f64::max)
}

/// Time between volumes, in seconds.
fn step(trace: &Trace) -> f64 {
    let finite = trace.time_secs.iter().filter(|t| t.is_finite()).count();
    match finite {
        0 | 1 => 0.0,
        n => (last(trace) - first(trace)) / (n - 1) as f64,
    }
}

/// Times of the boundaries between segments, in seconds; the first segment starts at the first
/// volume.
fn boundaries(trace: &Trace) -> Vec<f64> {
    let (start, end) = (first(trace), last(trace));
    let count = (end - start) / trace.segment_secs;
    if !(count.is_finite() && (0.0..MOST_BOUNDARIES).contains(&count)) {
        return Vec::new();
    }
    let start = start - step(trace) / 2.0;
    (1..=count as usize)
        .map(|i| start + i as f64 * trace.segment_secs)
        .collect()
}

/// Ranges in which `flags` are set.
fn runs(flags: impl Iterator<Item = bool>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (i, _) in flags.enumerate().filter(|(_, set)| *set) {
        match found.last_mut() {
            Some(run) if run.end == i => run.end = i + 1,
            _ => found.push(i..i + 1),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_unbroken_stretches() {
        let flags = [true, true, false, true, false];
        assert_eq!(runs(flags.into_iter()), [0..2, 3..4]);
        assert!(runs([false].into_iter()).is_empty());
    }

    #[test]
    fn boundaries_lie_between_volumes() {
        let trace = Trace {
            scan: String::new(),
            roi: String::new(),
            segment_secs: 4.0,
            time_secs: vec![0.0, 2.0, 4.0, 6.0, 8.0],
            measured: vec![0.0; 5],
            hidden: vec![false; 5],
            drawn: vec![],
        };
        assert_eq!(boundaries(&trace), [3.0, 7.0]);
    }
}
