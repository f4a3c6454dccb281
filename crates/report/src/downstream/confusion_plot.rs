//! Confusion of classes: true classes against predicted ones.

use brainmae_downstream::scores::Scorer;
use brainmae_downstream::scores::confusion::Confusion;
use brainmae_downstream::{Kind, Sample};
use plotters::style::RGBColor;

use super::target::Target;
use crate::drawing::{Anchor, Drawing};
use crate::figure::{Figure, Panel};
use crate::number;
use crate::words::{LETTER, cut, width};

const LONGEST: usize = 20;
/// Room above and below the matrix, in page pixels.
const TOP: f64 = 6.0;
/// Colours for shares 0 to 1 of a row: ColorBrewer's Blues.
const PALE: RGBColor = RGBColor(247, 251, 255);
const DARK: RGBColor = RGBColor(8, 81, 156);

/// One panel for the best model, and one for BrainMAE; `None` for a numeric target.
pub fn figure(target: &Target) -> Option<Figure> {
    let Kind::Classification { n_classes } = target.kind else {
        return None;
    };
    let samples: Vec<Sample> = target.samples().into_iter().take(2).collect();
    let panels = samples.iter().filter_map(|sample| {
        let confusion = Scorer::new(sample).confusion()?;
        let described = format!(
            "Confusion of classes of {} by {}",
            target.name,
            sample.model()
        );
        Some(Panel {
            title: format!("{}, {} predictions", sample.model(), sample.len()),
            svg: matrix(target, &confusion).finish(&described),
        })
    });
    Some(Figure {
        id: "confusion",
        heading: "Confusion of classes",
        empty: "There is nothing to plot.".into(),
        legend: Vec::new(),
        panels: panels.collect(),
        caption: "Rows are true classes, columns decisions: the class whose probability is the largest multiple \
                  of its share in the training set. Large: per cent of the row, which colours the cell; small: \
                  number of predictions; a tie counts in parts."
            .to_string(),
        // Large matrices would be too small to read side by side.
        paired: n_classes <= 8,
    })
}

fn matrix(target: &Target, confusion: &Confusion) -> Drawing {
    let n = confusion.n_classes();
    let names: Vec<String> = (0..n)
        .map(|class| cut(&target.class(class), LONGEST))
        .collect();
    let side = match n {
        0..=3 => 78.0,
        4..=5 => 60.0,
        6..=8 => 46.0,
        _ => 40.0,
    };
    let words = width(names.iter().map(String::as_str));
    // Words that do not fit horizontally are turned by 90 degrees.
    let upright = words + 8.0 > side;
    let left = words + 40.0;
    let below = if upright { words + 34.0 } else { 48.0 };
    let extent = side * n as f64;
    let mut drawing = Drawing::new((left + extent + 8.0).max(300.0), TOP + extent + below);
    for (truth, name) in names.iter().enumerate() {
        let counts: Vec<f64> = (0..n).map(|class| confusion.count(truth, class)).collect();
        let all: f64 = counts.iter().sum();
        let y = TOP + truth as f64 * side;
        drawing.text((left - 8.0, y + side / 2.0), Anchor::End, "", name);
        for (class, count) in counts.iter().enumerate() {
            let share = if all > 0.0 { count / all } else { 0.0 };
            let x = left + class as f64 * side;
            drawing.rectangle((x + 0.5, y + 0.5), (side - 1.0, side - 1.0), shade(share));
            let ink = if share > 0.5 { r##"fill="#fff""## } else { "" };
            let middle = x + side / 2.0;
            let per_cent = format!("{:.0}", 100.0 * share);
            drawing.text((middle, y + side * 0.38), Anchor::Middle, ink, &per_cent);
            let small = format!(r#"{ink} font-size="10""#);
            drawing.text(
                (middle, y + side * 0.72),
                Anchor::Middle,
                &small,
                &number::short((10.0 * count).round() / 10.0),
            );
        }
    }
    let bottom = TOP + extent;
    for (class, name) in names.iter().enumerate() {
        let x = left + (class as f64 + 0.5) * side;
        if upright {
            let turned = format!(r#"transform="rotate(-90 {x:.1} {:.1})""#, bottom + 8.0);
            drawing.text((x, bottom + 8.0), Anchor::End, &turned, name);
        } else {
            drawing.text((x, bottom + 14.0), Anchor::Middle, "", name);
        }
    }
    let middle = left + extent / 2.0;
    drawing.text(
        (middle, bottom + below - 12.0),
        Anchor::Middle,
        "",
        "predicted class",
    );
    let y = TOP + extent / 2.0;
    let turned = format!(r#"transform="rotate(-90 {:.1} {y:.1})""#, LETTER * 1.5);
    drawing.text((LETTER * 1.5, y), Anchor::Middle, &turned, "true class");
    drawing
}

fn shade(share: f64) -> RGBColor {
    let mix = |pale: u8, dark: u8| {
        (f64::from(pale) + share * (f64::from(dark) - f64::from(pale))).round() as u8
    };
    RGBColor(
        mix(PALE.0, DARK.0),
        mix(PALE.1, DARK.1),
        mix(PALE.2, DARK.2),
    )
}
