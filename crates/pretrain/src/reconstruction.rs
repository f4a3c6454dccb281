//! Reconstruction scores: errors of all predictors on hidden ROIs, with the same masks.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use brainmae_data::{Crop, ScanStore, SegmentLayout, tile};
use brainmae_run::Seeds;
use brainmae_statistics::{MeanInterval, bootstrap_mean};
use serde::{Deserialize, Serialize};

use crate::PretrainError;
use crate::mask::draw_mask;
use crate::masked_batch::{MaskedBatch, masked_batch};
use crate::predictor::Predictor;

/// Settings of the scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconstructionConfig {
    /// Shares of hidden ROIs.
    pub mask_ratios: Vec<f64>,
    /// Number of random masks per sample and share.
    pub draws: u64,
    /// Number of samples that are reconstructed at once.
    pub batch_size: usize,
    /// Number of bootstrap replicates per interval.
    pub resamples: usize,
}

impl Default for ReconstructionConfig {
    fn default() -> Self {
        Self {
            mask_ratios: (1..10).map(|i| f64::from(i) / 10.0).collect(),
            draws: 4,
            batch_size: 8,
            resamples: 2000,
        }
    }
}

/// Sum of squared errors of hidden ROIs in uncensored volumes of valid segments, and the number of
/// values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HiddenError {
    sum: f64,
    n: u64,
}

impl HiddenError {
    /// Sum of squared errors.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Mean squared error.
    pub fn mse(&self) -> f64 {
        self.sum / self.n.max(1) as f64
    }

    fn add(&mut self, other: HiddenError) {
        self.sum += other.sum;
        self.n += other.n;
    }
}

/// Error of `predicted` on a whole batch.
pub fn hidden_error(batch: &MaskedBatch, predicted: &[f32]) -> HiddenError {
    let mut error = HiddenError::default();
    for sample in 0..batch.samples.batch {
        error.add(sample_error(batch, predicted, sample));
    }
    error
}

fn sample_error(batch: &MaskedBatch, predicted: &[f32], sample: usize) -> HiddenError {
    let [_, segments, rois, time] = batch.dims();
    let mut error = HiddenError::default();
    for segment in sample * segments..(sample + 1) * segments {
        if !batch.samples.valid[segment] {
            continue;
        }
        let kept = &batch.samples.kept[segment * time..(segment + 1) * time];
        let n_kept = kept.iter().filter(|kept| **kept).count();
        for row in segment * rois..(segment + 1) * rois {
            if !batch.hidden[row] {
                continue;
            }
            let values = row * time..(row + 1) * time;
            let pairs = batch.samples.bold[values.clone()]
                .iter()
                .zip(&predicted[values]);
            let kept = pairs.zip(kept).filter(|(_, kept)| **kept);
            let squares = kept.map(|((a, b), _)| f64::from(a - b).powi(2));
            error.sum += squares.sum::<f64>();
            error.n += n_kept as u64;
        }
    }
    error
}

/// The score of one predictor on one scan at one mask ratio.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanScore {
    /// Name of the predictor.
    pub predictor: String,
    /// Share of hidden ROIs.
    pub mask_ratio: f64,
    /// Identifier of the scan.
    pub scan: String,
    /// Subject of the scan.
    pub subject: String,
    /// Mean squared error of hidden ROIs, in units of the z-scored signal; about 1 for the
    /// prediction zero.
    pub mse: f64,
}

/// The score of one predictor at one mask ratio, over independent units.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Name of the predictor.
    pub predictor: String,
    /// Share of hidden ROIs.
    pub mask_ratio: f64,
    /// Mean over units, with its interval.
    pub mse: MeanInterval,
    /// Number of units: subjects, or scans if there is only one subject.
    pub n_units: usize,
}

/// Batches for the scores of all predictors: all samples of all scans with `draws` masks of one
/// ratio, consecutive in each scan.
///
/// An item is an error if a sample cannot be cut.
pub fn scoring_batches<'a>(
    store: &'a ScanStore,
    layout: &'a SegmentLayout,
    config: &'a ReconstructionConfig,
    ratio: f64,
    seeds: &'a Seeds,
) -> impl Iterator<Item = Result<MaskedBatch, PretrainError>> + 'a {
    let crops: Vec<Crop> = (0..store.len())
        .flat_map(|scan| tile(store, scan, layout))
        .collect();
    let per_batch = config.batch_size.max(1);
    let n_batches = crops.len().div_ceil(per_batch);
    let places = (0..config.draws).flat_map(move |draw| (0..n_batches).map(move |i| (draw, i)));
    places.map(move |(draw, i)| {
        let last = crops.len().min((i + 1) * per_batch);
        let place = [ratio.to_bits(), draw, i as u64];
        let rng = &mut seeds.stream_at("scoring-masks", &place);
        let crops = &crops[i * per_batch..last];
        masked_batch(store, crops, layout, |n, rois, hidden| {
            draw_mask(n, rois, ratio, rng, hidden);
        })
    })
}

/// Scores all predictors on all scans of `store` at all mask ratios. `done` is called after each
/// ratio; its `Break` stops the work.
///
/// A scan without a valid segment has no score.
///
/// # Errors
/// [`PretrainError::NoScans`], [`PretrainError::Interrupted`] after a `Break`, or from the data.
pub fn score(
    store: &ScanStore,
    layout: &SegmentLayout,
    config: &ReconstructionConfig,
    predictors: &[&dyn Predictor],
    seeds: &Seeds,
    mut done: impl FnMut(f64) -> ControlFlow<()>,
) -> Result<Vec<ScanScore>, PretrainError> {
    if store.is_empty() {
        return Err(PretrainError::NoScans { set: "test" });
    }
    let mut scores = Vec::new();
    for &ratio in &config.mask_ratios {
        let mut errors = vec![vec![HiddenError::default(); store.len()]; predictors.len()];
        for batch in scoring_batches(store, layout, config, ratio, seeds) {
            let batch = batch?;
            for (predictor, errors) in predictors.iter().zip(&mut errors) {
                let predicted = predictor.predict(&batch);
                for (sample, crop) in batch.samples.crops.iter().enumerate() {
                    errors[crop.scan].add(sample_error(&batch, &predicted, sample));
                }
            }
        }
        for (predictor, errors) in predictors.iter().zip(errors) {
            let scored = store.scans().iter().zip(errors);
            scores.extend(
                scored
                    .filter(|(_, error)| error.n > 0)
                    .map(|(scan, error)| ScanScore {
                        predictor: predictor.name().to_string(),
                        mask_ratio: ratio,
                        scan: scan.scan.to_string(),
                        subject: scan.subject.to_string(),
                        mse: error.mse(),
                    }),
            );
        }
        if done(ratio).is_break() {
            return Err(PretrainError::Interrupted);
        }
    }
    Ok(scores)
}

/// Means with bootstrap intervals over independent units: subjects, or scans if there is only one
/// subject.
pub fn summarise(scores: &[ScanScore], resamples: usize, seeds: &Seeds) -> Vec<Score> {
    let mut subjects: Vec<&str> = scores.iter().map(|s| s.subject.as_str()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let by_subject = subjects.len() > 1;

    let mut order: Vec<(&str, f64)> = Vec::new();
    for score in scores {
        let key = (score.predictor.as_str(), score.mask_ratio);
        if !order.contains(&key) {
            order.push(key);
        }
    }
    order
        .into_iter()
        .map(|(predictor, mask_ratio)| {
            let mut units: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
            for score in scores {
                if score.predictor == predictor && score.mask_ratio == mask_ratio {
                    let unit = if by_subject {
                        &score.subject
                    } else {
                        &score.scan
                    };
                    units.entry(unit).or_default().push(score.mse);
                }
            }
            let means: Vec<f64> = units
                .values()
                .map(|scans| scans.iter().sum::<f64>() / scans.len() as f64)
                .collect();
            Score {
                predictor: predictor.to_string(),
                mask_ratio,
                // All predictors use the same resamples, so differences between rows are not
                // resampling noise.
                mse: bootstrap_mean(&means, resamples, seeds),
                n_units: means.len(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan_score(predictor: &str, subject: &str, scan: &str, mse: f64) -> ScanScore {
        ScanScore {
            predictor: predictor.into(),
            mask_ratio: 0.5,
            scan: scan.into(),
            subject: subject.into(),
            mse,
        }
    }

    #[test]
    fn subjects_count_once_however_many_scans_they_have() {
        let scores = [
            scan_score("zero", "a", "a1", 1.0),
            scan_score("zero", "a", "a2", 2.0),
            scan_score("zero", "b", "b1", 3.0),
        ];
        let summary = summarise(&scores, 100, &Seeds::new(1));
        assert_eq!((summary[0].n_units, summary[0].mse.mean), (2, 2.25));
    }

    #[test]
    fn scans_are_the_units_of_a_single_subject() {
        let scores = [
            scan_score("zero", "a", "a1", 1.0),
            scan_score("zero", "a", "a2", 2.0),
        ];
        let summary = summarise(&scores, 100, &Seeds::new(1));
        assert_eq!((summary[0].n_units, summary[0].mse.mean), (2, 1.5));
    }
}
