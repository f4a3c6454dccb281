//! Training batches as pure functions of the step.

use brainmae_data::{Crop, ScanStore, SegmentLayout, epoch_order, random_crop};
use brainmae_run::Seeds;
use brainmae_train::EpochOrder;

/// Crops and scans of each step.
///
/// Samples are numbered through the whole run. Each pass over the scans uses each scan once, in a
/// random order, with a random first volume. Step `k` has the samples from `k * batch_size`, so a
/// resumed run has the same crops as an uninterrupted one.
pub struct TrainingCrops {
    seeds: Seeds,
    batch_size: usize,
    n_scans: usize,
    order: EpochOrder,
}

impl TrainingCrops {
    /// Batches of `batch_size` samples from `n_scans` scans.
    pub fn new(seeds: Seeds, batch_size: usize, n_scans: usize) -> Self {
        Self {
            seeds,
            batch_size,
            n_scans,
            order: EpochOrder::new(move |epoch| {
                epoch_order(n_scans, &mut seeds.stream_at("scan-order", &[epoch]))
            }),
        }
    }

    /// Number of passes over the scans after `step` steps.
    pub fn epoch(&self, step: u64) -> f64 {
        step as f64 * self.batch_size as f64 / self.n_scans as f64
    }

    /// Number in the run of sample `i` of `step`.
    pub fn sample_number(&self, step: u64, i: usize) -> u64 {
        step * self.batch_size as u64 + i as u64
    }

    /// The crop of sample `i` of `step`.
    pub fn crop(&self, store: &ScanStore, layout: &SegmentLayout, step: u64, i: usize) -> Crop {
        let number = self.sample_number(step, i);
        let (epoch, place) = (number / self.n_scans as u64, number % self.n_scans as u64);
        let scan = self.order.at(epoch, |order| order[place as usize]);
        let rng = &mut self.seeds.stream_at("crops", &[number]);
        random_crop(store, scan, layout, rng)
    }
}
