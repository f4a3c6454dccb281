//! Head movement during a scan.

use std::fmt::Write as _;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Radius of the sphere that converts rotations to millimetres, after Power et al. 2012.
const FD_RADIUS_MM: f64 = 50.0;

/// Radius for FSL's relative displacement (Jenkinson 1999).
const RMS_RADIUS_MM: f64 = 80.0;

/// Share of its displacement by which the head returns to its origin, per volume.
const RETURN: f64 = 0.01;

/// Share of volumes with a jerk of the head, and its size as multiples of the usual displacement.
const JERKS: f64 = 0.02;
const JERK_TIMES: std::ops::Range<f64> = 4.0..10.0;

/// Mean of |x| for a standard normal x, times the six parameters.
const SIX_MEANS: f64 = 6.0 * 0.797_884_56;

/// Head movement of a scan.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Motion {
    /// Head position by volume: translations along x, y, z in mm, then rotations about them in
    /// radians.
    pub positions: Vec<[f64; 6]>,
    /// By volume: framewise displacement after Power et al. 2012; 0 in the first.
    pub fd_mm: Vec<f64>,
}

impl Motion {
    /// Draws head movement with a displacement of about `fd_mm` per volume, besides jerks.
    pub fn draw(n_volumes: usize, fd_mm: f64, rng: &mut dyn Rng) -> Self {
        let sd = fd_mm / SIX_MEANS;
        let scale = |at: usize| if at < 3 { 1.0 } else { 1.0 / FD_RADIUS_MM };
        let mut position = [0.0; 6];
        let mut positions = Vec::with_capacity(n_volumes);
        for volume in 0..n_volumes {
            if volume > 0 {
                for (at, value) in position.iter_mut().enumerate() {
                    let step: f64 = rng.sample(StandardNormal);
                    *value = *value * (1.0 - RETURN) + step * sd * scale(at);
                }
                if rng.random_bool(JERKS) {
                    let at = rng.random_range(0..6);
                    let far = rng.random_range(JERK_TIMES) * fd_mm * scale(at);
                    position[at] += if position[at] > 0.0 { -far } else { far };
                }
            }
            // Files have six decimal digits, so the positions are rounded to the written values.
            positions.push(position.map(|value| (value * 1e6).round() / 1e6));
        }
        let fd_mm = framewise_displacement(&positions);
        Self { positions, fd_mm }
    }

    /// Appends the volumes of a later scan.
    pub fn append(&mut self, mut later: Self) {
        self.positions.append(&mut later.positions);
        self.fd_mm.append(&mut later.fd_mm);
    }

    /// Mean framewise displacement, mm.
    pub fn mean_fd_mm(&self) -> f64 {
        self.fd_mm.iter().sum::<f64>() / self.fd_mm.len().max(1) as f64
    }

    /// `Movement_Regressors.txt` of the HCP: translations in mm, rotations in degrees, then the
    /// backward differences of the six.
    pub fn hcp_regressors(positions: &[[f64; 6]]) -> String {
        let degrees = |position: &[f64; 6]| {
            let [x, y, z, a, b, c] = *position;
            [x, y, z, a.to_degrees(), b.to_degrees(), c.to_degrees()]
        };
        let mut text = String::new();
        let mut before = positions.first().map(degrees).unwrap_or_default();
        for position in positions.iter().map(degrees) {
            let steps = std::array::from_fn::<_, 6, _>(|at| position[at] - before[at]);
            for value in position.iter().chain(&steps) {
                write!(text, "{value:>12.6}").expect("a String takes all text");
            }
            text.push('\n');
            before = position;
        }
        text
    }

    /// `Movement_RelativeRMS.txt`: FSL's root mean square displacement since the previous volume.
    pub fn hcp_relative_rms(positions: &[[f64; 6]]) -> String {
        let mut text = "0.000000\n".repeat(positions.len().min(1));
        for pair in positions.windows(2) {
            let square = |range: std::ops::Range<usize>| -> f64 {
                range.map(|at| (pair[1][at] - pair[0][at]).powi(2)).sum()
            };
            // Jenkinson: R² / 5 · trace(MᵀM) + |t|², where trace(MᵀM) is 2 |θ|² for small angles.
            let rms = (0.4 * RMS_RADIUS_MM.powi(2) * square(3..6) + square(0..3)).sqrt();
            writeln!(text, "{rms:.6}").expect("a String takes all text");
        }
        text
    }
}

fn framewise_displacement(positions: &[[f64; 6]]) -> Vec<f64> {
    let moved = positions.windows(2).map(|pair| {
        let sum = |range: std::ops::Range<usize>| -> f64 {
            range.map(|at| (pair[1][at] - pair[0][at]).abs()).sum()
        };
        sum(0..3) + FD_RADIUS_MM * sum(3..6)
    });
    let first = (!positions.is_empty()).then_some(0.0);
    first.into_iter().chain(moved).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn displacement_adds_translations_and_arcs() {
        let positions = [[0.0; 6], [0.1, -0.2, 0.0, 0.01, 0.0, -0.002]];
        // 0.3 mm and 50 mm · 0.012.
        let fd = framewise_displacement(&positions);
        assert_eq!(fd[0], 0.0);
        assert!((fd[1] - 0.9).abs() < 1e-12);
    }

    #[test]
    fn the_head_moves_about_as_much_as_asked_for() {
        let motion = Motion::draw(5000, 0.1, &mut ChaCha8Rng::seed_from_u64(1));
        // Jerks of 0.4 to 1 mm in 2 % of volumes add 0.014 mm.
        assert!((motion.mean_fd_mm() - 0.114).abs() < 0.01);
        let jerks = motion.fd_mm.iter().filter(|fd| **fd > 0.35).count();
        assert!((60..140).contains(&jerks), "{jerks}");
    }

    #[test]
    fn regressors_are_degrees_and_differences() {
        let positions = [[0.0; 6], [0.5, 0.0, 0.0, 0.0, 0.0, 0.1]];
        let text = Motion::hcp_regressors(&positions);
        let rows: Vec<Vec<f64>> = text
            .lines()
            .map(|line| {
                line.split_whitespace()
                    .map(|v| v.parse().unwrap())
                    .collect()
            })
            .collect();
        assert_eq!(rows[0], [0.0; 12]);
        let turned = 5.729_578;
        assert_eq!(
            rows[1],
            [0.5, 0., 0., 0., 0., turned, 0.5, 0., 0., 0., 0., turned]
        );
        // sqrt(0.4 · 6400 · 0.01 + 0.25)
        let rms = Motion::hcp_relative_rms(&positions);
        assert_eq!(rms, "0.000000\n5.084290\n");
    }
}
