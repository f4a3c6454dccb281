//! Place of an example in its scan.

use super::{Features, FittedFeatures};
use crate::{Example, Labelled, Problem, Scan};

/// Number of bumps over the longest scan: in a scan of five minutes they are 7.7 s apart, half a
/// segment, so that blocks of 12 s (motor task of the HCP) are told apart.
const BUMPS: usize = 40;

/// Time from the first volume of the scan to that of the example, without any signal. If blocks
/// come in the same order for everyone, this alone tells the state; a model that reads states is to
/// be better than this.
///
/// ```text
/// feature k = exp( −½ ((t − k d) / d)² ),  k = 0 … 39,  d = longest scan of the training set / 39
/// ```
/// Times after the longest scan count as its end. Whole scans all begin at 0, so of them nothing
/// can be learned.
#[derive(Clone, Copy, Debug)]
pub struct Time;

impl Time {
    /// Name in experiment files.
    pub const NAME: &'static str = "time";
}

impl Features for Time {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn title(&self) -> &str {
        "place in the scan"
    }

    fn are_of_signals(&self) -> bool {
        false
    }

    fn need_segments(&self) -> bool {
        true
    }

    fn fit(&self, _problem: &Problem, training: &Labelled) -> Box<dyn FittedFeatures> {
        let lengths = training.examples.iter().map(|(scan, _)| {
            let series = &scan.series;
            series.n_volumes() as f64 * series.tr_secs()
        });
        Box::new(Bumps {
            longest_secs: lengths.fold(0.0, f64::max),
        })
    }
}

/// Smooth functions of the time within a scan.
struct Bumps {
    longest_secs: f64,
}

impl FittedFeatures for Bumps {
    fn row(&self, scan: &Scan, example: Example) -> Vec<f32> {
        let start_secs = example.start_volume as f64 * scan.series.tr_secs();
        // In distances between two bumps.
        let place = start_secs.min(self.longest_secs) / self.longest_secs * (BUMPS - 1) as f64;
        (0..BUMPS)
            .map(|bump| (-0.5 * (place - bump as f64).powi(2)).exp() as f32)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use brainmae_data::BoldSeries;

    use super::*;

    #[test]
    fn a_bump_is_highest_at_its_time_and_times_after_the_last_are_its_own() {
        let series = BoldSeries::new(vec![0.0; 60], 1, 2.0).expect("finite");
        let scan = Scan {
            series: Arc::new(series),
            ..crate::testing::scan("subject", 1)
        };
        // 2 s between two bumps.
        let bumps = Bumps { longest_secs: 78.0 };
        let row = |start_volume| {
            let example = Example {
                scan: 0,
                start_volume,
                n_volumes: 1,
            };
            bumps.row(&scan, example)
        };
        assert_eq!(row(0).len(), BUMPS);
        assert_eq!(row(0)[0], 1.0);
        assert_eq!(row(3)[3], 1.0);
        // exp(-1/2) and exp(-2).
        assert!((row(3)[4] - 0.6065).abs() < 1e-4 && (row(3)[1] - 0.1353).abs() < 1e-4);
        assert_eq!(row(39), row(50));
        assert_eq!(row(50)[39], 1.0);
    }
}
