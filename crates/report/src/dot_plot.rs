//! Dot plot: numbers of several rows on one axis, with intervals. It is a forest plot, or shows the
//! values of folds.

use std::ops::Range;

use plotters::style::RGBColor;

use crate::canvas::span;
use crate::drawing::{Anchor, Drawing};
use crate::marked_axis::MarkedAxis;
use crate::palette::Ink;
use crate::words::{LETTER, cut_inside, width};

/// Largest number of letters of a name; the middle of a longer one is cut out.
const LONGEST: usize = 38;
const TOP: f64 = 6.0;
/// Distance between the dots of two layers, in page pixels.
const LAYER: f64 = 11.0;
/// Height of the ticks and the axis title, in page pixels.
const BOTTOM: f64 = 48.0;
/// Background of every other row.
const BAND: RGBColor = RGBColor(245, 246, 248);
const GRID: RGBColor = RGBColor(228, 228, 228);
const AXIS: RGBColor = RGBColor(70, 70, 70);

/// Rows from top to bottom.
pub struct DotPlot {
    /// Width in page pixels.
    pub width: f64,
    pub x_label: String,
    /// Range of the axis; dots beyond it become arrows at its end.
    pub limits: Range<f64>,
    pub lines: Vec<Upright>,
    pub rows: Vec<DotRow>,
}

/// A dashed vertical line over all rows.
pub struct Upright {
    pub at: f64,
    pub colour: RGBColor,
}

/// One row: a name on the left, dots, words on the right.
pub struct DotRow {
    pub name: String,
    /// Bold text, to distinguish this row from the others.
    pub bold: bool,
    pub dots: Vec<Dot>,
    pub note: String,
}

/// One number, with its interval.
pub struct Dot {
    pub value: f64,
    pub interval: Option<(f64, f64)>,
    pub ink: Ink,
    /// Small and without a rim, for one of many dots.
    pub faint: bool,
    /// Height of the dot within its row: dots of one layer have the same height, and layer 0 is on
    /// top.
    pub layer: usize,
}

/// Horizontal scale: maps numbers to page pixels.
struct Scale {
    x: Range<f64>,
    left: f64,
    right: f64,
}

impl Scale {
    fn place(&self, x: f64) -> f64 {
        let share = (x - self.x.start) / (self.x.end - self.x.start);
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }
}

impl DotPlot {
    /// Draws the plot as an `<svg>`; `None` if there is no finite number.
    pub fn draw(&self, described: &str) -> Option<String> {
        let dots = self.rows.iter().flat_map(|row| &row.dots);
        let ends = dots.clone().flat_map(|dot| {
            let (low, high) = dot.interval.unwrap_or((dot.value, dot.value));
            [dot.value, low, high]
        });
        span(dots.map(|dot| dot.value), 0.0)?;
        let inside = |v: f64| v.clamp(self.limits.start, self.limits.end);
        let x = span(
            ends.filter(|v| v.is_finite())
                .map(inside)
                .chain(self.lines.iter().map(|line| line.at)),
            0.04,
        )?;
        let names: Vec<String> = self
            .rows
            .iter()
            .map(|r| cut_inside(&r.name, LONGEST))
            .collect();
        let notes = width(self.rows.iter().map(|row| row.note.as_str()));
        let scale = Scale {
            x,
            left: (width(names.iter().map(String::as_str)) * 1.08 + 14.0).max(40.0),
            right: self.width - notes - if notes > 0.0 { 20.0 } else { 14.0 },
        };
        let heights: Vec<f64> = self.rows.iter().map(height).collect();
        let bottom = TOP + heights.iter().sum::<f64>();
        let mut drawing = Drawing::new(self.width, bottom + BOTTOM);
        let mut top = TOP;
        for (i, height) in heights.iter().enumerate() {
            if i % 2 == 0 {
                drawing.rectangle((0.0, top), (self.width, *height), BAND);
            }
            top += height;
        }
        self.axis(&mut drawing, &scale, bottom);
        let mut top = TOP;
        for ((row, name), height) in self.rows.iter().zip(&names).zip(&heights) {
            let middle = top + height / 2.0;
            let weight = if row.bold { r#"font-weight="700""# } else { "" };
            let at = (scale.left - 12.0, middle);
            drawing.text(at, Anchor::End, weight, name);
            let at = (self.width - 4.0, middle);
            drawing.text(at, Anchor::End, weight, &row.note);
            for dot in &row.dots {
                let above = (layers(row) - 1) as f64 / 2.0;
                let y = middle + (dot.layer as f64 - above) * LAYER;
                self.dot(&mut drawing, &scale, dot, y);
            }
            top += height;
        }
        Some(drawing.finish(described))
    }

    fn axis(&self, drawing: &mut Drawing, scale: &Scale, bottom: f64) {
        let room = (scale.right - scale.left) / (7.0 * LETTER);
        let ticks = MarkedAxis::of_numbers(scale.x.clone(), (room as usize).clamp(2, 9));
        for (tick, words) in ticks {
            let x = scale.place(tick);
            drawing.line((x, TOP), (x, bottom), GRID, 0.75);
            drawing.line((x, bottom), (x, bottom + 4.0), AXIS, 1.0);
            let at = (x, bottom + 13.0);
            drawing.text(at, Anchor::Middle, "", &words);
        }
        drawing.line((scale.left, bottom), (scale.right, bottom), AXIS, 1.0);
        let middle = (scale.left + scale.right) / 2.0;
        let at = (middle, bottom + 34.0);
        drawing.text(at, Anchor::Middle, "", &self.x_label);
        for line in &self.lines {
            let x = scale.place(line.at);
            drawing.dashes((x, TOP), (x, bottom), line.colour);
        }
    }

    fn dot(&self, drawing: &mut Drawing, scale: &Scale, dot: &Dot, y: f64) {
        if !dot.value.is_finite() {
            return;
        }
        let colour = dot.ink.colour;
        if let Some((low, high)) = dot.interval
            && low.is_finite()
            && high.is_finite()
        {
            let (low, high) = (scale.place(low), scale.place(high));
            drawing.line((low, y), (high, y), colour, 2.0);
        }
        let x = scale.place(dot.value);
        if !self.limits.contains(&dot.value) && dot.value != self.limits.end {
            drawing.arrow((x, y), dot.value > self.limits.end, colour);
        } else if dot.faint {
            drawing.dot((x, y), 3.5, colour);
        } else {
            drawing.marker((x, y), 4.5, dot.ink);
        }
    }

    /// Whether a dot lies beyond the limits of the axis.
    pub fn is_cut(&self) -> bool {
        let mut dots = self.rows.iter().flat_map(|row| &row.dots);
        dots.any(|dot| dot.value < self.limits.start || dot.value > self.limits.end)
    }
}

fn layers(row: &DotRow) -> usize {
    row.dots.iter().map(|dot| dot.layer + 1).max().unwrap_or(1)
}

fn height(row: &DotRow) -> f64 {
    (layers(row) as f64 * LAYER + 11.0).max(25.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::{BLACK, Marker};

    fn plot(values: &[f64]) -> DotPlot {
        let rows = values.iter().map(|value| DotRow {
            name: "a < b".to_string(),
            bold: false,
            dots: vec![Dot {
                value: *value,
                interval: Some((value - 0.1, f64::NAN)),
                ink: Ink {
                    colour: BLACK,
                    marker: Marker::Circle,
                },
                faint: false,
                layer: 0,
            }],
            note: String::new(),
        });
        DotPlot {
            width: 400.0,
            x_label: "x".to_string(),
            limits: -1.0..1.0,
            lines: vec![],
            rows: rows.collect(),
        }
    }

    #[test]
    fn what_is_beyond_the_limits_is_an_arrow_and_what_is_no_number_is_nothing() {
        let shown = plot(&[0.5, -7.0, f64::NAN]);
        assert!(shown.is_cut());
        let svg = shown.draw("\"x\"").unwrap();
        assert_eq!(svg.matches("l7 -4v8z").count(), 1);
        assert_eq!(svg.matches("<polygon").count(), 2);
        assert_eq!(svg.matches("a &lt; b").count(), 3);
        assert!(!svg.contains("NaN"));
        assert!(plot(&[f64::NAN]).draw("").is_none());
    }
}
