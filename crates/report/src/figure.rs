//! Figure as input of the template: panels, a legend above them, a caption below.

use std::borrow::Cow;
use std::fmt::Write;

use plotters::style::RGBColor;
use serde::Serialize;

use crate::palette::Ink;

/// One section of the page, with plots.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// Anchor for links within the page.
    pub id: &'static str,
    pub heading: &'static str,
    /// Text in place of a figure without panels.
    pub empty: Cow<'static, str>,
    pub legend: Vec<LegendEntry>,
    pub panels: Vec<Panel>,
    pub caption: String,
    /// Whether panels stand side by side if there is room.
    pub paired: bool,
}

/// One plot with its title.
#[derive(Debug, Serialize)]
pub struct Panel {
    pub title: String,
    /// Markup of the plot. The template escapes all strings except this and a swatch.
    pub svg: String,
}

/// Entry of a legend: a name and its swatch.
#[derive(Debug, Serialize)]
pub struct LegendEntry {
    pub label: String,
    swatch: String,
}

impl LegendEntry {
    /// Entry with a line and a marker.
    pub fn marked(label: &str, ink: Ink) -> Self {
        Self::new(label, &(line(ink.colour) + &marker((16.0, 7.0), 4.0, ink)))
    }

    /// Entry with a line.
    pub fn line(label: &str, colour: RGBColor) -> Self {
        Self::new(label, &line(colour))
    }

    /// Entry with a dashed line.
    pub fn dashed(label: &str, colour: RGBColor) -> Self {
        let dashes = line(colour).replace("/>", r#" stroke-dasharray="5 3"/>"#);
        Self::new(label, &dashes)
    }

    /// Entry with a marker.
    pub fn marker(label: &str, ink: Ink) -> Self {
        Self::new(label, &marker((16.0, 7.0), 4.0, ink))
    }

    /// Entry with a shaded patch.
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

/// SVG of a marker of this size around a position.
pub fn marker(at: (f64, f64), size: f64, ink: Ink) -> String {
    let mut corners = String::new();
    for (x, y) in ink.marker.outline() {
        // Writing to a string cannot fail.
        let _ = write!(corners, "{:.1},{:.1} ", at.0 + size * x, at.1 + size * y);
    }
    format!(
        r#"<polygon points="{}" fill="{}"/>"#,
        corners.trim_end(),
        hex(ink.colour)
    )
}

/// A colour in the notation of SVG.
pub fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
