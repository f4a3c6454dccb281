//! Brains of a cohort: networks, states and responses, and the signals made from them.
//!
//! ```text
//! x_r(t) = w(age) · gain[state(t), r] · a_network(r)(t) + activation[state(t), r]
//!          + Σ_blocks response[condition, r] · h_block(t) + roi_noise_sd · ε_r(t)
//! ```
//!
//! Values are percent of the mean. The time courses `a` and the noise `ε` are autoregressive of
//! order 1 with variance 1. The correlation of the first two networks depends on sex, that of the
//! last two on age. `w` is 1 except for the last network, where it depends on age. The dwell time
//! of state 0 is long in people with a high latent dwell. The files contain these signals with head
//! movement and drift added.

#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeMap;

use rand::Rng;

use super::motion::Motion;
use super::person::{Person, Sex, normal};
use super::spec::{CohortLayout, CohortSpec};
use super::task_design::Block;
use crate::error::{NetworkProblem, SimulateError};
use crate::synthetic::generator::{Gains, draw_states};
use crate::synthetic::{PlantedSpec, Signs};
use brainmae_atlas::Atlas;

/// Time constant of a network's time course, and of noise: the correlation falls by a factor of e.
const COURSE_SECS: f64 = 7.0;
const NOISE_SECS: f64 = 3.0;

/// Standard deviation of an ROI's response around the common response of its network.
const OWN_RESPONSE: f64 = 0.5;

/// Standard deviation over ROIs of the effect of head movement; the mean is 1.
const ARTEFACT_SD: f64 = 0.3;

/// Share of movement artefacts that remains after XCP-D.
const LEFT_BY_XCPD: f64 = 0.3;

/// Minimum number of networks: the planted couplings need two pairs.
const FEWEST_NETWORKS: usize = 4;

/// The common part of all brains of a cohort.
pub(super) struct Brain<'a> {
    spec: &'a CohortSpec,
    /// Network names, in the order of their first ROI in the atlas.
    pub networks: Vec<String>,
    /// Index of the network, by ROI.
    pub network_of: Vec<usize>,
    pub gains: Gains,
    /// Effect of head movement, by ROI.
    pub artefacts: Vec<f64>,
    /// Responses by task and response name, then by ROI.
    pub responses: BTreeMap<(String, String), Vec<f64>>,
}

/// Interval of a scan in one state.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stay {
    pub state: usize,
    pub onset_secs: f64,
    pub duration_secs: f64,
}

/// The signals of one scan, in percent of the mean.
#[derive(Debug, Default)]
pub(super) struct DrawnScan {
    /// `[roi][volume]`, the signal without artefacts.
    pub clean: Vec<Vec<f64>>,
    /// `[label][volume]`, the signal with head movement and drift. Label 0 has no ROI.
    pub written: Vec<Vec<f64>>,
    pub stays: Vec<Stay>,
    pub motion: Motion,
}

impl DrawnScan {
    /// Volumes in the scan.
    pub fn n_volumes(&self) -> usize {
        self.motion.positions.len()
    }
}

/// Settings of a scan to draw.
pub(super) struct ScanRequest<'a> {
    pub person: &'a Person,
    pub task: &'a str,
    /// Volumes of each concatenated run; a single number for most scans.
    pub part_volumes: &'a [usize],
    pub blocks: &'a [Block],
    /// Head movement, as a multiple of the person's.
    pub motion_times: f64,
}

impl<'a> Brain<'a> {
    /// Draws the common part; `rng` returns the stream of a name.
    pub fn draw(
        spec: &'a CohortSpec,
        atlas: &Atlas,
        rng: &dyn Fn(&str) -> Box<dyn Rng>,
    ) -> Result<Self, SimulateError> {
        let mut networks: Vec<String> = Vec::new();
        let mut network_of = Vec::with_capacity(atlas.n_rois());
        for roi in &atlas.rois {
            let Some(network) = &roi.network else {
                let roi = roi.name.clone();
                return Err(refuse_atlas(atlas, NetworkProblem::None { roi }));
            };
            let known = networks.iter().position(|name| name == network);
            network_of.push(known.unwrap_or(networks.len()));
            if known.is_none() {
                networks.push(network.clone());
            }
        }
        if networks.len() < FEWEST_NETWORKS {
            let found = networks.len();
            return Err(refuse_atlas(atlas, NetworkProblem::TooFew { found }));
        }
        let effects = &spec.effects;
        let gains_spec = PlantedSpec {
            n_networks: 1,
            rois_per_network: atlas.n_rois(),
            n_states: effects.n_states,
            signs: Signs::Positive,
            strength_low: effects.gain[0],
            strength_high: effects.gain[1],
            activation: effects.activation,
            ..PlantedSpec::default()
        };
        let gains = Gains::draw(&gains_spec, &mut *rng("gains"));
        let artefact_rng = &mut *rng("artefacts");
        let artefacts = (0..atlas.n_rois())
            .map(|_| 1.0 + ARTEFACT_SD * normal(artefact_rng))
            .collect();
        Ok(Self {
            spec,
            networks,
            network_of,
            gains,
            artefacts,
            responses: BTreeMap::new(),
        })
    }

    /// Draws the responses to `blocks` of `task` that have not been drawn yet.
    pub fn learn_responses(
        &mut self,
        task: &str,
        blocks: &[Block],
        rng: &dyn Fn(&str) -> Box<dyn Rng>,
    ) {
        let norm = (1.0 + OWN_RESPONSE * OWN_RESPONSE).sqrt() / self.spec.effects.task_response;
        for block in blocks {
            let key = (task.to_owned(), block.response.clone());
            self.responses.entry(key).or_insert_with(|| {
                let rng = &mut *rng(&format!("response/{task}/{}", block.response));
                let of_network: Vec<f64> = self.networks.iter().map(|_| normal(rng)).collect();
                (self.network_of.iter())
                    .map(|network| (of_network[*network] + OWN_RESPONSE * normal(rng)) / norm)
                    .collect()
            });
        }
    }

    /// Draws a scan; `rng` returns the stream of a name within the scan.
    pub fn draw_scan(
        &self,
        request: &ScanRequest<'_>,
        rng: &dyn Fn(&str) -> Box<dyn Rng>,
    ) -> DrawnScan {
        let n_rois = self.network_of.len();
        let mut scan = DrawnScan {
            clean: vec![Vec::new(); n_rois],
            written: vec![Vec::new(); n_rois + 1],
            ..DrawnScan::default()
        };
        let fd_mm =
            self.spec.effects.motion_fd_mm * request.person.motion_times() * request.motion_times;
        let (signal_rng, motion_rng) = (&mut *rng("signal"), &mut *rng("motion"));
        let drift_rng = &mut *rng("drift");
        for &n_volumes in request.part_volumes {
            let start = scan.n_volumes();
            self.draw_part(request, n_volumes, start, &mut scan, signal_rng);
            scan.motion
                .append(Motion::draw(n_volumes, fd_mm, motion_rng));
        }
        self.disturb(&mut scan, request.part_volumes, drift_rng);
        scan
    }

    /// Draws states and signals of one of the concatenated runs.
    fn draw_part(
        &self,
        request: &ScanRequest<'_>,
        n_volumes: usize,
        start: usize,
        scan: &mut DrawnScan,
        rng: &mut dyn Rng,
    ) {
        let effects = &self.spec.effects;
        let tr_secs = self.spec.layout.tr_secs();
        let person = request.person;
        let states_spec = PlantedSpec {
            n_states: effects.n_states,
            dt_secs: tr_secs,
            n_volumes,
            switch_every_secs: 0.0,
            ..PlantedSpec::default()
        };
        let in_0 = effects.mean_dwell_secs * (effects.dwell_log_sd * person.dwell).exp();
        let dwells_secs = [in_0.max(tr_secs), effects.mean_dwell_secs];
        let states = draw_states(&states_spec, dwells_secs, rng);
        let mut volume = start;
        for stay in states.chunk_by(|a, b| a == b) {
            scan.stays.push(Stay {
                state: stay[0],
                onset_secs: volume as f64 * tr_secs,
                duration_secs: stay.len() as f64 * tr_secs,
            });
            volume += stay.len();
        }

        let relative_age = person.relative_age(self.spec.layout);
        let ages = effects.age_coupling + effects.age_coupling_change * relative_age;
        let sexes = effects.sex_coupling
            + effects.sex_coupling_change
                * match person.sex {
                    Sex::Female => -1.0,
                    Sex::Male => 1.0,
                };
        let last = self.networks.len() - 1;
        let ageing_gain = 1.0 - effects.age_within_change * relative_age;

        let mut courses = Ar1::new(COURSE_SECS, tr_secs, self.networks.len(), rng);
        let mut noise = Ar1::new(NOISE_SECS, tr_secs, self.network_of.len(), rng);
        let mut course = courses.values.clone();
        let mut evoked = vec![0.0; self.network_of.len()];
        let responses: Vec<(&Block, &[f64])> = (request.blocks.iter())
            .map(|block| {
                let key = (request.task.to_owned(), block.response.clone());
                (block, self.responses[&key].as_slice())
            })
            .collect();
        for (volume, &state) in states.iter().enumerate() {
            if volume > 0 {
                courses.step(rng);
                noise.step(rng);
            }
            course.copy_from_slice(&courses.values);
            course[1] = correlate(course[0], course[1], sexes);
            course[last] = correlate(course[last - 1], course[last], ages);
            evoke(&responses, volume as f64 * tr_secs, &mut evoked);
            for (roi, (gain, activation)) in self.gains.of_state(state).enumerate() {
                let network = self.network_of[roi];
                let own = if network == last { ageing_gain } else { 1.0 };
                scan.clean[roi].push(
                    own * gain * course[network]
                        + activation
                        + evoked[roi]
                        + effects.roi_noise_sd * noise.values[roi],
                );
            }
        }
    }

    /// Adds artefacts of head movement and scanner.
    fn disturb(&self, scan: &mut DrawnScan, part_volumes: &[usize], rng: &mut dyn Rng) {
        let effects = &self.spec.effects;
        let (left, drift_sd) = match self.spec.layout {
            CohortLayout::Xcpd => (LEFT_BY_XCPD, 0.0),
            _ => (1.0, effects.drift_sd),
        };
        let n_volumes = scan.n_volumes();
        for (label, written) in scan.written.iter_mut().enumerate() {
            let roi = label.checked_sub(1);
            let artefact = roi.map_or(1.0, |roi| self.artefacts[roi]);
            let per_mm = left * effects.motion_percent_per_mm * artefact;
            let drift = drift_sd * normal(rng);
            written.reserve_exact(n_volumes);
            for (part, &part_len) in part_volumes.iter().enumerate() {
                // Jumps of the other parts are relative to the first part.
                let jump = match part {
                    0 => 0.0,
                    _ => effects.seam_sd * normal(rng),
                };
                for _ in 0..part_len {
                    let volume = written.len();
                    let time = volume as f64 / n_volumes as f64 - 0.5;
                    let clean = roi.map_or(0.0, |roi| scan.clean[roi][volume]);
                    let moved = per_mm * scan.motion.fd_mm[volume];
                    written.push(clean + moved + drift * time + jump);
                }
            }
        }
    }
}

/// Writes the sum of all responses at a time, by ROI.
fn evoke(responses: &[(&Block, &[f64])], time_secs: f64, evoked: &mut [f64]) {
    evoked.fill(0.0);
    for (block, response) in responses {
        if (block.onset_secs..block.over_secs()).contains(&time_secs) {
            let height = block.response_at(time_secs);
            for (sum, response) in evoked.iter_mut().zip(*response) {
                *sum += height * response;
            }
        }
    }
}

/// The correlation of noise in consecutive volumes.
pub(super) fn noise_ar1(tr_secs: f64) -> f64 {
    (-tr_secs / NOISE_SECS).exp()
}

/// A mixture of `second` with `first` that has this correlation with `first` and variance 1.
fn correlate(first: f64, second: f64, correlation: f64) -> f64 {
    correlation * first + (1.0 - correlation * correlation).sqrt() * second
}

fn refuse_atlas(atlas: &Atlas, problem: NetworkProblem) -> SimulateError {
    SimulateError::Networks {
        atlas: atlas.name.clone(),
        problem,
        fewest: FEWEST_NETWORKS,
    }
}

/// Independent autoregressive time courses of order 1 and variance 1.
struct Ar1 {
    ar1: f64,
    values: Vec<f64>,
}

impl Ar1 {
    fn new(forget_secs: f64, tr_secs: f64, n: usize, rng: &mut dyn Rng) -> Self {
        Self {
            ar1: (-tr_secs / forget_secs).exp(),
            values: (0..n).map(|_| normal(rng)).collect(),
        }
    }

    fn step(&mut self, rng: &mut dyn Rng) {
        let fresh = (1.0 - self.ar1 * self.ar1).sqrt();
        for value in &mut self.values {
            *value = self.ar1 * *value + fresh * normal(rng);
        }
    }
}
