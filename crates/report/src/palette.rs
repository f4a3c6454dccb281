//! Colours and markers that also colour-blind readers and grey printers tell apart.

use plotters::style::RGBColor;

/// Okabe and Ito's colours without yellow, which is faint on white.
const OKABE_ITO: &[RGBColor] = &[
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(110, 110, 110),
];

/// Other colours than predictors have, so that a loss isn't taken for a predictor.
const LOSSES: &[RGBColor] = &[
    RGBColor(110, 110, 110),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
];

/// What a figure is held against, and what is left blank.
pub const GREY: RGBColor = RGBColor(120, 120, 120);

/// Measured signals and frames.
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
    /// Its corners around the origin, about one unit away.
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

/// How one series is drawn, wherever it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ink {
    pub colour: RGBColor,
    pub marker: Marker,
}

/// Which name is drawn with which ink.
pub struct Palette {
    names: Vec<String>,
    colours: &'static [RGBColor],
}

impl Palette {
    /// For these names, in this order.
    pub fn of<'a>(names: impl Iterator<Item = &'a String>) -> Self {
        Self {
            names: distinct(names),
            colours: OKABE_ITO,
        }
    }

    /// For the names of losses.
    pub fn of_losses<'a>(names: impl Iterator<Item = &'a String>) -> Self {
        Self {
            names: distinct(names),
            colours: LOSSES,
        }
    }

    /// Names in the order in which they were met.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The ink of `name`; a stranger is drawn like the first.
    pub fn ink(&self, name: &str) -> Ink {
        let i = self.names.iter().position(|n| n == name).unwrap_or(0);
        Ink {
            colour: self.colours[i % self.colours.len()],
            marker: MARKERS[i % MARKERS.len()],
        }
    }
}

/// Names without repetition, in the order in which they come.
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
