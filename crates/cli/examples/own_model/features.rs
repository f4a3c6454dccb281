//! Autocorrelation at lag 1 of each ROI: features of a linear model.

use brainmae_downstream::features::{Features, FittedFeatures};
use brainmae_downstream::{Example, Labelled, Problem, Scan};

/// Autocorrelation of each ROI's signal at a lag of one volume, over pairs of uncensored volumes; 0
/// for a constant signal.
pub struct LagOne;

impl Features for LagOne {
    fn name(&self) -> &str {
        "lag-1"
    }

    fn title(&self) -> &str {
        "lag 1"
    }

    fn fit(&self, _: &Problem, _: &Labelled) -> Box<dyn FittedFeatures> {
        Box::new(Self)
    }
}

impl FittedFeatures for LagOne {
    fn row(&self, scan: &Scan, example: Example) -> Vec<f32> {
        let (series, first) = (&scan.series, example.start_volume);
        let is_kept = |volume: &usize| series.is_kept(*volume);
        let volumes: Vec<usize> = (first..first + example.n_volumes).filter(is_kept).collect();
        let of_roi = |roi: usize| {
            let value = |volume: usize| f64::from(series.row(volume)[roi]);
            let n = volumes.len().max(1) as f64;
            let mean = volumes.iter().map(|volume| value(*volume)).sum::<f64>() / n;
            let change = |volume: usize| value(volume) - mean;
            let variance: f64 = volumes.iter().map(|volume| change(*volume).powi(2)).sum();
            let next = volumes.array_windows().filter(|[a, b]| a + 1 == *b);
            let shared: f64 = next.map(|[a, b]| change(*a) * change(*b)).sum();
            match variance > 0.0 {
                true => (shared / variance) as f32,
                false => 0.0,
            }
        };
        (0..series.n_rois()).map(of_roi).collect()
    }
}
