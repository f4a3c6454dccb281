//! Heatmap of the similarity of ROI vectors, with ROIs grouped by network.

use std::fmt::Write;

use minijinja::HtmlEscape;
use plotters::style::RGBColor;

use super::NetworkSimilarity;
use crate::figure::{Figure, Panel, hex};
use crate::number;
use crate::thin::quantile;

mod axis;
use axis::Axis;

/// Number of colours on each side of zero.
const LEVELS: i32 = 16;
/// Width of the matrix, in page pixels.
const SIDE: f64 = 300.0;
const TOP: f64 = 8.0;

/// ColorBrewer's RdBu from its middle to the blue and to the red end; colour-blind readers can
/// distinguish the two.
const BELOW: [RGBColor; 5] = [
    RGBColor(247, 247, 247),
    RGBColor(209, 229, 240),
    RGBColor(146, 197, 222),
    RGBColor(67, 147, 195),
    RGBColor(5, 48, 97),
];
const ABOVE: [RGBColor; 5] = [
    RGBColor(247, 247, 247),
    RGBColor(253, 219, 199),
    RGBColor(244, 165, 130),
    RGBColor(214, 96, 77),
    RGBColor(103, 0, 31),
];

/// Figure of all variants.
pub fn figure(all: &[NetworkSimilarity]) -> Figure {
    // Variants share their colours, so that they can be compared.
    let drawn = all.iter().filter(|s| limit(s).is_some());
    let limit = all.iter().filter_map(limit).fold(0.0, f64::max);
    let panels: Vec<Panel> = drawn.map(|s| panel(s, limit)).collect();
    let mut caption = "Cosine similarity between the learned vectors of ROIs; rows and columns have the \
                       same order. Grey: the diagonal, which is always 1, and pairs without a number. The \
                       colour scale is as wide as 99.5 % of the other pairs need; pairs beyond it have its \
                       last colours."
        .to_string();
    if all.iter().any(|s| s.auroc.is_some()) {
        caption += " AUROC: how well similarity tells pairs of ROIs within a network from other pairs; 0.5 \
                    is chance.";
    }
    Figure {
        id: "similarity",
        heading: "Similarity of ROI vectors",
        empty: "There are no ROI vectors to compare.".into(),
        legend: Vec::new(),
        panels,
        caption,
        paired: true,
    }
}

fn panel(of: &NetworkSimilarity, limit: f64) -> Panel {
    let axis = Axis::new(of);
    let left = axis.width();
    let (width, height) = (left + SIDE + 68.0, TOP + SIDE + 32.0);
    let described = format!(
        "Similarity of ROI vectors of BrainMAE {}",
        of.similarity.variant
    );
    let svg = format!(
        r##"<svg viewBox="0 0 {width:.0} {height:.0}" role="img" aria-label="{}" font-family="sans-serif" font-size="13" fill="#1e1e1e"><g transform="translate({left:.0} {TOP})"><rect width="{SIDE}" height="{SIDE}" fill="#b8b8b8"/>{}{}{}</g></svg>"##,
        HtmlEscape(&described),
        cells(of, &axis, limit),
        axis.draw(SIDE),
        colour_bar(limit)
    );
    let auroc = of
        .auroc
        .map(|auroc| format!(", AUROC {}", number::score(auroc)));
    Panel {
        title: format!(
            "BrainMAE {}{}",
            of.similarity.variant,
            auroc.unwrap_or_default()
        ),
        svg,
    }
}

/// Similarity at the ends of the colour scale: nearly the largest off the diagonal, rounded up.
fn limit(of: &NetworkSimilarity) -> Option<f64> {
    let n = of.similarity.rois.len();
    let mut sizes: Vec<f64> = (of.similarity.cosine)
        .iter()
        .enumerate()
        .filter(|(i, value)| i / n != i % n && value.is_finite())
        .map(|(_, value)| f64::from(value.abs()))
        .collect();
    let size = quantile(&mut sizes, 0.995);
    if !size.is_finite() {
        return None;
    }
    // Steps of a tenth, or of a hundredth if all similarities are small.
    let unit = if size > 0.1 { 0.1 } else { 0.01 };
    Some((size / unit - 1e-6).ceil().max(1.0) * unit)
}

/// One SVG path for each colour, made of horizontal runs of cells.
fn cells(of: &NetworkSimilarity, axis: &Axis, limit: f64) -> String {
    let n = axis.order.len();
    let level = |row: usize, column: usize| -> Option<i32> {
        let (row, column) = (axis.order[row], axis.order[column]);
        let value = f64::from(of.similarity.cosine[row * n + column]);
        (row != column && value.is_finite()).then(|| level(value, limit))
    };
    let mut paths = vec![Path::default(); 2 * LEVELS as usize + 1];
    for row in 0..n {
        let mut start = 0;
        while start < n {
            let found = level(row, start);
            let end = (start + 1..n)
                .find(|c| level(row, *c) != found)
                .unwrap_or(n);
            if let Some(level) = found {
                paths[(level + LEVELS) as usize].run(start, row, end - start);
            }
            start = end;
        }
    }
    let mut svg = format!(
        r#"<g transform="scale({:.5})" shape-rendering="crispEdges">"#,
        SIDE / n as f64
    );
    for (path, level) in paths.iter().zip(-LEVELS..) {
        if !path.drawn.is_empty() {
            let colour = hex(colour(level));
            // Writing to a string cannot fail.
            let _ = write!(svg, r#"<path fill="{colour}" d="{}"/>"#, path.drawn);
        }
    }
    svg + "</g>"
}

/// Runs of cells of one colour. Moves are relative to the start of the last run, which makes the
/// path shorter.
#[derive(Debug, Clone, Default)]
struct Path {
    drawn: String,
    x: usize,
    y: usize,
}

impl Path {
    fn run(&mut self, x: usize, y: usize, len: usize) {
        let (dx, dy) = (x as i64 - self.x as i64, y as i64 - self.y as i64);
        let _ = write!(self.drawn, "m{dx} {dy}h{len}v1h-{len}z");
        (self.x, self.y) = (x, y);
    }
}

fn level(value: f64, limit: f64) -> i32 {
    ((value / limit).clamp(-1.0, 1.0) * f64::from(LEVELS)).round() as i32
}

fn colour(level: i32) -> RGBColor {
    let stops = if level < 0 { BELOW } else { ABOVE };
    let place = f64::from(level.abs()) / f64::from(LEVELS) * (stops.len() - 1) as f64;
    let i = (place as usize).min(stops.len() - 2);
    let mix = |a: u8, b: u8| {
        let part = place - i as f64;
        (f64::from(a) * (1.0 - part) + f64::from(b) * part).round() as u8
    };
    let (a, b) = (stops[i], stops[i + 1]);
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

fn colour_bar(limit: f64) -> String {
    let (x, width) = (SIDE + 14.0, 12.0);
    let step = SIDE / f64::from(2 * LEVELS + 1);
    let mut svg = r#"<g shape-rendering="crispEdges">"#.to_string();
    for level in -LEVELS..=LEVELS {
        let y = f64::from(LEVELS - level) * step;
        let colour = hex(colour(level));
        let _ = write!(
            svg,
            r#"<rect x="{x}" y="{y:.2}" width="{width}" height="{step:.2}" fill="{colour}"/>"#
        );
    }
    svg += "</g>";
    for part in [-1.0, -0.5, 0.0, 0.5, 1.0] {
        let y = SIDE / 2.0 - part * (SIDE - step) / 2.0;
        let _ = write!(
            svg,
            r#"<text x="{}" y="{y:.1}" dy=".35em">{}</text>"#,
            x + width + 4.0,
            number::short(limit * part)
        );
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::super::RoiSimilarity;
    use super::*;

    fn similarity(cosine: Vec<f32>, networks: &[Option<&str>]) -> NetworkSimilarity {
        NetworkSimilarity {
            similarity: RoiSimilarity {
                variant: "sg".to_string(),
                rois: (0..networks.len()).map(|i| format!("roi {i}")).collect(),
                cosine,
            },
            networks: networks.iter().map(|n| n.map(str::to_string)).collect(),
            auroc: None,
        }
    }

    #[test]
    fn the_diagonal_does_not_stretch_the_colours() {
        let matrix = vec![1.0, -0.4, -0.4, 1.0];
        assert_eq!(limit(&similarity(matrix, &[None; 2])), Some(0.4));
        assert_eq!(limit(&similarity(vec![1.0], &[None])), None);
        assert_eq!(limit(&similarity(vec![], &[])), None);
    }

    #[test]
    fn cells_of_one_colour_are_one_run() {
        let matrix = vec![1.0, 0.2, 0.2, 0.2, 1.0, f32::NAN, 0.2, f32::NAN, 1.0];
        let similarity = similarity(matrix, &[None; 3]);
        let svg = cells(&similarity, &Axis::new(&similarity), 0.2);
        assert!(
            svg.contains(r##"<path fill="#67001f" d="m1 0h2v1h-2zm-1 1h1v1h-1zm0 1h1v1h-1z"/>"##),
            "{svg}"
        );
        assert_eq!(svg.matches("<path").count(), 1);
    }

    #[test]
    fn colours_mirror_around_a_neutral_middle() {
        assert_eq!(colour(0), ABOVE[0]);
        assert_eq!(colour(LEVELS), ABOVE[4]);
        assert_eq!(colour(-LEVELS), BELOW[4]);
        assert_eq!(level(-9.0, 0.5), -LEVELS);
    }
}
