//! Mean signal of each ROI.

use super::{Features, FittedFeatures};
use crate::{Example, Labelled, Problem, Scan};

/// Mean of each ROI's signal. For a whole scan it is 0 if cleaning z-scored the signals; then
/// nothing can be learned.
#[derive(Clone, Copy, Debug)]
pub struct MeanSignal;

impl Features for MeanSignal {
    fn name(&self) -> &str {
        "mean-signal"
    }

    fn title(&self) -> &str {
        "mean signal"
    }

    fn fit(&self, _problem: &Problem, _training: &Labelled) -> Box<dyn FittedFeatures> {
        Box::new(Self)
    }
}

impl FittedFeatures for MeanSignal {
    fn row(&self, scan: &Scan, example: Example) -> Vec<f32> {
        means(scan.kept(example), scan.series.n_rois())
    }
}

fn means<'a>(volumes: impl Iterator<Item = &'a [f32]>, n_rois: usize) -> Vec<f32> {
    let mut n = 0.0;
    let mut sums = vec![0.0_f64; n_rois];
    for volume in volumes {
        n += 1.0;
        for (sum, value) in sums.iter_mut().zip(volume) {
            *sum += f64::from(*value);
        }
    }
    sums.iter().map(|sum| (sum / n) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_over_volumes() {
        assert_eq!(means([1.0, 5.0, 3.0, 7.0].chunks_exact(2), 2), [2.0, 6.0]);
    }
}
