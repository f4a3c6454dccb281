//! Neighbouring segments as a predictor: the same ROI before and after the hidden segment.

use brainmae_data::{ScanStore, SegmentLayout};
use nalgebra::{Cholesky, DMatrix, DVector};

use super::time_covariance::time_covariance;
use super::{Predictor, RIDGES, best_on};
use crate::PretrainError;
use crate::masked_batch::MaskedBatch;

/// Linear prediction of a hidden ROI from the signal of the same ROI in the segments before and
/// after, where it is visible there. Other ROIs are not used.
///
/// ```text
/// x_s = C_sn (C_nn + ridge I)^-1 x_n        n: volumes of the visible neighbours of segment s
/// ```
/// `C` has the second moments between the volumes of three consecutive segments, pooled over ROIs,
/// so that one regression serves all ROIs. Without a visible neighbour the prediction is 0. The
/// error shows what slow signals and masks of single segments give away.
///
/// With the autocorrelation `a^lag` and both neighbours visible, the error at volume `i` of `tau`
/// is `(1 - a^2i) (1 - a^2j) / (1 - a^2(i+j))`, `j = tau + 1 - i`; `1 - a^2i` with the segment
/// before alone.
pub struct NeighbouringSegments {
    ridge: f64,
    /// Weights for the segment before alone, `[time, time]`.
    before: DMatrix<f64>,
    /// Weights for the segment after alone, `[time, time]`.
    after: DMatrix<f64>,
    /// Weights for both, `[time, 2 time]`.
    both: DMatrix<f64>,
}

impl NeighbouringSegments {
    /// Fits the moments on `training` and chooses the ridge on `validation`.
    ///
    /// # Errors
    /// [`PretrainError::NoScans`], [`PretrainError::Covariance`] if no ridge gives an invertible
    /// matrix, or from the data.
    pub fn fit(
        training: &ScanStore,
        layout: &SegmentLayout,
        validation: impl IntoIterator<Item = Result<MaskedBatch, PretrainError>>,
    ) -> Result<Self, PretrainError> {
        if training.is_empty() {
            return Err(PretrainError::NoScans { set: "training" });
        }
        let covariance = time_covariance(training, layout.segment_len_trs, 1)?;
        let mut candidates: Vec<Self> = (RIDGES.into_iter())
            .filter_map(|ridge| Self::of_covariance(&covariance, ridge))
            .collect();
        let best = best_on(validation, candidates.len(), |i, batch| {
            candidates[i].predict(batch)
        })?;
        Ok(candidates.swap_remove(best.ok_or(PretrainError::Covariance)?))
    }

    /// The ridge chosen on the validation scans.
    pub fn ridge(&self) -> f64 {
        self.ridge
    }

    /// Weights for `covariance` of the volumes of three segments; `None` if a matrix has no
    /// inverse.
    fn of_covariance(covariance: &DMatrix<f64>, ridge: f64) -> Option<Self> {
        let time = covariance.nrows() / 3;
        let weights = |seen: &[usize]| {
            let square = DMatrix::from_fn(seen.len(), seen.len(), |i, j| {
                covariance[(seen[i], seen[j])] + if i == j { ridge } else { 0.0 }
            });
            let drawn = DMatrix::from_fn(seen.len(), time, |i, j| covariance[(seen[i], time + j)]);
            Some(Cholesky::new(square)?.solve(&drawn).transpose())
        };
        let (before, after) = ((0..time), (2 * time..3 * time));
        let both: Vec<usize> = before.clone().chain(after.clone()).collect();
        Some(Self {
            ridge,
            before: weights(&before.collect::<Vec<_>>())?,
            after: weights(&after.collect::<Vec<_>>())?,
            both: weights(&both)?,
        })
    }
}

impl Predictor for NeighbouringSegments {
    fn name(&self) -> &str {
        "neighbouring segments"
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        let [_, segments, rois, time] = batch.dims();
        let mut out = vec![0.0; batch.samples.bold.len()];
        let visible = |segment: usize, roi: usize| {
            let row = segment * rois + roi;
            let seen = batch.samples.valid[segment] && !batch.hidden[row];
            seen.then(|| &batch.samples.bold[row * time..(row + 1) * time])
        };
        for (row, out) in out.chunks_mut(time).enumerate() {
            let (segment, roi) = (row / rois, row % rois);
            if !(batch.hidden[row] && batch.samples.valid[segment]) {
                continue;
            }
            let at = segment % segments;
            let before = (at > 0).then(|| visible(segment - 1, roi)).flatten();
            let after = (at + 1 < segments).then(|| visible(segment + 1, roi));
            let (weights, seen) = match (before, after.flatten()) {
                (Some(before), Some(after)) => (&self.both, [before, after].concat()),
                (Some(before), None) => (&self.before, before.to_vec()),
                (None, Some(after)) => (&self.after, after.to_vec()),
                (None, None) => continue,
            };
            let seen = DVector::from_iterator(seen.len(), seen.into_iter().map(f64::from));
            let drawn = weights * seen;
            out.iter_mut()
                .zip(drawn.iter())
                .for_each(|(out, drawn)| *out = *drawn as f32);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use brainmae_data::{BoldSeries, Crop, StoredScan};
    use brainmae_run::Seeds;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::masked_batch::masked_batch;
    use crate::reconstruction::hidden_error;

    const TIME: usize = 3;
    const LAYOUT: SegmentLayout = SegmentLayout {
        segment_len_trs: TIME,
        n_segments: 3,
    };

    /// Two independent ROIs of unit variance with the autocorrelation `memory^lag`.
    fn autoregressive(name: &str, memory: f64) -> ScanStore {
        let rng = &mut Seeds::new(3).stream(name);
        let mut normal = || -> f64 { StandardNormal.sample(rng) };
        let mut signal = [normal(), normal()];
        let mut values = Vec::new();
        for _ in 0..60_000 {
            for roi in &mut signal {
                *roi = memory * *roi + (1.0 - memory * memory).sqrt() * normal();
                values.push(*roi as f32);
            }
        }
        let scan = StoredScan {
            scan: name.into(),
            subject: name.into(),
            series: BoldSeries::new(values, 2, 1.0).expect("finite"),
        };
        ScanStore::new(vec![scan]).expect("one scan")
    }

    /// Samples one after another. Both ROIs are hidden in the segments of `hidden`.
    fn samples(store: &ScanStore, hidden: [bool; 3]) -> MaskedBatch {
        let starts = (0..60_000).step_by(LAYOUT.sample_len_trs());
        let crops: Vec<Crop> = (starts.take(6000))
            .map(|start_volume| Crop {
                scan: 0,
                start_volume,
            })
            .collect();
        let masked = masked_batch(store, &crops, &LAYOUT, |n, rois, mask| {
            mask.extend((0..n * rois).map(|row| hidden[row / rois % 3]));
        });
        masked.expect("they fit")
    }

    fn fit(memory: f64) -> NeighbouringSegments {
        let training = autoregressive("training", memory);
        let validation = [[false, true, false], [false, true, true]];
        let validation = validation.map(|hidden| Ok(samples(&training, hidden)));
        NeighbouringSegments::fit(&training, &LAYOUT, validation).expect("a ridge")
    }

    fn mse(predictor: &NeighbouringSegments, batch: &MaskedBatch) -> f64 {
        hidden_error(batch, &predictor.predict(batch)).mse()
    }

    #[test]
    fn an_autoregressive_signal_is_predicted_with_the_smallest_possible_error() {
        let memory: f64 = 0.8;
        let (predictor, test) = (fit(memory), autoregressive("test", memory));
        let unknown = |lag: i32| 1.0 - memory.powi(2 * lag);
        let mean = |of: &dyn Fn(i32) -> f64| (1..=3).map(of).sum::<f64>() / 3.0;
        let one = mean(&unknown);
        let two = mean(&|i| unknown(i) * unknown(4 - i) / unknown(4));
        // The third hidden segment of the last case has no visible neighbour.
        for (hidden, expected) in [
            ([false, true, false], two),
            ([false, false, true], one),
            ([true, false, false], one),
            ([false, true, true], (one + 1.0) / 2.0),
        ] {
            let found = mse(&predictor, &samples(&test, hidden));
            assert!(
                (found / expected - 1.0).abs() < 0.03,
                "{hidden:?}: {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn rois_that_are_hidden_in_both_neighbours_are_zero() {
        let (predictor, test) = (fit(0.8), autoregressive("test", 0.8));
        let is_zero = |batch: &MaskedBatch, segment: usize| {
            let predicted = predictor.predict(batch);
            predicted[segment * 2 * TIME..][..2 * TIME]
                .iter()
                .all(|x| *x == 0.0)
        };
        let mut batch = samples(&test, [true; 3]);
        // The neighbours are of the same sample: that of segment 3 is not segment 2.
        batch.hidden[..6 * 2].copy_from_slice(&[[false; 6], [true; 6]].concat());
        assert!((3..6).all(|segment| is_zero(&batch, segment)));
        // The segment before is visible, then not valid.
        batch.hidden[3 * 2..4 * 2].fill(false);
        assert!(!is_zero(&batch, 4) && is_zero(&batch, 5));
        batch.samples.valid[3] = false;
        assert!(is_zero(&batch, 4));
    }

    #[test]
    fn white_noise_is_not_predicted() {
        let (predictor, test) = (fit(0.0), autoregressive("test", 0.0));
        let batch = samples(&test, [false, true, false]);
        let zero = hidden_error(&batch, &vec![0.0; batch.samples.bold.len()]).mse();
        let ratio = mse(&predictor, &batch) / zero;
        assert!((0.999..1.002).contains(&ratio), "{ratio}");
    }
}
