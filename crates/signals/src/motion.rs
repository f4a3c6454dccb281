//! Framewise displacement: head movement between consecutive volumes.

use crate::confounds::ConfoundTable;

/// Radius of the head in mm, which converts an angle to a distance.
const HEAD_RADIUS_MM: f64 = 50.0;

/// Framewise displacement by volume, in mm: the sum of the absolute changes of the three
/// translations and of the three rotations, the latter on a sphere of 50 mm; 0 in the first volume.
///
/// `motion` holds translations x, y, z in mm and rotations x, y, z in radians, each by volume.
///
/// # Source
/// Power et al. (2012), Spurious but systematic correlations in functional connectivity MRI
/// networks arise from subject motion, NeuroImage 59.
pub fn framewise_displacement(motion: &[Vec<f64>; 6]) -> Vec<f64> {
    let mut fd_mm = vec![0.0; motion[0].len()];
    let weights = [
        1.0,
        1.0,
        1.0,
        HEAD_RADIUS_MM,
        HEAD_RADIUS_MM,
        HEAD_RADIUS_MM,
    ];
    for (values, weight) in motion.iter().zip(weights) {
        for (fd_mm, pair) in fd_mm.iter_mut().skip(1).zip(values.windows(2)) {
            *fd_mm += weight * (pair[1] - pair[0]).abs();
        }
    }
    fd_mm
}

impl ConfoundTable {
    /// Framewise displacement by volume, in mm: from the table, or computed from its motion
    /// parameters; `None` if it has neither.
    pub fn fd_mm(&self) -> Option<Vec<f64>> {
        match &self.framewise_displacement_mm {
            Some(fd_mm) => Some(fd_mm.clone()),
            None => self.motion.as_ref().map(framewise_displacement),
        }
    }
}

/// Mean framewise displacement, in mm; `None` without volumes.
pub fn mean_fd_mm(fd_mm: &[f64]) -> Option<f64> {
    (!fd_mm.is_empty()).then(|| fd_mm.iter().sum::<f64>() / fd_mm.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn motion() -> [Vec<f64>; 6] {
        [
            vec![0.0, 0.5, 0.25],
            vec![1.0, 1.0, 1.0],
            vec![0.0, -0.5, 0.0],
            vec![0.0, 0.01, 0.01],
            vec![0.0; 3],
            vec![0.0, 0.0, -0.02],
        ]
    }

    #[test]
    fn displacement_is_the_sum_of_all_changes() {
        // 0.5 + 0.5 + 50 · 0.01, then 0.25 + 0.5 + 50 · 0.02.
        assert_eq!(framewise_displacement(&motion()), [0.0, 1.5, 1.75]);
        assert_eq!(framewise_displacement(&Default::default()), [0.0; 0]);
    }

    #[test]
    fn the_column_of_the_table_comes_first() {
        let mut table = ConfoundTable {
            n_volumes: 3,
            motion: Some(motion()),
            ..ConfoundTable::default()
        };
        assert_eq!(table.fd_mm(), Some(vec![0.0, 1.5, 1.75]));
        table.framewise_displacement_mm = Some(vec![0.0, 1.0, 2.0]);
        assert_eq!(table.fd_mm(), Some(vec![0.0, 1.0, 2.0]));
        assert_eq!(ConfoundTable::default().fd_mm(), None);
    }

    #[test]
    fn the_mean_of_nothing_is_unknown() {
        assert_eq!(mean_fd_mm(&[0.0, 1.0, 0.5]), Some(0.5));
        assert_eq!(mean_fd_mm(&[]), None);
    }
}
