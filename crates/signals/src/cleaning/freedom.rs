//! Degrees of freedom that cleaning leaves in the signals of a scan.

use super::band_pass::BandPass;
use super::unusable::Unusable;

/// Least number of degrees of freedom; with fewer, a correlation of noise has a standard deviation
/// above .23.
const LEAST: f64 = 20.0;

/// What a scan is left with after censoring, filter, resampling and regression.
///
/// ```text
/// left = kept volumes · share of the frequencies that are retained - independent confounds
/// ```
/// The share is the width of the band, up to half the sampling rate as acquired and after
/// resampling, divided by half the sampling rate as acquired.
///
/// # Source
/// Davey et al. 2013, NeuroImage 64 (filter: a band-pass leaves `n · width / Nyquist` samples that
/// are independent); Ciric et al. 2017, NeuroImage 154 (loss of temporal degrees of freedom: one
/// for each confound and censored volume).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Freedom {
    pub kept: usize,
    pub band_share: f64,
    pub confounds: usize,
}

impl Freedom {
    /// Checks that enough is left.
    pub fn check(&self) -> Result<(), Unusable> {
        let left = self.kept as f64 * self.band_share - self.confounds as f64;
        if left >= LEAST {
            return Ok(());
        }
        Err(Unusable::TooLittleFreedom {
            kept: self.kept,
            band_share: self.band_share,
            confounds: self.confounds,
            left,
            needed: LEAST,
        })
    }
}

/// Share of the frequencies of a scan that a filter and the resampling to `dt_secs` retain, 0 to 1.
pub(super) fn band_share(band: Option<BandPass>, tr_secs: f64, dt_secs: Option<f64>) -> f64 {
    let nyquist_hz = 0.5 / tr_secs;
    let resampled_hz = dt_secs.map_or(nyquist_hz, |dt_secs| 0.5 / dt_secs);
    let low_pass_hz = band.and_then(|band| band.low_pass_hz);
    let high_pass_hz = band.and_then(|band| band.high_pass_hz).unwrap_or(0.0);
    let highest_hz = low_pass_hz
        .unwrap_or(nyquist_hz)
        .min(nyquist_hz)
        .min(resampled_hz);
    ((highest_hz - high_pass_hz) / nyquist_hz).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_a_band_is_its_width_below_both_sampling_limits() {
        let band = |high_pass_hz, low_pass_hz| {
            Some(BandPass {
                high_pass_hz,
                low_pass_hz,
                order: 2,
            })
        };
        // A TR of 2 s: up to 0.25 Hz.
        for (band, dt_secs, expected) in [
            (None, None, 1.0),
            (None, Some(1.0), 1.0),
            (None, Some(4.0), 0.5),
            (band(Some(0.01), Some(0.1)), None, 0.36),
            (band(None, Some(0.1)), Some(4.0), 0.4),
            (band(None, Some(0.2)), Some(4.0), 0.5),
            (band(Some(0.05), None), None, 0.8),
            (band(Some(0.2), None), Some(4.0), 0.0),
        ] {
            let share = band_share(band, 2.0, dt_secs);
            assert!((share - expected).abs() < 1e-12, "{share}, {expected}");
        }
    }

    #[test]
    fn the_limit_is_twenty() {
        // 110 · 0.4 - 24 = 20.
        let enough = Freedom {
            kept: 110,
            band_share: 0.4,
            confounds: 24,
        };
        assert_eq!(enough.check(), Ok(()));
        let few = Freedom {
            kept: 107,
            ..enough
        };
        insta::assert_snapshot!(few.check().expect_err("18.8"), @"107 kept volumes, with 0.400 of their frequencies retained, minus 24 confounds leave 18.8 degrees of freedom, 20 are needed: pass a wider band, regress out fewer confounds, censor fewer volumes, or do without this scan");
    }
}
