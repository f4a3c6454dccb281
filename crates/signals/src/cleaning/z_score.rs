//! Z-score: mean and standard deviation over the uncensored volumes.

/// Below this share of its largest value, the standard deviation of an ROI is rounding noise.
const CONSTANT_BELOW: f64 = 1e-9;

/// Mean and standard deviation (over n).
pub(super) fn mean_and_sd(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

/// Whether a standard deviation is negligible, for a signal with the largest value `scale`.
pub(super) fn is_constant(sd: f64, scale: f64) -> bool {
    sd <= CONSTANT_BELOW * scale
}

/// Subtracts the mean of the uncensored volumes from all volumes and divides by their standard
/// deviation; returns both, or `None` when the signal is constant.
pub(super) fn z_score(signal: &mut [f64], kept: &[bool], scale: f64) -> Option<(f64, f64)> {
    let measured = signal.iter().zip(kept);
    let (mean, sd) = mean_and_sd(measured.filter(|(_, kept)| **kept).map(|(value, _)| *value));
    if is_constant(sd, scale) {
        return None;
    }
    for value in signal {
        *value = (*value - mean) / sd;
    }
    Some((mean, sd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn censored_volumes_do_not_count() {
        let mut signal = [2.0, 100.0, 4.0, 6.0];
        let (mean, sd) = z_score(&mut signal, &[true, false, true, true], 6.0).unwrap();
        // Mean 4, deviations −2, 0, 2: variance 8/3.
        assert_eq!((mean, sd), (4.0, (8.0_f64 / 3.0).sqrt()));
        assert_eq!(signal, [-2.0 / sd, 96.0 / sd, 0.0, 2.0 / sd]);
    }

    #[test]
    fn rounding_noise_is_no_signal() {
        let mut signal = [1e6, 1e6 + 1e-7];
        assert_eq!(z_score(&mut signal, &[true, true], 1e6), None);
    }
}
