//! Axis with ticks at chosen values, and words beside them.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;

use crate::number;

/// Range and marks of the axis, from left to right.
pub struct MarkedAxis {
    range: RangedCoordf64,
    marks: Vec<(f64, String)>,
}

impl MarkedAxis {
    /// Creates an axis with exactly these marks.
    pub fn new(range: Range<f64>, marks: &[(f64, String)]) -> Self {
        Self {
            range: range.into(),
            marks: marks.to_vec(),
        }
    }

    /// Marks at round numbers, `n` at most.
    pub fn of_numbers(range: Range<f64>, n: usize) -> Vec<(f64, String)> {
        let rounding = 1e-9 * (range.end - range.start);
        let places = RangedCoordf64::from(range).key_points(n).into_iter();
        places
            .map(|x| if x.abs() < rounding { 0.0 } else { x })
            .map(|x| (x, number::short(x)))
            .collect()
    }
}

impl Ranged for MarkedAxis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.range.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // There is nothing between the marks.
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.marks.iter().map(|mark| mark.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.range()
    }
}

#[cfg(test)]
mod tests {
    use plotters::coord::ranged1d::BoldPoints;

    use super::*;

    #[test]
    fn ticks_are_where_they_are_wanted() {
        let marks = [(0.25, "a".to_string()), (3.0, "b".to_string())];
        let axis = MarkedAxis::new(0.0..4.0, &marks);
        assert_eq!(axis.key_points(BoldPoints(1)), [0.25, 3.0]);
        let marks = MarkedAxis::of_numbers(0.0..4.0, 5);
        assert_eq!(marks[1], (1.0, "1".to_string()));
        let marks = MarkedAxis::of_numbers(-0.77..0.99, 9);
        assert!(marks.contains(&(0.0, "0".to_string())), "{marks:?}");
    }
}
