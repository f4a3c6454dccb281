//! A figure as the template sees it: panels, a legend above them, a caption below.

use std::borrow::Cow;
use std::fmt::Write;

use plotters::style::RGBColor;
use serde::Serialize;

use crate::palette::Ink;

/// One section of the page with plots.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// Where links of the page lead to.
    pub id: &'static str,
    pub heading: &'static str,
    /// Said in place of a figure without panels.
    pub empty: Cow<'static, str>,
    pub legend: Vec<LegendEntry>,
    pub panels: Vec<Panel>,
    pub caption: String,
    /// Panels stand side by side where there is room.
    pub paired: bool,
}

/// One plot.
#[derive(Debug, Serialize)]
pub struct Panel {
    pub title: String,
    /// Markup; the only strings that the template doesn't escape are this and a swatch.
    pub svg: String,
}

/// A name and the piece of line that stands for it.
#[derive(Debug, Serialize)]
pub struct LegendEntry {
    pub label: String,
    swatch: String,
}

impl LegendEntry {
    /// A line with a marker.
    pub fn marked(label: &str, ink: Ink) -> Self {
        Self::new(label, &(line(ink.colour) + &marker((16.0, 7.0), 4.0, ink)))
    }

    /// A line alone.
    pub fn line(label: &str, colour: RGBColor) -> Self {
        Self::new(label, &line(colour))
    }

    /// A broken line.
    pub fn dashed(label: &str, colour: RGBColor) -> Self {
        let dashes = line(colour).replace("/>", r#" stroke-dasharray="5 3"/>"#);
        Self::new(label, &dashes)
    }

    /// A marker alone.
    pub fn marker(label: &str, ink: Ink) -> Self {
        Self::new(label, &marker((16.0, 7.0), 4.0, ink))
    }

    /// A shaded patch.
    pub fn patch(label: &str, colour: RGBColor) -> Self {
        let patch = format!(
            r#"<rect x="4" y="1" width="24" height="12" fill="{}"/>"#,
            hex(colour)
        );
        Self::new(label, &patch)
    }

    fn new(label: &str, drawing: &str) -> Self {
        Self {
            label: label.to_string(),
            swatch: format!(
                r#"<svg viewBox="0 0 32 14" width="32" height="14" aria-hidden="true">{drawing}</svg>"#
            ),
        }
    }
}

fn line(colour: RGBColor) -> String {
    format!(
        r#"<path d="M1 7h30" stroke="{}" stroke-width="2"/>"#,
        hex(colour)
    )
}

/// A marker of this size around a place.
pub fn marker(at: (f64, f64), size: f64, ink: Ink) -> String {
    let mut corners = String::new();
    for (x, y) in ink.marker.outline() {
        // Writing to a string doesn't fail.
        let _ = write!(corners, "{:.1},{:.1} ", at.0 + size * x, at.1 + size * y);
    }
    format!(
        r#"<polygon points="{}" fill="{}"/>"#,
        corners.trim_end(),
        hex(ink.colour)
    )
}

/// A colour as SVG writes it.
pub fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
