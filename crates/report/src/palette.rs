//! Palette of colours and markers that differ for colour-blind readers and in grey prints too.

use plotters::style::RGBColor;

/// Okabe and Ito's colours without yellow, which is too faint on white.
const OKABE_ITO: &[RGBColor] = &[
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(110, 110, 110),
];

/// Colours of losses; they differ from those of predictors, to avoid confusion.
const LOSSES: &[RGBColor] = &[
    RGBColor(110, 110, 110),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
];

/// Colour of reference lines and of missing values.
pub const GREY: RGBColor = RGBColor(120, 120, 120);

/// Colour of measured signals and frames.
pub const BLACK: RGBColor = RGBColor(0, 0, 0);

/// Shape of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
}

const MARKERS: &[Marker] = &[
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::Cross,
];

impl Marker {
    /// Corners of the shape around the origin, at a distance of about 1.
    pub fn outline(self) -> Vec<(f64, f64)> {
        match self {
            Marker::Circle => (0..16)
                .map(|i| (f64::from(i) * std::f64::consts::TAU / 16.0).sin_cos())
                .collect(),
            Marker::Square => vec![(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Marker::Triangle => vec![(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            Marker::Diamond => vec![(0.0, -1.3), (1.1, 0.0), (0.0, 1.3), (-1.1, 0.0)],
            Marker::Cross => vec![
                (-1.1, -0.7),
                (-0.7, -1.1),
                (0.0, -0.4),
                (0.7, -1.1),
                (1.1, -0.7),
                (0.4, 0.0),
                (1.1, 0.7),
                (0.7, 1.1),
                (0.0, 0.4),
                (-0.7, 1.1),
                (-1.1, 0.7),
                (-0.4, 0.0),
            ],
        }
    }
}

/// Colour and marker of one series in all figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ink {
    pub colour: RGBColor,
    pub marker: Marker,
}

/// Map from names to colours and markers.
pub struct Palette {
    names: Vec<String>,
    colours: &'static [RGBColor],
}

impl Palette {
    /// Palette for these names, in this order.
    pub fn of<'a>(names: impl Iterator<Item = &'a String>) -> Self {
        Self {
            names: distinct(names),
            colours: OKABE_ITO,
        }
    }

    /// Palette for the names of losses.
    pub fn of_losses<'a>(names: impl Iterator<Item = &'a String>) -> Self {
        Self {
            names: distinct(names),
            colours: LOSSES,
        }
    }

    /// Names in the order of their first appearance.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Ink of `name`; an unknown name gets the first ink.
    pub fn ink(&self, name: &str) -> Ink {
        let i = self.names.iter().position(|n| n == name).unwrap_or(0);
        Ink {
            colour: self.colours[i % self.colours.len()],
            marker: MARKERS[i % MARKERS.len()],
        }
    }
}

/// Names without repetition, in the order of their first appearance.
pub fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_ink_and_differ_from_each_other() {
        let names: Vec<String> = (0..30).map(|i| i.to_string()).collect();
        let palette = Palette {
            names: distinct(names.iter().chain(&names)),
            colours: OKABE_ITO,
        };
        assert_eq!(palette.names(), names);
        for other in &names[1..] {
            assert_ne!(palette.ink("0"), palette.ink(other));
        }
    }
}
