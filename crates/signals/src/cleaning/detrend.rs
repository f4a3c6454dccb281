//! Linear detrending by least squares.

/// Removes the line fitted to the values at `kept_at`, in a scan of `n_volumes`; returns its slope
/// per volume.
///
/// The value of the line at the middle of the scan stays in the signal: the mean, if all volumes
/// are uncensored.
pub(super) fn detrend(signal: &mut [f64], kept_at: &[usize], n_volumes: usize) -> f64 {
    let n = signal.len() as f64;
    let centre = kept_at.iter().map(|volume| *volume as f64).sum::<f64>() / n;
    let mean = signal.iter().sum::<f64>() / n;
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (volume, value) in kept_at.iter().zip(&*signal) {
        let time = *volume as f64 - centre;
        covariance += time * (value - mean);
        variance += time * time;
    }
    let slope = covariance / variance;
    let middle = (n_volumes as f64 - 1.0) / 2.0;
    for (volume, value) in kept_at.iter().zip(signal) {
        *value -= slope * (*volume as f64 - middle);
    }
    slope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_stays_where_all_volumes_are_kept() {
        // 10 + 2t plus 1, −1, −1, 1, which has zero mean and zero slope.
        let mut signal = [11.0, 11.0, 13.0, 17.0];
        assert_eq!(detrend(&mut signal, &[0, 1, 2, 3], 4), 2.0);
        assert_eq!(signal, [14.0, 12.0, 12.0, 14.0]);
    }

    #[test]
    fn kept_volumes_stand_at_their_own_times() {
        // 10 + 2t at t = 0, 1, 4 of 7 volumes: 16 in the middle, t = 3.
        let mut signal = [10.0, 12.0, 18.0];
        assert_eq!(detrend(&mut signal, &[0, 1, 4], 7), 2.0);
        assert_eq!(signal, [16.0, 16.0, 16.0]);
    }
}
