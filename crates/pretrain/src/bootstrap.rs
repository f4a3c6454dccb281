//! Percentile intervals from resampling independent units: subjects, or scans of one subject.

use rand::{Rng, RngExt};

/// A mean with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Mean over units.
    pub mean: f64,
    /// 2.5th percentile of the resampled means.
    pub low: f64,
    /// 97.5th percentile of the resampled means.
    pub high: f64,
}

/// The mean of `values`, one per unit, and the interval over `resamples` bootstrap samples of the units.
///
/// With few units the interval is coarse: two units can give no more than three different means.
pub fn bootstrap(values: &[f64], resamples: usize, rng: &mut impl Rng) -> Interval {
    let n = values.len().max(1);
    let mean = values.iter().sum::<f64>() / n as f64;
    let mut means: Vec<f64> = (0..resamples)
        .map(|_| {
            (0..values.len())
                .map(|_| values[rng.random_range(0..n)])
                .sum::<f64>()
                / n as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| match means.len() {
        0 => mean,
        len => means[((len - 1) as f64 * share).round() as usize],
    };
    Interval {
        mean,
        low: at(0.025),
        high: at(0.975),
    }
}

#[cfg(test)]
mod tests {
    use brainmae_run::Seeds;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_as_wide_as_theory_says() {
        let rng = &mut Seeds::new(3).stream("test");
        let values: Vec<f64> = (0..400).map(|_| StandardNormal.sample(rng)).collect();
        let interval = bootstrap(&values, 2000, rng);
        let width = interval.high - interval.low;
        // 2 * 1.96 / sqrt(400) = 0.196
        assert!((width - 0.196).abs() < 0.02, "{width}");
        assert!(interval.low < interval.mean && interval.mean < interval.high);
    }

    #[test]
    fn one_unit_has_no_width() {
        let interval = bootstrap(&[0.5], 100, &mut Seeds::new(3).stream("test"));
        assert_eq!([interval.mean, interval.low, interval.high], [0.5; 3]);
    }
}
