//! Confounds as features: what can be predicted without brain data.

use super::{Features, FittedFeatures};
use crate::{Example, Labelled, Problem, Scan};

/// Age, sex, site, motion and further columns: confounds without brain data. Missing values are set
/// to the mean of the training set.
#[derive(Clone, Copy, Debug)]
pub struct Confounds;

impl Features for Confounds {
    fn name(&self) -> &str {
        "confounds"
    }

    fn are_of_signals(&self) -> bool {
        false
    }

    fn fit(&self, problem: &Problem, training: &Labelled) -> Box<dyn FittedFeatures> {
        let mean = |at: usize| {
            let known = training.examples.iter();
            let known = known.filter_map(|(scan, _)| scan.confounds[at]);
            let (sum, n) = known.fold((0.0, 0usize), |(sum, n), x| (sum + x, n + 1));
            sum / n.max(1) as f64
        };
        Box::new(Means((0..problem.confounds.len()).map(mean).collect()))
    }
}

/// Mean of each confound in the training set.
struct Means(Vec<f64>);

impl FittedFeatures for Means {
    fn row(&self, scan: &Scan, _example: Example) -> Vec<f32> {
        (scan.confounds.iter().zip(&self.0))
            .map(|(value, mean)| value.unwrap_or(*mean) as f32)
            .collect()
    }
}
