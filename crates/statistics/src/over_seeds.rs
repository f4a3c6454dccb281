//! Numbers over seeds: the same experiment, trained again with other random numbers.

use crate::Interval;

/// A number of several seeds: a score, an error, or a difference of two scores.
#[derive(Clone, Debug, PartialEq)]
pub struct OverSeeds {
    /// Number of each seed, in the order of the seeds; `None` if it is undefined.
    pub values: Vec<Option<f64>>,
    /// Mean over the seeds; `None` if a number is undefined.
    pub mean: Option<f64>,
    /// Standard deviation over the seeds, `sqrt(Σ (x − mean)² / (n − 1))`: how far a training
    /// differs from the next on the same people. `None` with one seed.
    pub std: Option<f64>,
    /// Interval of the mean over units: how far other people would differ, for the models as
    /// trained. A resample draws the same units for all seeds.
    pub interval: Option<Interval>,
}

impl OverSeeds {
    /// Mean and standard deviation of `values`, with the `interval` of their mean.
    pub fn new(values: Vec<Option<f64>>, interval: Option<Interval>) -> Self {
        let mean = mean(&values);
        let std = mean.filter(|_| values.len() > 1).map(|mean| {
            let squares = values.iter().flatten().map(|x| (x - mean).powi(2));
            (squares.sum::<f64>() / (values.len() - 1) as f64).sqrt()
        });
        Self {
            mean,
            std,
            interval: mean.and(interval),
            values,
        }
    }
}

/// Mean; `None` if a value is undefined or if there is none.
pub fn mean(values: &[Option<f64>]) -> Option<f64> {
    let sum: f64 = values.iter().copied().sum::<Option<f64>>()?;
    (!values.is_empty()).then(|| sum / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_has_no_deviation_and_an_undefined_number_no_mean() {
        let of = |values: &[Option<f64>]| {
            let all = OverSeeds::new(values.to_vec(), None);
            (all.mean, all.std)
        };
        assert_eq!(
            of(&[Some(1.0), Some(2.0), Some(3.0)]),
            (Some(2.0), Some(1.0))
        );
        assert_eq!(of(&[Some(1.0)]), (Some(1.0), None));
        assert_eq!(of(&[Some(1.0), None]), (None, None));
        assert_eq!(of(&[]), (None, None));
    }
}
