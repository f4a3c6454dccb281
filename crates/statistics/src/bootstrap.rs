//! Bootstrap intervals over units: families, subjects, or scans of one subject.

use std::ops::Range;

use brainmae_run::Seeds;
use rand::RngExt;
use rayon::prelude::*;

/// A 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}

/// A mean with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanInterval {
    /// Mean over units.
    pub mean: f64,
    /// 2.5th percentile of the resampled means.
    pub low: f64,
    /// 97.5th percentile of the resampled means.
    pub high: f64,
}

/// Mean of `values`, one per unit, with its [`bootstrap`] interval. Both limits are the mean if
/// there is no interval.
///
/// With few units the interval is coarse: two units give at most three different means.
pub fn bootstrap_mean(values: &[f64], resamples: usize, seeds: &Seeds) -> MeanInterval {
    let units: Vec<Range<usize>> = (0..values.len()).map(|i| i..i + 1).collect();
    let weighted = |weights: &[f64]| {
        let sum: f64 = values.iter().zip(weights).map(|(x, w)| x * w).sum();
        vec![Some(sum / values.len().max(1) as f64)]
    };
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let interval = bootstrap(&units, resamples, seeds, weighted)[0];
    MeanInterval {
        mean,
        low: interval.map_or(mean, |interval| interval.low),
        high: interval.map_or(mean, |interval| interval.high),
    }
}

/// Maximum share of resamples in which a statistic may be undefined.
const UNDEFINED: f64 = 0.1;

/// Intervals of several statistics of weighted rows. `units` are ranges of rows that together
/// contain all rows. A resample draws as many units as there are, with replacement; the weight of a
/// row is the number of draws of its unit.
///
/// A statistic has no interval if there are fewer than two units, or if more than a tenth of its
/// resamples are undefined. The same seeds draw the same units for all statistics, so models with
/// the same test units have the same resamples.
///
/// # Source
/// Efron & Tibshirani 1993, chapter 13; clusters are units.
pub fn bootstrap(
    units: &[Range<usize>],
    resamples: usize,
    seeds: &Seeds,
    statistics: impl Fn(&[f64]) -> Vec<Option<f64>> + Sync,
) -> Vec<Option<Interval>> {
    let n_rows = units.last().map_or(0, |unit| unit.end);
    let n_statistics = statistics(&vec![1.0; n_rows]).len();
    if units.len() < 2 {
        return vec![None; n_statistics];
    }
    let resampled: Vec<Vec<Option<f64>>> = (0..resamples as u64)
        .into_par_iter()
        .map(|resample| {
            let rng = &mut seeds.stream_at("bootstrap", &[resample]);
            let mut weights = vec![0.0; n_rows];
            for _ in units {
                let drawn = units[rng.random_range(0..units.len())].clone();
                weights[drawn].iter_mut().for_each(|weight| *weight += 1.0);
            }
            statistics(&weights)
        })
        .collect();
    (0..n_statistics)
        .map(|i| {
            let mut values: Vec<f64> = resampled.iter().filter_map(|one| one[i]).collect();
            values.sort_by(f64::total_cmp);
            let enough = values.len() as f64 >= (1.0 - UNDEFINED) * resamples as f64;
            (enough && !values.is_empty()).then(|| Interval {
                low: quantile(&values, 0.025),
                high: quantile(&values, 0.975),
            })
        })
        .collect()
}

/// Quantile of sorted values, with linear interpolation.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, rest) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] * (1.0 - rest) + sorted[above] * rest
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    fn mean<'a>(values: &'a [f64]) -> impl Fn(&[f64]) -> Vec<Option<f64>> + Sync + 'a {
        |weights| {
            let n: f64 = weights.iter().sum();
            let sum: f64 = values.iter().zip(weights).map(|(x, w)| x * w).sum();
            vec![Some(sum / n)]
        }
    }

    fn each_alone(n: usize) -> Vec<Range<usize>> {
        (0..n).map(|i| i..i + 1).collect()
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.25), 1.5);
        assert!((quantile(&[1.0, 2.0, 4.0], 0.975) - 3.9).abs() < 1e-12);
    }

    #[test]
    fn nineteen_of_twenty_intervals_hold_the_truth() {
        let seeds = Seeds::new(4);
        let held = (0..600u64)
            .filter(|trial| {
                let rng = &mut seeds.stream_at("data", &[*trial]);
                let values: Vec<f64> = (0..60).map(|_| StandardNormal.sample(rng)).collect();
                let seeds = Seeds::new(*trial);
                let found = bootstrap(&each_alone(60), 400, &seeds, mean(&values))[0];
                let interval = found.expect("many units");
                interval.low <= 0.0 && 0.0 <= interval.high
            })
            .count();
        // Expected coverage with 60 units is 94 %; its standard deviation over 600 trials is 1 %.
        let coverage = held as f64 / 600.0;
        assert!((0.91..0.975).contains(&coverage), "{coverage}");
    }

    #[test]
    fn rows_of_the_same_units_do_not_make_it_narrower() {
        let rng = &mut Seeds::new(1).stream("data");
        let values: Vec<f64> = (0..50).map(|_| StandardNormal.sample(rng)).collect();
        let seeds = Seeds::new(2);
        let once = bootstrap(&each_alone(50), 500, &seeds, mean(&values))[0];
        let nine_times: Vec<f64> = values.iter().flat_map(|value| [*value; 9]).collect();
        let units: Vec<_> = (0..50).map(|i| 9 * i..9 * i + 9).collect();
        let again = bootstrap(&units, 500, &seeds, mean(&nine_times))[0];
        let (once, again) = (once.expect("units"), again.expect("units"));
        assert!((once.low - again.low).abs() < 1e-12 && (once.high - again.high).abs() < 1e-12);

        // If rows were drawn instead, the interval would be a third as wide.
        let rows = bootstrap(&each_alone(450), 500, &seeds, mean(&nine_times))[0].expect("rows");
        let ratio = (rows.high - rows.low) / (once.high - once.low);
        assert!((0.25..0.42).contains(&ratio), "{ratio}");
    }

    #[test]
    fn the_interval_of_a_mean_is_as_wide_as_theory_says() {
        let rng = &mut Seeds::new(3).stream("test");
        let values: Vec<f64> = (0..400).map(|_| StandardNormal.sample(rng)).collect();
        let found = bootstrap_mean(&values, 2000, &Seeds::new(3));
        let width = found.high - found.low;
        // 2 * 1.96 / sqrt(400) = 0.196
        assert!((width - 0.196).abs() < 0.02, "{width}");
        assert!(found.low < found.mean && found.mean < found.high);
    }

    #[test]
    fn the_mean_of_one_unit_has_no_width() {
        let found = bootstrap_mean(&[0.5], 100, &Seeds::new(3));
        assert_eq!([found.mean, found.low, found.high], [0.5; 3]);
    }

    #[test]
    fn one_unit_tells_nothing_of_others() {
        assert_eq!(
            bootstrap(&each_alone(1), 100, &Seeds::new(1), mean(&[1.0])),
            [None]
        );
        let undefined = |_: &[f64]| vec![None];
        assert_eq!(
            bootstrap(&each_alone(5), 100, &Seeds::new(1), undefined),
            [None]
        );
    }
}
