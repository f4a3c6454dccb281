//! Censoring: volumes that no estimate may use, and their interpolated values.

use std::fmt::{Display, Formatter, Result as Written};

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use crate::error::SignalError;

/// Rule for volumes that are censored because of head movement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Censoring {
    /// Volumes with a framewise displacement above this value, in mm, are censored.
    pub fd_mm: f64,
    /// Number of volumes before each of them that are censored too.
    #[serde(default)]
    pub before: usize,
    /// Number of volumes after each of them that are censored too.
    #[serde(default)]
    pub after: usize,
    /// Shorter runs of uncensored volumes are censored.
    #[serde(default)]
    pub min_run: usize,
}

impl Censoring {
    pub(super) fn check(&self) -> Result<(), SignalError> {
        if self.fd_mm.is_finite() && self.fd_mm > 0.0 {
            return Ok(());
        }
        Err(SignalError::config(
            "fd_mm of censor",
            self.fd_mm,
            "a number above zero",
        ))
    }

    /// Sets `kept` to false for volumes with head movement; `fd_mm` is by volume.
    ///
    /// Volumes that are already censored shorten runs, but their neighbours are not censored.
    pub(super) fn mark(&self, fd_mm: &[f64], kept: &mut [bool]) {
        let moved = |volume: usize| fd_mm[volume] > self.fd_mm;
        let mut reach = 0;
        for (volume, kept) in kept.iter_mut().enumerate() {
            if moved(volume) {
                reach = self.after.saturating_add(1);
            }
            *kept &= reach == 0;
            reach = reach.saturating_sub(1);
        }
        reach = 0;
        for (volume, kept) in kept.iter_mut().enumerate().rev() {
            if moved(volume) {
                reach = self.before.saturating_add(1);
            }
            *kept &= reach == 0;
            reach = reach.saturating_sub(1);
        }
        for run in kept.chunk_by_mut(|first, second| first == second) {
            if run.len() < self.min_run {
                run.fill(false);
            }
        }
    }
}

impl Display for Censoring {
    fn fmt(&self, f: &mut Formatter) -> Written {
        write!(f, "volumes above {} mm FD censored", self.fd_mm)?;
        if self.before > 0 || self.after > 0 {
            write!(f, ", {} before and {} after them", self.before, self.after)?;
        }
        if self.min_run > 1 {
            write!(f, ", runs below {} volumes too", self.min_run)?;
        }
        Ok(())
    }
}

/// Writes the values of uncensored volumes at their positions, linear interpolations between them,
/// and the nearest value before the first and after the last.
///
/// `kept_at` holds positions below `n_volumes` in ascending order, one per value.
pub fn fill(values: &[f64], kept_at: &[usize], n_volumes: usize, whole: &mut Vec<f64>) {
    whole.clear();
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return;
    };
    whole.resize(kept_at[0], *first);
    for (place, value) in kept_at.windows(2).zip(values.windows(2)) {
        let [from, to] = [value[0], value[1]];
        let gap = (place[1] - place[0]) as f64;
        whole.push(from);
        let between = (1..place[1] - place[0]).map(|step| from + (to - from) * (step as f64 / gap));
        whole.extend(between);
    }
    whole.resize(n_volumes, *last);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(censoring: Censoring, fd_mm: &[f64], kept: &[u8]) -> Vec<u8> {
        let mut marks: Vec<bool> = kept.iter().map(|mark| *mark == 1).collect();
        censoring.mark(fd_mm, &mut marks);
        marks.into_iter().map(u8::from).collect()
    }

    const ALONE: Censoring = Censoring {
        fd_mm: 0.5,
        before: 0,
        after: 0,
        min_run: 0,
    };

    #[test]
    fn volumes_above_the_limit_go_with_their_neighbours() {
        let fd_mm = [0., 0.5, 0., 0.6, 0., 0., 0., 0., 0.];
        let all = [1; 9];
        assert_eq!(kept(ALONE, &fd_mm, &all), [1, 1, 1, 0, 1, 1, 1, 1, 1]);
        let neighbours = Censoring {
            before: 1,
            after: 2,
            ..ALONE
        };
        assert_eq!(kept(neighbours, &fd_mm, &all), [1, 1, 0, 0, 0, 0, 1, 1, 1]);
        let everything = Censoring {
            before: usize::MAX,
            after: usize::MAX,
            ..ALONE
        };
        assert_eq!(kept(everything, &fd_mm, &all), [0; 9]);
    }

    #[test]
    fn outliers_of_others_count_in_runs_but_have_no_neighbours() {
        let runs = Censoring {
            after: 1,
            min_run: 3,
            ..ALONE
        };
        let outliers = [1, 1, 0, 1, 1, 1, 1, 1, 1, 1];
        let fd_mm = [0., 0., 0., 0., 0., 0., 9., 0., 0., 0.];
        assert_eq!(
            kept(runs, &fd_mm, &outliers),
            [0, 0, 0, 1, 1, 1, 0, 0, 0, 0]
        );
    }

    #[test]
    fn gaps_are_filled_with_lines_and_ends_are_held() {
        let mut whole = vec![f64::NAN; 3];
        fill(&[1.0, 4.0, 2.0], &[2, 5, 6], 9, &mut whole);
        assert_eq!(whole, [1., 1., 1., 2., 3., 4., 2., 2., 2.]);
    }

    #[test]
    fn nothing_is_filled_from_nothing() {
        let mut whole = vec![1.0];
        fill(&[], &[], 3, &mut whole);
        assert_eq!(whole, [0.0; 0]);
    }
}
