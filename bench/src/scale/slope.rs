//! Exponent of a power law, with its interval.

use std::fmt;

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Exponent `b` of `seconds = a size^b`, by least squares of the logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The exponent.
    pub exponent: f64,
    /// Half of its 95 % interval by Student's t; infinite for two points or fewer.
    pub half: f64,
}

impl Slope {
    /// The exponent of these sizes and seconds, all above 0, of at least two different sizes.
    pub fn of(points: &[(f64, f64)]) -> Self {
        let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
        let n = logs.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / n;
        let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
        let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let common: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let exponent = common / spread;
        let left = logs
            .iter()
            .map(|(x, y)| (y - mean_y - exponent * (x - mean_x)).powi(2));
        let free = n - 2.0;
        let half = match StudentsT::new(0.0, 1.0, free) {
            Ok(t) if free > 0.0 => {
                t.inverse_cdf(0.975) * (left.sum::<f64>() / free / spread).sqrt()
            }
            _ => f64::INFINITY,
        };
        Self { exponent, half }
    }
}

impl fmt::Display for Slope {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (low, high) = (self.exponent - self.half, self.exponent + self.half);
        write!(f, "{:.2} [{low:.2}, {high:.2}]", self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_and_its_interval_are_those_of_least_squares() {
        let points = [(1.0, 2.0), (10.0, 200.0), (100.0, 20_000.0)];
        let slope = Slope::of(&points);
        assert!(
            (slope.exponent - 2.0).abs() < 1e-12 && slope.half < 1e-6,
            "{slope}"
        );
        // Logarithms to base e: x 0, 1, 2, 3; y 0, 1, 1, 2. Slope 0.6, residual sum 0.2,
        // standard error sqrt(0.1 / 5), t of two degrees of freedom 4.3027.
        let e = std::f64::consts::E;
        let points = [(1.0, 1.0), (e, e), (e * e, e), (e.powi(3), e * e)];
        let slope = Slope::of(&points);
        assert!((slope.exponent - 0.6).abs() < 1e-12, "{slope}");
        assert!(
            (slope.half - 4.302_652_7 * 0.02_f64.sqrt()).abs() < 1e-6,
            "{slope}"
        );
    }
}
