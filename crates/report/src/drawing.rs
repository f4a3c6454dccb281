//! Drawing: an SVG of lines, words and markers at given positions, for figures without numeric
//! axes.

use std::fmt::Write;

use minijinja::HtmlEscape;
use plotters::style::RGBColor;

use crate::figure::{hex, marker};
use crate::palette::Ink;

/// Part of the words at the given position: their middle, or their end.
#[derive(Clone, Copy)]
pub enum Anchor {
    Middle,
    End,
}

/// SVG elements so far; lengths are in page pixels. Writing to a string cannot fail.
pub struct Drawing {
    width: f64,
    height: f64,
    body: String,
}

impl Drawing {
    pub fn new(width: f64, height: f64) -> Self {
        let body = String::new();
        Self {
            width,
            height,
            body,
        }
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: RGBColor, width: f64) {
        let _ = write!(
            self.body,
            r#"<path d="M{:.1} {:.1}L{:.1} {:.1}" stroke="{}" stroke-width="{width}"/>"#,
            from.0,
            from.1,
            to.0,
            to.1,
            hex(colour)
        );
    }

    pub fn dashes(&mut self, from: (f64, f64), to: (f64, f64), colour: RGBColor) {
        let _ = write!(
            self.body,
            r#"<path d="M{:.1} {:.1}L{:.1} {:.1}" stroke="{}" stroke-width="1.5" stroke-dasharray="5 3"/>"#,
            from.0,
            from.1,
            to.0,
            to.1,
            hex(colour)
        );
    }

    pub fn rectangle(&mut self, corner: (f64, f64), size: (f64, f64), colour: RGBColor) {
        let _ = write!(
            self.body,
            r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{}"/>"#,
            corner.0,
            corner.1,
            size.0,
            size.1,
            hex(colour)
        );
    }

    /// Adds a marker with a white rim.
    pub fn marker(&mut self, at: (f64, f64), size: f64, ink: Ink) {
        let white = Ink {
            colour: RGBColor(255, 255, 255),
            ..ink
        };
        self.body += &marker(at, 1.3 * size, white);
        self.body += &marker(at, size, ink);
    }

    /// Adds a translucent dot.
    pub fn dot(&mut self, at: (f64, f64), radius: f64, colour: RGBColor) {
        let _ = write!(
            self.body,
            r#"<circle cx="{:.1}" cy="{:.1}" r="{radius}" fill="{}" fill-opacity=".55"/>"#,
            at.0,
            at.1,
            hex(colour)
        );
    }

    /// Adds an arrow head that points to the right or to the left.
    pub fn arrow(&mut self, at: (f64, f64), right: bool, colour: RGBColor) {
        let back = if right { -7.0 } else { 7.0 };
        let _ = write!(
            self.body,
            r#"<path d="M{:.1} {:.1}l{back} -4v8z" fill="{}"/>"#,
            at.0,
            at.1,
            hex(colour)
        );
    }

    /// Adds words at a position; `style` holds further attributes of the element.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, style: &str, words: &str) {
        let anchor = match anchor {
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = write!(
            self.body,
            r#"<text x="{:.1}" y="{:.1}" dy=".35em" text-anchor="{anchor}" {style}>{}</text>"#,
            at.0,
            at.1,
            HtmlEscape(words)
        );
    }

    /// Completes the `<svg>`; screen readers read `described` instead.
    pub fn finish(self, described: &str) -> String {
        format!(
            r##"<svg viewBox="0 0 {:.0} {:.0}" role="img" aria-label="{}" font-family="sans-serif" font-size="13" fill="#1e1e1e" style="min-width:{:.0}px">{}</svg>"##,
            self.width,
            self.height,
            HtmlEscape(described),
            0.7 * self.width,
            self.body
        )
    }
}
