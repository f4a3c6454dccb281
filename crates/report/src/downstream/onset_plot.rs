//! Plot of accuracy over the time since the onset of an event.

use std::collections::HashMap;

use brainmae_downstream::statistics::bootstrap;
use brainmae_downstream::{Kind, Sample};
use plotters::style::{Color, RGBColor};

use super::Setting;
use super::scores::ends;
use super::target::Target;
use crate::Result;
use crate::canvas::{Axes, span};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::palette::{GREY, Palette};

/// Largest number of times; beyond it, neighbouring times are merged.
const MOST_TIMES: usize = 24;
const ONSET: RGBColor = RGBColor(150, 150, 150);

/// Accuracy at one time, with an interval over units.
struct Point {
    secs: f64,
    accuracy: f64,
    interval: Option<(f64, f64)>,
    /// Accuracy of the constant predictor (the most frequent class of the training set).
    blind: f64,
}

/// Curves of the best model, BrainMAE and the linear model; `None` for targets without onsets.
pub fn figure(target: &Target, setting: &Setting, palette: &Palette) -> Result<Option<Figure>> {
    if target.notes.onsets.is_empty() || target.kind == Kind::Regression {
        return Ok(None);
    }
    let mut figure = Figure {
        id: "onset",
        heading: "Accuracy around the onset of an event",
        empty: "No prediction belongs to an event whose onset is known.".into(),
        legend: Vec::new(),
        panels: Vec::new(),
        caption: "Share of segments whose likeliest class is the true one, by the time from the onset of their \
                  event to the start of the segment. Bands: 95 % intervals from resampling units."
            .to_string(),
        paired: false,
    };
    let since = since_onset(target);
    let samples = target.samples();
    let curves: Vec<(&str, Vec<Point>)> = samples
        .iter()
        .map(|sample| (sample.model(), curve(sample, &since, setting)))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    let points = || curves.iter().flat_map(|(_, points)| points);
    let times = points().map(|point| point.secs).chain([0.0]);
    let values = points().flat_map(|point| {
        let (low, high) = point.interval.unwrap_or((point.accuracy, point.accuracy));
        [low, high, point.accuracy, point.blind]
    });
    let (Some(x), Some(y)) = (span(times, 0.04), span(values, 0.06)) else {
        return Ok(Some(figure));
    };
    if curves.is_empty() {
        return Ok(Some(figure));
    }
    let axes = Axes {
        width: 860,
        height: 340,
        x,
        y,
        x_label: "Time since the onset of the event (s)",
        y_label: "Accuracy",
        x_ticks: 12,
        y_ticks: 7,
    };
    let described = format!("Accuracy of {} around the onset of events", target.name);
    let svg = axes.draw(&described, |canvas| {
        canvas.upright(0.0, ONSET.into(), 1.0)?;
        for (model, points) in &curves {
            let band = points.iter().filter_map(|point| {
                let (low, high) = point.interval?;
                Some((point.secs, low, high))
            });
            let colour = palette.ink(model).colour.mix(0.16);
            canvas.band(&band.collect::<Vec<_>>(), colour)?;
        }
        let blind = curves[0].1.iter().map(|point| (point.secs, point.blind));
        canvas.dashes(&blind.collect::<Vec<_>>(), GREY.into())?;
        for (model, points) in &curves {
            let ink = palette.ink(model);
            let points: Vec<_> = points.iter().map(|p| (p.secs, p.accuracy)).collect();
            canvas.line(&points, ink.colour.into(), 2.0)?;
            canvas.markers(&points, ink)?;
        }
        Ok(())
    })?;
    for (model, _) in &curves {
        figure
            .legend
            .push(LegendEntry::marked(model, palette.ink(model)));
    }
    figure.legend.push(LegendEntry::dashed(
        "always the most frequent class of the training set",
        GREY,
    ));
    figure.panels.push(Panel {
        title: "Accuracy by time since onset (grey upright line: the onset)".to_string(),
        svg,
    });
    Ok(Some(figure))
}

/// Seconds in whole milliseconds: equal in both tables, despite rounding.
fn milliseconds(secs: f64) -> i64 {
    (1e3 * secs).round() as i64
}

fn since_onset<'a>(target: &'a Target) -> HashMap<(&'a str, i64), f64> {
    let onsets = target.notes.onsets.iter();
    onsets
        .map(|onset| {
            let segment = (onset.scan.as_str(), milliseconds(onset.start_secs));
            (segment, onset.since_onset_secs)
        })
        .collect()
}

fn curve(sample: &Sample, since: &HashMap<(&str, i64), f64>, setting: &Setting) -> Vec<Point> {
    let n_classes = sample.kind().n_outputs();
    let likeliest = |p: &[f64]| (0..p.len()).rev().max_by(|a, b| p[*a].total_cmp(&p[*b]));
    let right = |p: &[f64], truth: f64| f64::from(likeliest(p).is_some_and(|c| c as f64 == truth));
    let blind = sample.blind();
    let times: Vec<Option<f64>> = (sample.rows().iter())
        .map(|row| {
            let start = milliseconds(row.start_secs?);
            since.get(&(row.scan.as_deref()?, start)).copied()
        })
        .collect();
    let bins = bins(&times);
    let hits = |of: &Sample| -> Vec<f64> {
        let rows = of.output().chunks_exact(n_classes).zip(of.truth());
        rows.map(|(p, truth)| right(p, *truth)).collect()
    };
    let (own, blind) = (hits(sample), hits(&blind));
    let mean = |values: &[f64], weights: &[f64]| -> Vec<Option<f64>> {
        let of_bin = |rows: &Vec<usize>| {
            let n: f64 = rows.iter().map(|row| weights[*row]).sum();
            let sum: f64 = rows.iter().map(|row| weights[*row] * values[*row]).sum();
            (n > 0.0).then(|| sum / n)
        };
        bins.iter().map(of_bin).collect()
    };
    let ones = vec![1.0; sample.len()];
    let intervals = bootstrap(sample.units(), setting.resamples(), &setting.seeds(), |w| {
        mean(&own, w)
    });
    let (accuracy, blind) = (mean(&own, &ones), mean(&blind, &ones));
    (bins.iter().enumerate())
        .filter_map(|(i, rows)| {
            let secs = rows.iter().filter_map(|row| times[*row]).sum::<f64>();
            Some(Point {
                secs: secs / rows.len() as f64,
                accuracy: accuracy[i]?,
                interval: ends(intervals[i]),
                blind: blind[i]?,
            })
        })
        .collect()
}

/// Rows of one time, or of neighbouring times if there are many, in order of time.
fn bins(times: &[Option<f64>]) -> Vec<Vec<usize>> {
    let mut different: Vec<i64> = times.iter().flatten().map(|t| milliseconds(*t)).collect();
    different.sort_unstable();
    different.dedup();
    let (Some(first), Some(last)) = (different.first(), different.last()) else {
        return Vec::new();
    };
    let width = (last - first) as f64 / MOST_TIMES as f64;
    let bin = |time: f64| match different.len() {
        0..=MOST_TIMES => different.partition_point(|t| *t < milliseconds(time)),
        _ => (((milliseconds(time) - first) as f64 / width) as usize).min(MOST_TIMES - 1),
    };
    let mut bins = vec![Vec::new(); different.len().min(MOST_TIMES)];
    for (row, time) in times.iter().enumerate() {
        if let Some(time) = time {
            bins[bin(*time)].push(row);
        }
    }
    bins.retain(|rows| !rows.is_empty());
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_times_stand_alone_and_many_together() {
        let few = [Some(2.0), None, Some(-2.0), Some(2.0)];
        assert_eq!(bins(&few), [vec![2], vec![0, 3]]);
        let many: Vec<_> = (0..100).map(|i| Some(f64::from(i))).collect();
        let bins = bins(&many);
        assert_eq!(bins.len(), MOST_TIMES);
        assert_eq!(bins.concat(), (0..100).collect::<Vec<_>>());
    }
}
