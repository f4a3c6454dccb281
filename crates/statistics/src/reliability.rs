//! Reliability of vectors that were measured several times for each subject: identification rate,
//! discriminability, and intraclass correlations of single features.

mod discriminability;
mod icc;
mod identification;
mod repeated;

use std::ops::Range;

use brainmae_run::Seeds;

use crate::bootstrap::{Interval, bootstrap, quantile};
use discriminability::Discriminability;
use icc::Icc;
pub use repeated::Repeated;

/// A measure of reliability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Share of vectors whose most similar other vector is of the same subject.
    Identification,
    /// Probability that two vectors of one subject are more similar than vectors of two subjects.
    Discriminability,
    /// Mean of ICC(3,1) over features.
    IccMean,
    /// Median of ICC(3,1) over features.
    IccMedian,
    /// Lower quartile of ICC(3,1) over features.
    IccLowerQuartile,
    /// Upper quartile of ICC(3,1) over features.
    IccUpperQuartile,
}

impl Measure {
    /// All measures, in the order of tables.
    pub const ALL: [Self; 6] = [
        Self::Identification,
        Self::Discriminability,
        Self::IccMean,
        Self::IccMedian,
        Self::IccLowerQuartile,
        Self::IccUpperQuartile,
    ];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identification => "identification_rate",
            Self::Discriminability => "discriminability",
            Self::IccMean => "icc_mean",
            Self::IccMedian => "icc_median",
            Self::IccLowerQuartile => "icc_quartile_25",
            Self::IccUpperQuartile => "icc_quartile_75",
        }
    }

    /// Value for `scans` without a trace of their subjects; `None` for the quartiles, which depend
    /// on the number of subjects.
    pub fn chance(self, scans: &Repeated) -> Option<f64> {
        match self {
            Self::Identification => Some(identification::chance(scans)),
            Self::Discriminability => Some(0.5),
            Self::IccMean | Self::IccMedian => Some(0.0),
            Self::IccLowerQuartile | Self::IccUpperQuartile => None,
        }
    }
}

/// Reliability of vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    /// Value and 95 % interval of each [measure](Measure::ALL), in their order; `None` if it is
    /// undefined.
    pub measures: [(Option<f64>, Option<Interval>); 6],
    /// ICC(3,1) of each feature; `None` for a constant one.
    pub icc: Vec<Option<f64>>,
}

impl Reliability {
    /// Index of the first measure of ICC in [`Measure::ALL`].
    const FIRST_ICC: usize = 2;

    /// Reliability of `scans`. `units` are ranges of subjects that together contain all subjects:
    /// families, or single subjects. [`bootstrap`] resamples them.
    ///
    /// A subject that a resample draws twice is one subject of double weight: its vectors are never
    /// compared as those of two subjects. For the identification rate, a resample draws the
    /// subjects who are looked for; the vectors among which they are looked for are always all,
    /// because the rate depends on their number. Means and quartiles of ICC have basic intervals:
    /// an ICC of few subjects is biased, once more in a resample, and over many features the bias
    /// is larger than the width of the interval.
    ///
    /// # Source
    /// Basic interval: Davison & Hinkley 1997, Bootstrap Methods and their Application, section
    /// 2.4.
    pub fn new(scans: &Repeated, units: &[Range<usize>], resamples: usize, seeds: &Seeds) -> Self {
        let similarity = scans.similarity();
        let identified = identification::rates(&similarity, scans.n_repeats());
        let discriminability = Discriminability::new(&similarity, scans.n_repeats());
        let icc = Icc::new(scans);
        let measure = |weights: &[f64]| {
            let n: f64 = weights.iter().sum();
            let rates = identified.iter().zip(weights);
            let identified: f64 = rates.map(|(rate, weight)| rate * weight).sum();
            let mut all = vec![Some(identified / n), discriminability.of(weights)];
            all.extend(summary(&icc.of(weights)));
            all
        };
        let all_once = vec![1.0; scans.n_subjects()];
        let values = measure(&all_once);
        let mut intervals = bootstrap(units, resamples, seeds, measure);
        for (interval, value) in intervals.iter_mut().zip(&values).skip(Self::FIRST_ICC) {
            *interval = interval.zip(*value).map(|(of, value)| reflected(of, value));
        }
        Self {
            measures: std::array::from_fn(|i| (values[i], intervals[i])),
            icc: icc.of(&all_once),
        }
    }
}

/// Basic interval of a percentile interval: it is reflected at the value.
fn reflected(interval: Interval, value: f64) -> Interval {
    Interval {
        low: 2.0 * value - interval.high,
        high: (2.0 * value - interval.low).min(1.0),
    }
}

/// Mean, median, lower and upper quartile of the defined values.
fn summary(values: &[Option<f64>]) -> [Option<f64>; 4] {
    let mut sorted: Vec<f64> = values.iter().copied().flatten().collect();
    if sorted.is_empty() {
        return [None; 4];
    }
    sorted.sort_by(f64::total_cmp);
    let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
    let [median, low, high] = [0.5, 0.25, 0.75].map(|share| quantile(&sorted, share));
    [mean, median, low, high].map(Some)
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    const SUBJECTS: usize = 30;
    const FEATURES: usize = 60;

    /// Vectors of a subject, with `own` times the standard deviation of the noise of a scan.
    fn vectors(own: f64, seed: u64) -> Repeated {
        let rng = &mut Seeds::new(seed).stream("vectors");
        let mut rows = Vec::new();
        for _ in 0..SUBJECTS {
            let mut draw = || -> Vec<f64> {
                (0..FEATURES)
                    .map(|_| StandardNormal.sample(&mut *rng))
                    .collect()
            };
            let subject = draw();
            for _ in 0..2 {
                let noise = draw();
                let sum = subject.iter().zip(noise).map(|(a, b)| (own * a + b) as f32);
                rows.push(sum.collect());
            }
        }
        Repeated::new(rows, 2).expect("two vectors of each subject")
    }

    fn alone() -> Vec<Range<usize>> {
        (0..SUBJECTS).map(|i| i..i + 1).collect()
    }

    fn reliability(own: f64, seed: u64) -> Reliability {
        Reliability::new(&vectors(own, seed), &alone(), 200, &Seeds::new(seed))
    }

    #[test]
    fn planted_subjects_are_all_identified() {
        let found = reliability(3.0, 1);
        let [identified, discriminability, mean, ..] = found.measures;
        assert_eq!(identified.0, Some(1.0));
        assert!(discriminability.0 > Some(0.999), "{discriminability:?}");
        // 3² / (3² + 1) = 0.9
        let interval = mean.1.expect("many subjects");
        assert!((mean.0.expect("defined") - 0.9).abs() < 0.02, "{mean:?}");
        assert!(interval.low < 0.9 && 0.9 < interval.high, "{interval:?}");
        assert_eq!(found.icc.len(), FEATURES);
    }

    #[test]
    fn noise_is_at_chance() {
        let scans = vectors(0.0, 0);
        let chance = Measure::ALL.map(|measure| measure.chance(&scans));
        let seeds = 40;
        let mut means = [0.0; 4];
        for seed in 0..seeds {
            let found = Reliability::new(&vectors(0.0, seed), &alone(), 1, &Seeds::new(seed));
            for (mean, (value, _)) in means.iter_mut().zip(found.measures) {
                *mean += value.expect("defined") / seeds as f64;
            }
        }
        // 2400 vectors with a chance of 1 in 59: .017 with a standard error of .003.
        assert!((chance[0].expect("known") - 1.0 / 59.0).abs() < 1e-12);
        assert!((means[0] - 1.0 / 59.0).abs() < 0.01, "{means:?}");
        assert!((means[1] - 0.5).abs() < 0.02, "{means:?}");
        assert!(
            means[2].abs() < 0.02 && means[3].abs() < 0.02,
            "of {means:?}"
        );
    }

    #[test]
    fn most_intervals_hold_the_truth() {
        let trials = 40;
        let held = |own: f64, measure: usize, truth: f64| {
            let holds = |seed: &u64| {
                let interval = reliability(own, *seed).measures[measure].1;
                let interval = interval.expect("many subjects");
                interval.low < truth && truth < interval.high
            };
            (0..trials).filter(holds).count()
        };
        // Discriminability of noise; mean ICC of noise, of subjects as strong as it, and stronger.
        let questions = [(0.0, 1, 0.5), (0.0, 2, 0.0), (1.0, 2, 0.5), (3.0, 2, 0.9)];
        let found = questions.map(|(own, measure, truth)| held(own, measure, truth));
        assert!(
            found.iter().all(|held| *held >= 34),
            "of {trials}: {found:?}"
        );
    }

    #[test]
    fn families_are_resampled_whole() {
        let scans = vectors(0.5, 3);
        let pairs: Vec<Range<usize>> = (0..SUBJECTS / 2).map(|i| 2 * i..2 * i + 2).collect();
        let of = |units: &[Range<usize>]| Reliability::new(&scans, units, 200, &Seeds::new(1));
        let (families, subjects) = (of(&pairs), of(&alone()));
        assert_eq!(families.measures[0].0, subjects.measures[0].0);
        assert_ne!(families.measures[0].1, subjects.measures[0].1);
        let one_unit = of(std::slice::from_ref(&(0..SUBJECTS)));
        assert!(
            one_unit
                .measures
                .iter()
                .all(|(_, interval)| interval.is_none())
        );
    }

    #[test]
    fn quartiles_leave_out_undefined_values() {
        let found = summary(&[Some(0.0), None, Some(1.0), Some(0.5)]);
        assert_eq!(found, [Some(0.5), Some(0.5), Some(0.25), Some(0.75)]);
        assert_eq!(summary(&[None]), [None; 4]);
    }
}
