//! Axis of a heatmap: order and labels of the ROIs, by network if networks are known.

use std::fmt::Write;

use minijinja::HtmlEscape;

use super::NetworkSimilarity;
use crate::palette::distinct;
use crate::words::{LETTER, cut};

/// Largest number of ROIs whose names fit beside the axis.
const MOST_NAMES: usize = 22;
/// Largest number of letters of a label; a longer one is cut.
const LONGEST: usize = 18;
/// Room that a label needs along the axis, in page pixels.
const LINE: f64 = 13.0;

/// Order and groups of the ROIs, the same for rows and columns.
pub struct Axis {
    /// ROI indices in the order in which they are drawn.
    pub order: Vec<usize>,
    /// Labels beside the axis, each with its range of the order.
    groups: Vec<Group>,
    title: &'static str,
    /// Whether groups are networks, so that lines are drawn between them.
    grouped: bool,
}

struct Group {
    label: String,
    start: usize,
    end: usize,
}

impl Axis {
    /// Groups the ROIs by network; without networks they keep their order.
    pub fn new(of: &NetworkSimilarity) -> Self {
        let n = of.similarity.rois.len();
        let networks = distinct(of.networks.iter().flatten());
        let mut axis = Self {
            order: (0..n).collect(),
            groups: Vec::new(),
            title: "ROIs, in the order of the atlas",
            grouped: !networks.is_empty(),
        };
        if axis.grouped {
            axis.title = "ROIs, grouped by network";
            axis.order.clear();
            let known = networks.iter().map(Some);
            for network in known.chain([None]) {
                let start = axis.order.len();
                let of_it = (0..n).filter(|i| of.networks[*i].as_ref() == network);
                axis.order.extend(of_it);
                axis.push(network.map_or("(none)", String::as_str), start);
            }
        } else if n <= MOST_NAMES {
            for (i, roi) in of.similarity.rois.iter().enumerate() {
                axis.groups.push(Group {
                    label: cut(roi, LONGEST),
                    start: i,
                    end: i + 1,
                });
            }
        } else {
            let stride = [10, 20, 50, 100]
                .into_iter()
                .find(|s| n / s <= 10)
                .unwrap_or(200);
            for i in (stride..=n).step_by(stride) {
                axis.groups.push(Group {
                    label: i.to_string(),
                    start: i - 1,
                    end: i,
                });
            }
        }
        axis
    }

    fn push(&mut self, label: &str, start: usize) {
        let end = self.order.len();
        if end > start {
            self.groups.push(Group {
                label: cut(label, LONGEST),
                start,
                end,
            });
        }
    }

    /// Room to the left of the heatmap, in page pixels.
    pub fn width(&self) -> f64 {
        let letters = self.groups.iter().map(|group| group.label.chars().count());
        letters.max().unwrap_or(0) as f64 * LETTER + 22.0
    }

    /// Draws the labels, the lines between networks, and the title below.
    pub fn draw(&self, side: f64) -> String {
        let cell = side / self.order.len().max(1) as f64;
        let middles: Vec<f64> = self
            .groups
            .iter()
            .map(|group| (group.start + group.end) as f64 / 2.0 * cell)
            .collect();
        let mut svg = String::new();
        let mut lines = String::new();
        for ((group, middle), place) in self.groups.iter().zip(&middles).zip(apart(&middles, side))
        {
            // Writing to a string cannot fail.
            let _ = write!(
                svg,
                r#"<text x="-14" y="{place:.1}" dy=".35em" text-anchor="end">{}</text>"#,
                HtmlEscape(&group.label)
            );
            let _ = write!(lines, "M-11 {place:.1}L-2 {middle:.1}");
            let edge = group.start as f64 * cell;
            if self.grouped && group.start > 0 {
                let _ = write!(lines, "M0 {edge:.1}H{side}M{edge:.1} 0V{side}");
            }
        }
        let _ = write!(
            svg,
            r##"<path d="{lines}M0 0H{side}V{side}H0Z" fill="none" stroke="#333" stroke-width=".8"/><text x="{}" y="{}" text-anchor="middle">{}</text>"##,
            side / 2.0,
            side + 20.0,
            self.title
        );
        svg
    }
}

/// Moves positions apart until labels do not touch: down from the top, then up from the bottom.
fn apart(places: &[f64], side: f64) -> Vec<f64> {
    let mut moved = places.to_vec();
    let mut free = f64::NEG_INFINITY;
    for place in &mut moved {
        *place = place.max(free);
        free = *place + LINE;
    }
    let mut free = side;
    for place in moved.iter_mut().rev() {
        *place = place.min(free);
        free = *place - LINE;
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::super::super::RoiSimilarity;
    use super::*;

    #[test]
    fn rois_of_a_network_stand_together_and_the_rest_stand_last() {
        let networks = [None, Some("Vis"), Some("Def"), Some("Vis")];
        let axis = Axis::new(&NetworkSimilarity {
            similarity: RoiSimilarity {
                variant: String::new(),
                rois: vec![String::new(); 4],
                cosine: vec![0.0; 16],
            },
            networks: networks.iter().map(|n| n.map(str::to_string)).collect(),
            auroc: None,
        });
        assert_eq!(axis.order, [1, 3, 2, 0]);
        let labels: Vec<&str> = axis.groups.iter().map(|g| g.label.as_str()).collect();
        assert_eq!(labels, ["Vis", "Def", "(none)"]);
    }

    #[test]
    fn labels_do_not_touch() {
        let places = apart(&[1.0, 2.0, 50.0, 99.0, 100.0], 100.0);
        assert!(places.windows(2).all(|w| w[1] - w[0] >= LINE), "{places:?}");
        assert_eq!(places[2], 50.0);
    }
}
