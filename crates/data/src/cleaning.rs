//! What is done to the signals of a scan before a model sees them, and how to undo it.

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// An ROI whose deviation is below this share of its largest value holds rounding noise alone.
const CONSTANT_BELOW: f64 = 1e-9;

/// One step of cleaning, done per ROI over a whole scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CleaningStep {
    /// Takes away the straight line of least squares, but not the mean.
    DetrendLinear,
    /// Subtracts the mean and divides by the standard deviation (of the population: over n).
    ZScore,
}

impl std::fmt::Display for CleaningStep {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::DetrendLinear => "linear detrending",
            Self::ZScore => "z-score",
        })
    }
}

/// What cleaning took out of one ROI of one scan; `None` where that step was not done.
///
/// Detrended, then z-scored, volume `t` of `n` was
/// `mean + sd · value + slope_per_volume · (t − (n − 1) / 2)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoiConstants {
    /// Mean, in the units of the scanner.
    pub mean: Option<f64>,
    /// Standard deviation over n, in the units of the scanner.
    pub sd: Option<f64>,
    /// Slope of the line, in the units of the scanner per volume.
    pub slope_per_volume: Option<f64>,
}

/// ROIs that make a scan unusable, by what is wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnusableRois {
    /// With values that are missing or infinite.
    pub not_finite: Vec<usize>,
    /// Without any change over the scan.
    pub constant: Vec<usize>,
}

impl UnusableRois {
    /// A sentence for the list of exclusions; `name` gives the name of an ROI.
    pub fn describe(&self, name: impl Fn(usize) -> String) -> String {
        let part = |rois: &[usize], what: &str| {
            let first = *rois.first()?;
            let more = match rois.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            Some(format!("{what}: ROI {first} ({}){more}", name(first)))
        };
        [
            part(&self.not_finite, "missing or infinite values"),
            part(&self.constant, "constant signal"),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
    }
}

/// Checks that every step is there at most once.
pub(crate) fn check_steps(steps: &[CleaningStep]) -> Result<(), DataError> {
    for (at, step) in steps.iter().enumerate() {
        if steps[..at].contains(step) {
            return Err(DataError::config(
                "cleaning",
                format!("{steps:?}"),
                "every step at most once",
            ));
        }
    }
    Ok(())
}

/// Cleans `values`, `[volume][roi]`, in place, in 64 bits, one step after another.
///
/// # Errors
/// The ROIs that make the scan unusable; then `values` are no longer worth anything.
pub fn clean(
    values: &mut [f64],
    n_rois: usize,
    steps: &[CleaningStep],
) -> Result<Vec<RoiConstants>, UnusableRois> {
    let mut constants = vec![RoiConstants::default(); n_rois];
    let mut unusable = UnusableRois::default();
    let mut signal: Vec<f64> = Vec::with_capacity(values.len() / n_rois.max(1));
    for (roi, constants) in constants.iter_mut().enumerate() {
        signal.clear();
        signal.extend(values[roi..].iter().step_by(n_rois));
        if !signal.iter().all(|value| value.is_finite()) {
            unusable.not_finite.push(roi);
            continue;
        }
        let scale = signal
            .iter()
            .fold(0.0, |max: f64, value| max.max(value.abs()));
        if is_constant(&signal, scale) {
            unusable.constant.push(roi);
            continue;
        }
        for step in steps {
            match step {
                CleaningStep::DetrendLinear => {
                    constants.slope_per_volume = Some(detrend(&mut signal));
                }
                // A straight line is constant once detrended.
                CleaningStep::ZScore if is_constant(&signal, scale) => {
                    unusable.constant.push(roi);
                    break;
                }
                CleaningStep::ZScore => {
                    let (mean, sd) = mean_and_sd(&signal);
                    for value in &mut signal {
                        *value = (*value - mean) / sd;
                    }
                    (constants.mean, constants.sd) = (Some(mean), Some(sd));
                }
            }
        }
        for (place, value) in values[roi..].iter_mut().step_by(n_rois).zip(&signal) {
            *place = *value;
        }
    }
    if unusable == UnusableRois::default() {
        Ok(constants)
    } else {
        Err(unusable)
    }
}

fn is_constant(signal: &[f64], scale: f64) -> bool {
    mean_and_sd(signal).1 <= CONSTANT_BELOW * scale
}

fn mean_and_sd(signal: &[f64]) -> (f64, f64) {
    let n = signal.len() as f64;
    let mean = signal.iter().sum::<f64>() / n;
    let variance = signal
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / n;
    (mean, variance.sqrt())
}

/// Takes the line away, keeps the mean, returns the slope.
fn detrend(signal: &mut [f64]) -> f64 {
    let n = signal.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let mean = signal.iter().sum::<f64>() / n;
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (volume, value) in signal.iter().enumerate() {
        let time = volume as f64 - middle;
        covariance += time * (value - mean);
        variance += time * time;
    }
    let slope = covariance / variance;
    for (volume, value) in signal.iter_mut().enumerate() {
        *value -= slope * (volume as f64 - middle);
    }
    slope
}

#[cfg(test)]
mod tests {
    use super::*;
    use CleaningStep::{DetrendLinear, ZScore};

    #[test]
    fn z_scores_come_with_what_was_taken_out() {
        // Mean 4, deviations −2, 0, 2: variance 8/3.
        let mut values = [2.0, 4.0, 6.0];
        let constants = clean(&mut values, 1, &[ZScore]).unwrap();
        let sd = (8.0_f64 / 3.0).sqrt();
        assert_eq!(constants[0].mean, Some(4.0));
        assert_eq!(constants[0].sd, Some(sd));
        assert_eq!(constants[0].slope_per_volume, None);
        assert_eq!(values, [-2.0 / sd, 0.0, 2.0 / sd]);
    }

    #[test]
    fn a_line_is_taken_away_and_the_mean_stays() {
        // 10 + 2t plus 1, −1, −1, 1, which has neither mean nor slope.
        let mut values = [11.0, 11.0, 13.0, 17.0];
        let constants = clean(&mut values, 1, &[DetrendLinear]).unwrap();
        assert_eq!(constants[0].slope_per_volume, Some(2.0));
        assert_eq!(values, [14.0, 12.0, 12.0, 14.0]);
    }

    #[test]
    fn the_constants_bring_the_scan_back() {
        let raw = [900.0, 3.0, 907.0, 2.0, 911.0, 8.0, 930.0, 1.0];
        let mut values = raw;
        let constants = clean(&mut values, 2, &[DetrendLinear, ZScore]).unwrap();
        for (at, value) in values.iter().enumerate() {
            let (volume, roi) = ((at / 2) as f64, at % 2);
            let RoiConstants {
                mean: Some(mean),
                sd: Some(sd),
                slope_per_volume: Some(slope),
            } = constants[roi]
            else {
                panic!("a constant is missing")
            };
            let back = mean + sd * value + slope * (volume - 1.5);
            assert!((back - raw[at]).abs() < 1e-9, "{back} for {}", raw[at]);
        }
    }

    #[test]
    fn rois_without_a_signal_are_named() {
        let mut values = [
            1.0,
            5.0,
            f64::NAN,
            0.0,
            2.0,
            5.0,
            1.0,
            1.0,
            0.5,
            5.0,
            1.0,
            2.0,
        ];
        // ROI 1 is constant, ROI 2 has a NaN, ROI 3 is a straight line.
        let unusable = clean(&mut values, 4, &[DetrendLinear, ZScore]).unwrap_err();
        assert_eq!(
            (&unusable.not_finite, &unusable.constant),
            (&vec![2], &vec![1, 3])
        );
        assert_eq!(
            unusable.describe(|roi| format!("r{roi}")),
            "missing or infinite values: ROI 2 (r2); constant signal: ROI 1 (r1) and 1 more"
        );
    }
}
