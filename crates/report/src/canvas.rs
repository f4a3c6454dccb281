//! Canvas: an SVG with a pair of axes to draw on.

use std::ops::Range;

use minijinja::HtmlEscape;
use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use crate::Result;
use crate::marked_axis::MarkedAxis;
use crate::number;
use crate::palette::Ink;

/// Pixels of the drawing for each pixel of the page. Plotters places everything on whole pixels:
/// more of them make lines smooth.
const SCALE: i32 = 4;
/// Font size of words beside the axes, in page pixels.
const TEXT: f64 = 13.0;
/// Ratio of the font size that Plotters takes, which includes line spacing, to the size of the
/// letters.
const LINE_SPACING: f64 = 1.24;

const GRID: RGBColor = RGBColor(228, 228, 228);
const AXIS: RGBColor = RGBColor(70, 70, 70);
const WORDS: RGBColor = RGBColor(30, 30, 30);

/// Size and axes of a plot; lengths are in page pixels.
pub struct Axes<'a> {
    pub width: i32,
    pub height: i32,
    pub x: Range<f64>,
    pub y: Range<f64>,
    pub x_label: &'a str,
    pub y_label: &'a str,
    /// Largest number of ticks.
    pub x_ticks: usize,
    pub y_ticks: usize,
}

type Plane = Cartesian2d<MarkedAxis, RangedCoordf64>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Plane>;

/// Drawing area of a plot.
pub struct Canvas<'a, 'b> {
    chart: Chart<'a, 'b>,
    y: Range<f64>,
}

impl Axes<'_> {
    /// Draws the plot as an `<svg>` that scales with the page; screen readers read `described`
    /// instead.
    pub fn draw(
        &self,
        described: &str,
        draw: impl FnOnce(&mut Canvas) -> Result<()>,
    ) -> Result<String> {
        let marks = MarkedAxis::of_numbers(self.x.clone(), self.x_ticks);
        self.draw_marked(&marks, described, draw)
    }

    /// As [`Axes::draw`], with words at chosen values of the horizontal axis instead of its ticks.
    pub fn draw_marked(
        &self,
        marks: &[(f64, String)],
        described: &str,
        draw: impl FnOnce(&mut Canvas) -> Result<()>,
    ) -> Result<String> {
        let mut svg = String::new();
        let (width, height) = (self.width * SCALE, self.height * SCALE);
        {
            let backend = SVGBackend::with_string(&mut svg, (width as u32, height as u32));
            let area = backend.into_drawing_area();
            let mut canvas = Canvas {
                chart: self.mesh(&area, marks)?,
                y: self.y.clone(),
            };
            draw(&mut canvas)?;
            area.present()?;
        }
        // Plotters gives its root element a fixed size and no description.
        let inside = svg.split_once('>').map_or("", |(_, rest)| rest);
        Ok(format!(
            r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="{}">{inside}"#,
            HtmlEscape(described)
        ))
    }

    fn mesh<'a, 'b>(
        &self,
        area: &DrawingArea<SVGBackend<'b>, Shift>,
        marks: &[(f64, String)],
    ) -> Result<Chart<'a, 'b>> {
        let word = |x: &f64| {
            let mark = marks.iter().find(|mark| mark.0 == *x);
            mark.map_or_else(String::new, |mark| mark.1.clone())
        };
        let size = TEXT * LINE_SPACING * f64::from(SCALE);
        let words = ("sans-serif", size, &WORDS);
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * SCALE)
            .margin_right(16 * SCALE)
            .margin_bottom(4 * SCALE)
            .margin_left(4 * SCALE)
            .x_label_area_size(44 * SCALE)
            .y_label_area_size(58 * SCALE)
            .build_cartesian_2d(MarkedAxis::new(self.x.clone(), marks), self.y.clone())?;
        chart
            .configure_mesh()
            .x_desc(self.x_label)
            .y_desc(self.y_label)
            .x_labels(self.x_ticks)
            .y_labels(self.y_ticks)
            .x_label_formatter(&word)
            .y_label_formatter(&|y| number::short(*y))
            .label_style(words)
            .axis_desc_style(words)
            .set_all_tick_mark_size(4 * SCALE)
            .axis_style(AXIS.stroke_width(SCALE as u32))
            .bold_line_style(GRID.stroke_width(SCALE as u32 * 3 / 4))
            .light_line_style(TRANSPARENT)
            .max_light_lines(1)
            .draw()?;
        Ok(chart)
    }
}

impl Canvas<'_, '_> {
    /// Draws a line of `width` page pixels. Values beyond the axes are drawn at their end.
    pub fn line(&mut self, points: &[(f64, f64)], colour: RGBAColor, width: f64) -> Result<()> {
        let width = (width * f64::from(SCALE)).round() as u32;
        let points = self.inside(points);
        // A line needs two points; a single point is drawn as a dot.
        if let [point] = points[..] {
            let dot = Circle::new(point, width, colour.filled());
            self.chart.draw_series([dot])?;
        } else if !points.is_empty() {
            let line = PathElement::new(points, colour.stroke_width(width));
            self.chart.draw_series([line])?;
        }
        Ok(())
    }

    /// Draws markers with a white rim.
    pub fn markers(&mut self, points: &[(f64, f64)], ink: Ink) -> Result<()> {
        let size = 4.0 * f64::from(SCALE);
        let outline = |scale: f64| -> Vec<(i32, i32)> {
            let grown = |v: f64| (v * scale * size).round() as i32;
            let corners = ink.marker.outline();
            corners.iter().map(|c| (grown(c.0), grown(c.1))).collect()
        };
        for point in self.inside(points) {
            let marker = EmptyElement::at(point)
                + Polygon::new(outline(1.3), WHITE.filled())
                + Polygon::new(outline(1.0), ink.colour.filled());
            self.chart.draw_series([marker])?;
        }
        Ok(())
    }

    /// Draws dots of a radius in page pixels.
    pub fn dots(&mut self, points: &[(f64, f64)], colour: RGBAColor, radius: f64) -> Result<()> {
        let radius = (radius * f64::from(SCALE)).round() as i32;
        let dots = self.inside(points).into_iter();
        self.chart
            .draw_series(dots.map(|at| Circle::new(at, radius, colour.filled())))?;
        Ok(())
    }

    /// Draws a dashed line.
    pub fn dashes(&mut self, points: &[(f64, f64)], colour: RGBAColor) -> Result<()> {
        let points = self.inside(points).into_iter();
        let style = colour.stroke_width(3 * SCALE as u32 / 2);
        self.chart
            .draw_series([DashedPathElement::new(points, 6 * SCALE, 4 * SCALE, style)])?;
        Ok(())
    }

    /// Fills the area between two lines with the same `x`: `(x, low, high)`.
    pub fn band(&mut self, band: &[(f64, f64, f64)], colour: RGBAColor) -> Result<()> {
        let low = band.iter().map(|b| (b.0, b.1));
        let high = band.iter().rev().map(|b| (b.0, b.2));
        let corners = self.inside(&low.chain(high).collect::<Vec<_>>());
        if corners.len() > 2 {
            let area = Polygon::new(corners, colour.filled());
            self.chart.draw_series([area])?;
        }
        Ok(())
    }

    /// Shades the whole height of the plot between two values of `x`.
    pub fn shade(&mut self, x: Range<f64>, colour: RGBAColor) -> Result<()> {
        let corners = [(x.start, self.y.start), (x.end, self.y.end)];
        let area = Rectangle::new(corners, colour.filled());
        self.chart.draw_series([area])?;
        Ok(())
    }

    /// Draws a vertical line from the lower end of the plot to the upper.
    pub fn upright(&mut self, x: f64, colour: RGBAColor, width: f64) -> Result<()> {
        self.line(&[(x, self.y.start), (x, self.y.end)], colour, width)
    }

    fn inside(&self, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let (low, high) = (self.y.start, self.y.end);
        points.iter().map(|p| (p.0, p.1.clamp(low, high))).collect()
    }
}

/// Range of the finite `values` with some room at both ends; `None` if there are none.
pub fn span(values: impl Iterator<Item = f64>, room: f64) -> Option<Range<f64>> {
    let ends =
        values
            .filter(|v| v.is_finite())
            .fold(None, |ends: Option<(f64, f64)>, v| match ends {
                None => Some((v, v)),
                Some((low, high)) => Some((low.min(v), high.max(v))),
            });
    ends.map(|(low, high)| {
        let room = match (high - low) * room {
            // If all values are equal, the axis still needs a length.
            0.0 => high.abs().max(1.0) * 0.1,
            room => room,
        };
        low - room..high + room
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_leaves_out_what_is_not_finite_and_is_never_empty() {
        let values = [f64::NAN, 1.0, 3.0, f64::INFINITY];
        assert_eq!(span(values.into_iter(), 0.5), Some(0.0..4.0));
        assert_eq!(span([2.0].into_iter(), 0.5), Some(1.8..2.2));
        assert_eq!(span([f64::NAN].into_iter(), 0.5), None);
    }

    #[test]
    fn a_plot_scales_and_its_words_are_escaped() {
        let axes = Axes {
            width: 300,
            height: 200,
            x: 0.0..1.0,
            y: 0.0..1.0,
            x_label: "a < b",
            y_label: "c",
            x_ticks: 5,
            y_ticks: 5,
        };
        let svg = axes
            .draw("\"x\" & y", |canvas| {
                canvas.line(&[(0.0, 0.0), (1.0, 9.0)], BLACK.into(), 1.0)
            })
            .unwrap();
        assert!(svg.starts_with(r#"<svg viewBox="0 0 1200 800""#));
        assert!(svg.contains("a &lt; b"));
        assert!(svg.contains("&quot;x&quot; &amp; y"));
        assert!(svg.trim_end().ends_with("</svg>"));
    }
}
