//! Reconstruction scores: errors of all predictors on hidden ROIs, with the same masks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use brainmae_data::{Crop, ScanId, ScanStore, SegmentLayout, tile};
use brainmae_run::Seeds;
use brainmae_statistics::{MeanInterval, bootstrap_mean};
use serde::{Deserialize, Serialize};

use crate::PretrainError;
use crate::mask::draw_mask;
use crate::masked_batch::{MaskedBatch, masked_batch};
use crate::predictor::Predictor;

pub mod seeds;

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
    /// The error on scans that the predictor was trained on; `None` if it is not measured, as in
    /// runs of earlier versions.
    pub training: Option<TrainingError>,
}

/// The error of one predictor at one mask ratio on training scans. If it is about as large as that
/// on other scans, the predictor fits too little, and more data would not help it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingError {
    /// Mean squared error over the same kind of units as in the [`Score`].
    pub mse: f64,
    /// Number of scans.
    pub n_scans: usize,
}

/// Largest number of training scans that are scored.
pub const MOST_TRAINING_SCANS: usize = 20;

/// The training scans that are scored: all, or [`MOST_TRAINING_SCANS`] at equal distances in their
/// order.
pub fn scored_training_scans(scans: &[ScanId]) -> Vec<ScanId> {
    let n = scans.len().min(MOST_TRAINING_SCANS);
    (0..n).map(|i| scans[i * scans.len() / n].clone()).collect()
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

/// Means with bootstrap intervals over independent units, subjects, or scans if there is only one
/// subject, beside the means of the scores on training scans.
pub fn summarise(
    scores: &[ScanScore],
    training: &[ScanScore],
    resamples: usize,
    seeds: &Seeds,
) -> Vec<Score> {
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
            let of =
                |score: &&ScanScore| score.predictor == predictor && score.mask_ratio == mask_ratio;
            let means = unit_means(scores, of);
            let seen = unit_means(training, of);
            Score {
                predictor: predictor.to_string(),
                mask_ratio,
                // All predictors use the same resamples, so differences between rows are not
                // resampling noise.
                mse: bootstrap_mean(&means, resamples, seeds),
                n_units: means.len(),
                training: (!seen.is_empty()).then(|| TrainingError {
                    mse: seen.iter().sum::<f64>() / seen.len() as f64,
                    n_scans: training.iter().filter(of).count(),
                }),
            }
        })
        .collect()
}

/// Mean of each unit over those of its scores that are `wanted`.
fn unit_means(scores: &[ScanScore], wanted: impl Fn(&&ScanScore) -> bool) -> Vec<f64> {
    means_by_unit(scores, wanted).into_values().collect()
}

/// [`unit_means`] with the units' names. Units are subjects, or scans if all scores are of one
/// subject.
fn means_by_unit(
    scores: &[ScanScore],
    wanted: impl Fn(&&ScanScore) -> bool,
) -> BTreeMap<&str, f64> {
    let subjects: BTreeSet<&str> = scores.iter().map(|s| s.subject.as_str()).collect();
    let mut units: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for score in scores.iter().filter(wanted) {
        let unit = match subjects.len() {
            1 => &score.scan,
            _ => &score.subject,
        };
        units.entry(unit).or_default().push(score.mse);
    }
    let mean = |scans: Vec<f64>| scans.iter().sum::<f64>() / scans.len() as f64;
    let means = units.into_iter().map(|(unit, scans)| (unit, mean(scans)));
    means.collect()
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
        let summary = summarise(&scores, &[], 100, &Seeds::new(1));
        assert_eq!((summary[0].n_units, summary[0].mse.mean), (2, 2.25));
        assert_eq!(summary[0].training, None);
    }

    #[test]
    fn scans_are_the_units_of_a_single_subject() {
        let scores = [
            scan_score("zero", "a", "a1", 1.0),
            scan_score("zero", "a", "a2", 2.0),
        ];
        let summary = summarise(&scores, &[], 100, &Seeds::new(1));
        assert_eq!((summary[0].n_units, summary[0].mse.mean), (2, 1.5));
    }

    #[test]
    fn the_error_on_training_scans_stands_beside_that_on_others() {
        let tested = [
            scan_score("zero", "a", "a1", 1.0),
            scan_score("mean", "a", "a1", 0.5),
        ];
        let trained = [
            scan_score("zero", "b", "b1", 0.5),
            scan_score("zero", "b", "b2", 1.0),
            scan_score("zero", "c", "c1", 1.25),
        ];
        let summary = summarise(&tested, &trained, 100, &Seeds::new(1));
        // Mean over two subjects: (0.75 + 1.25) / 2.
        let expected = TrainingError {
            mse: 1.0,
            n_scans: 3,
        };
        assert_eq!(summary[0].training, Some(expected));
        assert_eq!((summary[0].mse.mean, summary[1].training), (1.0, None));
    }

    #[test]
    fn training_scans_are_scored_at_equal_distances() {
        let ids = |n: usize| -> Vec<ScanId> {
            (0..n)
                .map(|i| format!("scan-{i}").as_str().into())
                .collect()
        };
        assert_eq!(scored_training_scans(&ids(3)), ids(3));
        assert!(scored_training_scans(&[]).is_empty());
        let some = scored_training_scans(&ids(50));
        assert_eq!(some.len(), MOST_TRAINING_SCANS);
        assert_eq!(some[..3], [0, 2, 5].map(|i| ids(50)[i].clone()));
    }
}
