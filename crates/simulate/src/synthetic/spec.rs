//! Spec of planted data.

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use super::PlantedTargets;
use crate::error::SimulateError;

/// Age with the mean dwell time in state 0, and the years that change it by a factor of e, per unit
/// of `age_effect`.
const MIDDLE_AGE_YEARS: f64 = 50.0;
const AGE_SCALE_YEARS: f64 = 30.0;

/// Signs of the gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signs {
    /// All gains are positive: states differ only in strength.
    Positive,
    /// Each sign is random, with equal probabilities.
    Random,
    /// ROI `i` of a network has the Walsh pattern `i`: two ROIs with different patterns have equal
    /// signs in half of the states and opposite signs in the others, so that they are uncorrelated
    /// over all states. The number of states must be a power of two.
    Walsh,
}

/// Spec of planted data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlantedSpec {
    /// Name of the data set.
    pub name: String,
    /// Seed of all draws.
    pub seed: u64,
    /// Number of people.
    pub n_subjects: usize,
    /// Subjects per family; they have similar ages.
    pub family_size: usize,
    /// Number of scans per subject.
    pub scans_per_subject: usize,
    /// Number of networks, each with its own time course.
    pub n_networks: usize,
    /// Number of ROIs per network.
    pub rois_per_network: usize,
    /// Number of states of the brain.
    pub n_states: usize,
    /// Mean dwell time of a state, seconds.
    pub mean_dwell_secs: f64,
    /// Seconds between volumes.
    pub dt_secs: f64,
    /// Volumes in a scan.
    pub n_volumes: usize,
    /// Correlation of a network's time course between consecutive volumes.
    pub ar1: f64,
    /// Standard deviation of the noise of an ROI; that of a time course is 1.
    pub noise_sd: f64,
    /// Signs of the gains, by ROI and state.
    pub signs: Signs,
    /// Minimum gain.
    pub strength_low: f64,
    /// Maximum gain.
    pub strength_high: f64,
    /// Mean activation: the increase of every ROI in one state. It decreases in the others, so that
    /// its mean over states is zero.
    pub activation: f64,
    /// Interval of possible state switches, seconds; with 0, a switch is possible at any volume.
    pub switch_every_secs: f64,
    /// Effect of age: with 1, thirty years increase the dwell time of state 0 by a factor of e;
    /// with 0, age has no effect.
    pub age_effect: f64,
    /// Targets with known answers. The states then follow one another in a fixed cycle, at an
    /// individual pace of each subject: `mean_dwell_secs` is not used, and `ar1`, `age_effect` and
    /// `switch_every_secs` must be 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<PlantedTargets>,
}

impl Default for PlantedSpec {
    fn default() -> Self {
        Self {
            name: "planted".into(),
            seed: 0,
            n_subjects: 32,
            family_size: 2,
            scans_per_subject: 2,
            n_networks: 5,
            rois_per_network: 8,
            n_states: 3,
            mean_dwell_secs: 45.0,
            dt_secs: 1.5,
            n_volumes: 400,
            ar1: 0.9,
            noise_sd: 0.5,
            signs: Signs::Random,
            strength_low: 0.5,
            strength_high: 1.5,
            activation: 0.0,
            switch_every_secs: 0.0,
            age_effect: 0.7,
            targets: None,
        }
    }
}

impl PlantedSpec {
    /// Three networks of eight ROIs in two states of a minute each: few enough signals for a small
    /// model to learn them in a minute.
    pub fn small() -> Self {
        Self {
            n_networks: 3,
            rois_per_network: 8,
            n_states: 2,
            mean_dwell_secs: 60.0,
            dt_secs: 3.0,
            n_volumes: 60,
            ar1: 0.6,
            noise_sd: 0.4,
            strength_low: 0.8,
            strength_high: 1.2,
            signs: Signs::Positive,
            ..Self::default()
        }
    }

    /// Number of ROIs in all networks.
    pub fn n_rois(&self) -> usize {
        self.n_networks * self.rois_per_network
    }

    /// Index of the network of an ROI; the ROIs of a network are consecutive.
    pub fn network_of(&self, roi: usize) -> usize {
        roi / self.rois_per_network
    }

    /// Volumes between possible state switches.
    pub(super) fn switch_every_volumes(&self) -> usize {
        ((self.switch_every_secs / self.dt_secs).round() as usize).max(1)
    }

    /// Mean dwell time, seconds, of state 0 and of every other state, at this age.
    pub(super) fn dwells_secs(&self, age_years: f64) -> [f64; 2] {
        let factor = (self.age_effect * (age_years - MIDDLE_AGE_YEARS) / AGE_SCALE_YEARS).exp();
        [
            (self.mean_dwell_secs * factor).max(self.dt_secs),
            self.mean_dwell_secs,
        ]
    }

    /// Checks that the spec is valid.
    pub(super) fn check(&self) -> Result<(), SimulateError> {
        for (key, count) in [
            ("n_subjects", self.n_subjects),
            ("family_size", self.family_size),
            ("scans_per_subject", self.scans_per_subject),
            ("n_networks", self.n_networks),
            ("rois_per_network", self.rois_per_network),
            ("n_states", self.n_states),
            ("n_volumes", self.n_volumes),
        ] {
            if count == 0 {
                return Err(SimulateError::config(key, count, "at least 1"));
            }
        }
        if self.signs == Signs::Walsh && !self.n_states.is_power_of_two() {
            return Err(SimulateError::config(
                "n_states",
                self.n_states,
                "a power of two, for signs = \"walsh\"",
            ));
        }
        let range = |key: &'static str, value: f64, low: f64, high: f64| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(SimulateError::config(
                    key,
                    value,
                    format!("from {low} to {high}"),
                ))
            }
        };
        range("dt_secs", self.dt_secs, 0.01, 100.0)?;
        range("mean_dwell_secs", self.mean_dwell_secs, self.dt_secs, 1e6)?;
        range("ar1", self.ar1, 0.0, 0.9999)?;
        range("noise_sd", self.noise_sd, 0.0, 1e6)?;
        range("activation", self.activation, 0.0, 1e6)?;
        range(
            "switch_every_secs",
            self.switch_every_secs,
            0.0,
            self.mean_dwell_secs,
        )?;
        range("strength_low", self.strength_low, 0.0, 1e6)?;
        range("strength_high", self.strength_high, self.strength_low, 1e6)?;
        range("age_effect", self.age_effect, -10.0, 10.0)?;
        match &self.targets {
            Some(targets) => targets.check(self),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;

    #[test]
    fn thirty_years_lengthen_the_stay_by_e() {
        let spec = PlantedSpec {
            age_effect: 1.0,
            mean_dwell_secs: 10.0,
            ..PlantedSpec::default()
        };
        assert_eq!(spec.dwells_secs(50.0), [10.0, 10.0]);
        assert!((spec.dwells_secs(80.0)[0] - 27.182_818).abs() < 1e-4);
    }

    #[test]
    fn numbers_that_cannot_be_are_named() {
        PlantedSpec::default().check().unwrap();
        for (spec, key) in [
            (
                PlantedSpec {
                    n_states: 0,
                    ..PlantedSpec::default()
                },
                "n_states",
            ),
            (
                PlantedSpec {
                    ar1: 1.0,
                    ..PlantedSpec::default()
                },
                "ar1",
            ),
            (
                PlantedSpec {
                    noise_sd: f64::NAN,
                    ..PlantedSpec::default()
                },
                "noise_sd",
            ),
            (
                PlantedSpec {
                    strength_high: 0.1,
                    ..PlantedSpec::default()
                },
                "strength_high",
            ),
        ] {
            match spec.check() {
                Err(SimulateError::Config(InvalidField { field, .. })) => assert_eq!(field, key),
                other => panic!("{key}: {other:?}"),
            }
        }
        let unknown = toml::from_str::<PlantedSpec>("n_subject = 3").unwrap_err();
        assert!(unknown.message().contains("unknown field `n_subject`"));
    }
}
