//! Autocorrelation of the signals: how long they stay as they are.

use super::{Features, FittedFeatures};
use crate::{Example, Labelled, Problem, Scan};

/// Largest lag, in volumes.
pub const LAGS: usize = 20;

/// Fewest pairs of volumes from which the autocorrelation at a lag is estimated.
const LEAST_PAIRS: usize = 5;

/// Autocorrelation at lags of 1 to 20 volumes, averaged over ROIs.
///
/// ```text
/// r(k) = mean over ROIs of  mean over t of (x(t) − m) (x(t + k) − m) / s²,  k = 1 … 20
/// ```
/// `m` and `s²` are the ROI's mean and variance over the uncensored volumes of the example; `t` are
/// those whose volumes `t` and `t + k` are both in the example and uncensored. ROIs without
/// variance do not count. At a lag with fewer than 5 pairs, as in an example that is shorter than
/// the lag, the feature is the mean of the training set, or 0 if no training example has it.
///
/// It knows the order of volumes and nothing of which ROIs go together: what it predicts needs no
/// model of states.
#[derive(Clone, Copy, Debug)]
pub struct Autocorrelation;

impl Features for Autocorrelation {
    fn name(&self) -> &str {
        "autocorrelation"
    }

    fn fit(&self, _problem: &Problem, training: &Labelled) -> Box<dyn FittedFeatures> {
        let mut means = [0.0; LAGS];
        let mut counts = [0.0; LAGS];
        for (scan, example) in training.examples.iter() {
            for (lag, r) in autocorrelations(scan, example).into_iter().enumerate() {
                if let Some(r) = r {
                    counts[lag] += 1.0;
                    means[lag] += (r - means[lag]) / counts[lag];
                }
            }
        }
        Box::new(Means(means))
    }
}

/// Mean of each lag in the training set, for lags that an example does not have.
struct Means([f64; LAGS]);

impl FittedFeatures for Means {
    fn row(&self, scan: &Scan, example: Example) -> Vec<f32> {
        (autocorrelations(scan, example).into_iter().zip(self.0))
            .map(|(r, mean)| r.unwrap_or(mean) as f32)
            .collect()
    }
}

/// Autocorrelations at lags from 1; `None` at lags with too few pairs.
fn autocorrelations(scan: &Scan, example: Example) -> [Option<f64>; LAGS] {
    let n_rois = scan.series.n_rois();
    let volumes: Vec<&[f32]> = scan.kept(example).collect();
    let n = volumes.len() as f64;
    let mut means = vec![0.0; n_rois];
    for volume in &volumes {
        (means.iter_mut().zip(*volume)).for_each(|(mean, x)| *mean += f64::from(*x) / n);
    }
    let mut variances = vec![0.0; n_rois];
    for volume in &volumes {
        for ((variance, mean), x) in variances.iter_mut().zip(&means).zip(*volume) {
            *variance += (f64::from(*x) - mean).powi(2) / n;
        }
    }
    // An ROI whose values differ by rounding alone has no autocorrelation.
    let scales: Vec<f64> = (variances.iter().zip(&means))
        .map(|(variance, mean)| {
            let varies = *variance > (1e-6 * mean).powi(2).max(1e-24);
            if varies { variance.recip() } else { 0.0 }
        })
        .collect();
    let n_varying = scales.iter().filter(|scale| **scale > 0.0).count() as f64;
    // Values at the place of each volume, so that a lag is a distance in time; `None` if censored.
    let mut at_place: Vec<Option<Vec<f64>>> = vec![None; example.n_volumes];
    for (place, volume) in scan.kept_places(example).zip(volumes) {
        let centred = volume
            .iter()
            .zip(&means)
            .map(|(x, mean)| f64::from(*x) - mean);
        at_place[place] = Some(centred.collect());
    }
    std::array::from_fn(|at| {
        let later = at_place.iter().skip(at + 1);
        let pairs = (at_place.iter().zip(later)).filter_map(|(a, b)| a.as_ref().zip(b.as_ref()));
        let (mut sum, mut n_pairs) = (0.0, 0);
        for (a, b) in pairs {
            n_pairs += 1;
            let products = a.iter().zip(b).zip(&scales).map(|((a, b), s)| a * b * s);
            sum += products.sum::<f64>();
        }
        let is_known = n_pairs >= LEAST_PAIRS && n_varying > 0.0;
        is_known.then(|| sum / (n_pairs as f64 * n_varying))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use brainmae_data::BoldSeries;
    use burn::tensor::Device;

    use super::*;
    use crate::Examples;
    use crate::testing::problem;

    /// A scan with these values, `[volumes, rois]`; censored volumes have the numbers `censored`.
    fn scan(values: Vec<f32>, n_rois: usize, censored: &[usize]) -> Scan {
        let n_volumes = values.len() / n_rois;
        let series = BoldSeries::new(values, n_rois, 1.0).expect("finite");
        let kept = (0..n_volumes).map(|volume| !censored.contains(&volume));
        Scan {
            series: Arc::new(series.with_kept(kept.collect()).expect("one for each")),
            ..crate::testing::scan("a", 1)
        }
    }

    fn whole(scan: &Scan) -> Example {
        Example {
            scan: 0,
            start_volume: 0,
            n_volumes: scan.series.n_volumes(),
        }
    }

    #[test]
    fn a_signal_that_alternates_has_minus_one_and_one() {
        // The second ROI is constant and does not count.
        let values = (0..30).flat_map(|volume| [[1.0, -1.0][volume % 2], 7.0]);
        let scan = scan(values.collect(), 2, &[]);
        let found = autocorrelations(&scan, whole(&scan));
        for (at, r) in found.into_iter().enumerate() {
            let expected = [-1.0, 1.0][at % 2];
            assert!((r.expect("10 pairs") - expected).abs() < 1e-12, "lag {at}");
        }
    }

    #[test]
    fn pairs_are_of_two_kept_volumes_at_their_distance_in_time() {
        // By hand over the kept values 1 2 4 . 3 . 2 6 (mean 3, variance 16/6): at lag 1 the pairs
        // are 1 2, 2 4, 2 6; at lag 2 they are 1 4, 4 3, 3 2. Three pairs are too few, so the scan
        // is repeated after a gap that is longer than both lags.
        let (x, gap) = ([1.0, 2.0, 4.0, 99.0, 3.0, 99.0, 2.0, 6.0], [99.0; 4]);
        let values = [&x[..], &gap, &x].concat();
        let censored: Vec<usize> = (0..20).filter(|i| values[*i] == 99.0).collect();
        let scan = scan(values, 1, &censored);
        let found = autocorrelations(&scan, whole(&scan));
        let variance = 16.0 / 6.0;
        let lag_1 = (2.0 * 1.0 - 1.0 - 3.0) / 3.0 / variance;
        let lag_2 = (-2.0 + 0.0 + 0.0) / 3.0 / variance;
        assert!(
            (found[0].expect("6 pairs") - lag_1).abs() < 1e-12,
            "{found:?}"
        );
        assert!(
            (found[1].expect("6 pairs") - lag_2).abs() < 1e-12,
            "{found:?}"
        );
        assert_eq!(found[18], None);
    }

    #[test]
    fn lags_that_an_example_lacks_are_the_mean_of_training() {
        let values = |n: usize| (0..n).map(|i| ((i * i) % 7) as f32).collect();
        let scans = [scan(values(40), 1, &[]), scan(values(12), 1, &[])];
        let examples = |list: &[usize]| Examples {
            scans: &scans,
            list: (list.iter())
                .map(|i| Example {
                    scan: *i,
                    ..whole(&scans[*i])
                })
                .collect(),
        };
        let row = |training: &[usize], scan: usize| {
            let training = Labelled {
                examples: examples(training),
                truth: vec![0.0; training.len()],
            };
            let fitted = Autocorrelation.fit(&problem(false, Device::flex()), &training);
            fitted.row(&scans[scan], whole(&scans[scan]))
        };
        let (long, short) = (row(&[0], 0), row(&[0], 1));
        assert_eq!(long.len(), LAGS);
        // Twelve volumes have 5 pairs at lag 7 and 4 at lag 8.
        assert!(short[..7].iter().zip(&long).all(|(a, b)| a != b));
        assert_eq!(short[7..], long[7..]);
        assert_eq!(row(&[1], 1)[7..], [0.0; 13]);
    }
}
