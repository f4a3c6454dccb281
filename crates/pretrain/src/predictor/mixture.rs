//! Mixture predictor: conditional mean of hidden ROIs under a mixture of Gaussians.

mod expectation_maximisation;
mod gaussian;

use brainmae_data::{ScanStore, SegmentLayout};
use brainmae_run::Seeds;
use nalgebra::DMatrix;

use self::expectation_maximisation::{Mixture, Units, to_shares};
use super::{MaskedSegment, Predictor, Scope, best_on, by_segment};
use crate::PretrainError;
use crate::masked_batch::MaskedBatch;

/// Conditional mean of the hidden ROIs of a volume, given the visible ones, if each brain state is
/// one of `K` Gaussians.
///
/// ```text
/// x_tH = sum_k p(k | X_V) (m_kH + C_kHV (C_kVV)^-1 (x_tV - m_kV))
/// p(k | X_V) ~ p(k) (prod_t p(x_tV | k))^e      t: the predicted volume, or all of the segment
/// ```
/// It is the simplest predictor that is not linear: each state has a mean and a covariance of its
/// own. With [`Scope::Volume`] each volume has a state; with [`Scope::Segment`] all uncensored
/// volumes of a segment have the same one, in the fit as well. `K`, and for segments `e`, are
/// chosen on the validation scans. Fitted by expectation maximisation (Dempster et al. 1977).
///
/// If states hold for `tau` independent volumes, the expected difference of the log probabilities
/// of the true state and of another one is `tau` times that of a volume, and the probability of
/// reading a wrong state falls exponentially with it. So few visible ROIs are sufficient, and the
/// remaining error is that of the linear predictor of the true state. Volumes that are
/// autocorrelated tell less than independent ones, for which `e` below 1 accounts. Where states
/// change within segments, the scope of volumes is the better one.
pub struct MixturePredictor {
    scope: Scope,
    mixture: Mixture,
    exponent: f64,
}

/// Numbers of Gaussians of which the best one is taken.
const NUMBERS: [usize; 4] = [2, 4, 8, 16];

impl MixturePredictor {
    /// Fits mixtures on `training` and takes the one with the smallest error on `validation`.
    /// Mixtures with fewer than two volumes for each ROI and Gaussian are not tried; `None` if none
    /// is left, as for short data and for 600 ROIs, or if none has finite predictions.
    ///
    /// # Errors
    /// [`PretrainError::NoScans`] without training scans, or from the data.
    pub fn fit(
        scope: Scope,
        training: &ScanStore,
        layout: &SegmentLayout,
        validation: impl IntoIterator<Item = Result<MaskedBatch, PretrainError>>,
        seeds: &Seeds,
    ) -> Result<Option<Self>, PretrainError> {
        if training.is_empty() {
            return Err(PretrainError::NoScans { set: "training" });
        }
        let time = layout.segment_len_trs;
        let (unit_len, exponents) = match scope {
            Scope::Volume => (1, vec![1.0]),
            Scope::Segment => (time, vec![1.0, 0.5, 1.0 / time as f64]),
        };
        let units = Units::of(training, unit_len)?;
        let enough = |n: &usize| units.n_volumes() >= 2 * n * training.n_rois();
        let mut candidates = Vec::new();
        for n in NUMBERS.into_iter().filter(enough) {
            let Some(mixture) = units.mixture(n, seeds) else {
                continue;
            };
            candidates.extend(exponents.iter().map(|exponent| Self {
                scope,
                mixture: mixture.clone(),
                exponent: *exponent,
            }));
        }
        let best = best_on(validation, candidates.len(), |i, batch| {
            candidates[i].predict(batch)
        })?;
        Ok(best.map(|best| candidates.swap_remove(best)))
    }

    /// Number of Gaussians.
    pub fn n_components(&self) -> usize {
        self.mixture.gaussians.len()
    }

    /// Exponent `e` of the density of each volume: 1 if the volumes of a segment count as
    /// independent ones. It is 1 for [`Scope::Volume`].
    pub fn exponent(&self) -> f64 {
        self.exponent
    }

    /// Fills in the hidden ROIs of one segment, `[rois, time]`; NaN if a covariance has no inverse.
    fn predict_segment(&self, segment: &MaskedSegment, out: &mut [f32]) {
        let (time, (hidden, visible)) = (segment.time(), segment.rois());
        if hidden.is_empty() {
            return;
        }
        let conditionals = (self.mixture.gaussians.iter())
            .map(|gaussian| gaussian.conditional(&visible, &hidden))
            .collect::<Option<Vec<_>>>();
        let Some(conditionals) = conditionals else {
            out.fill(f32::NAN);
            return;
        };
        let seen = DMatrix::from_fn(visible.len(), time, |i, t| {
            f64::from(segment.bold[visible[i] * time + t])
        });
        // Logarithms of probabilities, then probabilities, of each state at each volume.
        let mut shares = DMatrix::zeros(conditionals.len(), time);
        for (k, conditional) in conditionals.iter().enumerate() {
            let logs = conditional.log_densities(&seen);
            let of_segment = (0..time)
                .filter(|t| segment.kept[*t])
                .map(|t| logs[t])
                .sum();
            for t in 0..time {
                let log = match self.scope {
                    Scope::Volume => logs[t],
                    Scope::Segment => of_segment,
                };
                shares[(k, t)] = self.mixture.log_shares[k] + self.exponent * log;
            }
        }
        for mut column in shares.column_iter_mut() {
            to_shares(column.as_mut_slice());
        }
        let mut drawn = DMatrix::zeros(hidden.len(), time);
        for (conditional, shares) in conditionals.iter().zip(shares.row_iter()) {
            let mut of_state = conditional.means(&seen);
            for (mut volume, share) in of_state.column_iter_mut().zip(shares.iter()) {
                volume *= *share;
            }
            drawn += of_state;
        }
        for (row, roi) in hidden.iter().enumerate() {
            for t in 0..time {
                out[roi * time + t] = drawn[(row, t)] as f32;
            }
        }
    }
}

impl Predictor for MixturePredictor {
    fn name(&self) -> &str {
        match self.scope {
            Scope::Volume => "mixture",
            Scope::Segment => "mixture, segment",
        }
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        by_segment(batch, |segment, out| self.predict_segment(segment, out))
    }
}

#[cfg(test)]
mod tests;
