//! Effects that are planted in a cohort, with their sizes.

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use crate::error::SimulateError;

/// Sizes of the planted effects. Signals are in percent of the mean; a network's time course has a
/// standard deviation of 1.
///
/// Networks are numbered in the order of their first ROI in the atlas. In Schaefer's seven, the
/// first two are visual and somatomotor, the last two control and default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlantedEffects {
    /// Number of hidden states of the brain.
    pub n_states: usize,
    /// Mean dwell time of a state, seconds.
    pub mean_dwell_secs: f64,
    /// Factor `exp(this)` of the dwell time in state 0, per standard deviation of the latent dwell.
    pub dwell_log_sd: f64,
    /// Correlation of the behaviour score with the latent dwell.
    pub behaviour_r: f64,
    /// Minimum and maximum gain of an ROI with respect to its network, by state.
    pub gain: [f64; 2],
    /// Increase of the mean of every ROI in one state, percent.
    pub activation: f64,
    /// Correlation of the last two networks at the middle of the age range.
    pub age_coupling: f64,
    /// Its change from the middle to the end of the age range.
    pub age_coupling_change: f64,
    /// Relative decrease of the last network at the end of the age range; it increases at the
    /// start.
    pub age_within_change: f64,
    /// Correlation of the first two networks, midway between the sexes.
    pub sex_coupling: f64,
    /// Increase of this correlation in men, and decrease in women.
    pub sex_coupling_change: f64,
    /// Standard deviation over ROIs of the response to a block.
    pub task_response: f64,
    /// Artefact per millimetre of framewise displacement, percent.
    pub motion_percent_per_mm: f64,
    /// Median over subjects of the mean framewise displacement.
    pub motion_fd_mm: f64,
    /// Standard deviation over ROIs of the slow drift from the start to the end of a scan.
    pub drift_sd: f64,
    /// Standard deviation over ROIs of the jumps at the seams of concatenated scans.
    pub seam_sd: f64,
    /// Standard deviation of the noise of an ROI, correlated over about 3 s.
    pub roi_noise_sd: f64,
    /// Standard deviation of the noise of a vertex or voxel, correlated over about 3 s.
    pub vertex_noise_sd: f64,
}

impl Default for PlantedEffects {
    fn default() -> Self {
        Self {
            n_states: 3,
            mean_dwell_secs: 20.0,
            dwell_log_sd: 0.5,
            behaviour_r: 0.8,
            gain: [0.6, 1.4],
            activation: 0.4,
            age_coupling: 0.35,
            age_coupling_change: 0.3,
            age_within_change: 0.3,
            sex_coupling: 0.3,
            sex_coupling_change: 0.3,
            task_response: 0.8,
            motion_percent_per_mm: 2.0,
            motion_fd_mm: 0.12,
            drift_sd: 0.5,
            seam_sd: 2.0,
            roi_noise_sd: 0.7,
            vertex_noise_sd: 1.5,
        }
    }
}

impl PlantedEffects {
    /// Checks that the sizes are valid.
    pub(super) fn check(&self) -> Result<(), SimulateError> {
        if !(1..=100).contains(&self.n_states) {
            return Err(SimulateError::config(
                "n_states",
                self.n_states,
                "from 1 to 100",
            ));
        }
        let [weakest, strongest] = self.gain;
        for (key, value, low, high) in [
            ("mean_dwell_secs", self.mean_dwell_secs, 2.0, 1e6),
            ("dwell_log_sd", self.dwell_log_sd, 0.0, 3.0),
            ("behaviour_r", self.behaviour_r, -1.0, 1.0),
            ("gain", weakest, 0.0, 100.0),
            ("gain", strongest, weakest, 100.0),
            ("activation", self.activation, 0.0, 100.0),
            ("age_coupling", self.age_coupling, -0.99, 0.99),
            ("age_coupling_change", self.age_coupling_change, -0.99, 0.99),
            ("age_within_change", self.age_within_change, -1.0, 1.0),
            ("sex_coupling", self.sex_coupling, -0.99, 0.99),
            ("sex_coupling_change", self.sex_coupling_change, -0.99, 0.99),
            ("task_response", self.task_response, 0.0, 100.0),
            (
                "motion_percent_per_mm",
                self.motion_percent_per_mm,
                0.0,
                100.0,
            ),
            ("motion_fd_mm", self.motion_fd_mm, 0.0, 10.0),
            ("drift_sd", self.drift_sd, 0.0, 100.0),
            ("seam_sd", self.seam_sd, 0.0, 100.0),
            ("roi_noise_sd", self.roi_noise_sd, 0.0, 100.0),
            ("vertex_noise_sd", self.vertex_noise_sd, 0.0, 100.0),
        ] {
            if !(low..=high).contains(&value) {
                return Err(SimulateError::config(
                    key,
                    value,
                    format!("from {low} to {high}"),
                ));
            }
        }
        for (key, middle, change) in [
            (
                "age_coupling_change",
                self.age_coupling,
                self.age_coupling_change,
            ),
            (
                "sex_coupling_change",
                self.sex_coupling,
                self.sex_coupling_change,
            ),
        ] {
            if middle.abs() + change.abs() >= 1.0 {
                return Err(SimulateError::config(
                    key,
                    change,
                    format!("correlations within -1 and 1, around {middle}"),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;

    #[test]
    fn sizes_that_cannot_be_are_named() {
        let usual = PlantedEffects::default();
        usual.check().unwrap();
        for (effects, words) in [
            (
                PlantedEffects {
                    age_coupling: 0.8,
                    ..usual.clone()
                },
                "age_coupling_change is 0.3",
            ),
            (
                PlantedEffects {
                    drift_sd: f64::NAN,
                    ..usual.clone()
                },
                "drift_sd is NaN",
            ),
            (
                PlantedEffects {
                    gain: [1.0, 0.5],
                    ..usual.clone()
                },
                "gain is 0.5",
            ),
            (
                PlantedEffects {
                    n_states: 0,
                    ..usual
                },
                "n_states is 0",
            ),
        ] {
            match effects.check() {
                Err(SimulateError::Config(InvalidField { field, found, .. })) => {
                    assert_eq!(format!("{field} is {found}"), words);
                }
                other => panic!("{words}: {other:?}"),
            }
        }
    }
}
