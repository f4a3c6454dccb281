//! Cleaning of the signals of a scan before a model uses them, and its inverse.
//!
//! Steps have one fixed order, and each occurs at most once: drop non-steady-state volumes, regress
//! out confounds, censor volumes, remove the linear trend, filter, resample, z-score.
//!
//! Censored volumes are found first. Regression, detrending and z-score use uncensored volumes
//! only. Before the filter and the resampling, censored volumes are interpolated linearly between
//! their uncensored neighbours. They stay marked: `kept` is false.

mod band_pass;
mod censor;
mod confound_model;
mod detrend;
mod freedom;
mod plan;
mod regression;
mod resample;
mod steps;
mod unusable;
mod z_score;

use serde::{Deserialize, Serialize};

use crate::bold::BoldSeries;
use crate::confounds::ConfoundTable;
use crate::error::SignalError;
pub use band_pass::BandPass;
pub use censor::Censoring;
pub use censor::fill;
pub use confound_model::ConfoundModel;
pub use steps::{CleaningStep, Dummies, check_steps, dt_after};
pub use unusable::{ConfoundProblem, Unusable, UnusableRois};

use plan::{Buffers, Flaw, Plan};

/// Constants that cleaning removed from one ROI of one scan; `None` for a step that was not done.
///
/// If a scan was only detrended and z-scored, volume `t` of `n` had the value `mean + sd · value +
/// slope_per_volume · (t − (n − 1) / 2)`. Other steps cannot be inverted; with them, these
/// constants belong to the signal after the earlier steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoiConstants {
    /// Mean, in the units of the scanner.
    pub mean: Option<f64>,
    /// Standard deviation over n, in the units of the scanner.
    pub sd: Option<f64>,
    /// Slope of the line, in the units of the scanner per volume as acquired.
    pub slope_per_volume: Option<f64>,
}

/// The signals of one scan as acquired, with its confounds.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanSignals {
    /// `[roi][volume]`; missing values are NaN.
    pub values: Vec<f64>,
    /// ROIs.
    pub n_rois: usize,
    /// Seconds between volumes.
    pub tr_secs: f64,
    /// Head movement and other confounds, one row per volume.
    pub confounds: Option<ConfoundTable>,
    /// Volumes that another program has censored, one entry per volume; they are always censored.
    pub outliers: Option<Vec<bool>>,
}

impl ScanSignals {
    /// Signals of which nothing else is known; `values` are `[roi][volume]`.
    pub fn new(values: Vec<f64>, n_rois: usize, tr_secs: f64) -> Self {
        Self {
            values,
            n_rois,
            tr_secs,
            confounds: None,
            outliers: None,
        }
    }

    /// Volumes in the scan.
    pub fn n_volumes(&self) -> usize {
        self.values.len() / self.n_rois.max(1)
    }

    /// The signal of one ROI.
    ///
    /// # Panics
    /// When `roi` is not below [`n_rois`](Self::n_rois), as indexing a slice does.
    pub fn roi(&self, roi: usize) -> &[f64] {
        let n_volumes = self.n_volumes();
        &self.values[roi * n_volumes..(roi + 1) * n_volumes]
    }

    /// The same signals with nuisance signals.
    pub fn with_confounds(self, confounds: ConfoundTable) -> Self {
        Self {
            confounds: Some(confounds),
            ..self
        }
    }
}

/// The signals of one scan after cleaning.
#[derive(Clone, Debug, PartialEq)]
pub struct CleanedSignals {
    /// `[roi][volume]`, all finite.
    pub values: Vec<f64>,
    /// ROIs.
    pub n_rois: usize,
    /// Seconds between volumes.
    pub dt_secs: f64,
    /// By volume: whether it is uncensored, not interpolated.
    pub kept: Vec<bool>,
    /// Number of volumes dropped at the start; time 0 is that of the first volume after them.
    pub dropped_volumes: usize,
    /// Mean framewise displacement of the other volumes, censored ones included, where known.
    pub mean_fd_mm: Option<f64>,
    /// By ROI.
    pub constants: Vec<RoiConstants>,
}

impl CleanedSignals {
    /// Volumes, censored ones too.
    pub fn n_volumes(&self) -> usize {
        self.values.len() / self.n_rois.max(1)
    }

    /// The signal of one ROI.
    ///
    /// # Panics
    /// When `roi` is not below [`n_rois`](Self::n_rois), as indexing a slice does.
    pub fn roi(&self, roi: usize) -> &[f64] {
        let n_volumes = self.n_volumes();
        &self.values[roi * n_volumes..(roi + 1) * n_volumes]
    }

    /// As they are stored: a series with a volume every `tr_secs`, turned to `[volume][roi]`, and
    /// what was taken out of it.
    ///
    /// # Errors
    /// [`SignalError::BoldSeries`] for a `tr_secs` that is not above zero.
    pub fn into_series(self, tr_secs: f64) -> Result<(BoldSeries, Vec<RoiConstants>), SignalError> {
        let n_volumes = self.n_volumes();
        let mut values = Vec::with_capacity(self.values.len());
        for volume in 0..n_volumes {
            let of_volume = self.values[volume..].iter().step_by(n_volumes);
            values.extend(of_volume.map(|&value| value as f32));
        }
        let series = BoldSeries::new(values, self.n_rois, tr_secs)?.with_kept(self.kept)?;
        Ok((series, self.constants))
    }
}

/// Cleans the signals of a scan, ROI by ROI, in double precision.
///
/// The steps should pass [`check_steps`]. Otherwise the last step of each kind is used, in the same
/// order.
///
/// # Errors
/// Why the scan must be excluded.
pub fn clean_scan(input: ScanSignals, steps: &[CleaningStep]) -> Result<CleanedSignals, Unusable> {
    let plan = Plan::new(&input, steps)?;
    let n_rois = input.n_rois;
    let mut values = Vec::with_capacity(plan.kept.len() * n_rois);
    let mut constants = vec![RoiConstants::default(); n_rois];
    let mut unusable = UnusableRois::default();
    let mut buffers = Buffers::default();
    for (roi, constants) in constants.iter_mut().enumerate() {
        match plan.clean(input.roi(roi), &mut buffers) {
            Ok(found) => {
                *constants = found;
                values.extend_from_slice(&buffers.signal);
            }
            Err(Flaw::NotFinite) => unusable.not_finite.push(roi),
            Err(Flaw::Constant) => unusable.constant.push(roi),
        }
    }
    if unusable != UnusableRois::default() {
        return Err(Unusable::Rois(unusable));
    }
    Ok(CleanedSignals {
        values,
        n_rois,
        dt_secs: dt_after(steps, input.tr_secs),
        kept: plan.kept,
        dropped_volumes: plan.dropped,
        mean_fd_mm: plan.mean_fd_mm,
        constants,
    })
}

#[cfg(test)]
mod tests;
