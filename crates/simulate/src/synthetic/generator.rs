//! Draws of planted data: gains, ages, states and signals.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::{PlantedSpec, Signs};

/// Range of the families' ages.
const AGES_YEARS: RangeInclusive<f64> = 20.0..=80.0;

/// Range of siblings' age differences from their family, years.
const SIBLINGS_YEARS: RangeInclusive<f64> = -3.0..=3.0;

/// Effect of a state on each ROI, the same for all people; both `[state][roi]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gains {
    pub n_rois: usize,
    /// Gain of an ROI with respect to its network.
    pub values: Vec<f64>,
    /// Mean activation of an ROI.
    pub activations: Vec<f64>,
}

impl Gains {
    pub fn draw(spec: &PlantedSpec, rng: &mut dyn Rng) -> Self {
        let (n_rois, n_states) = (spec.n_rois(), spec.n_states);
        let mut values = Vec::with_capacity(n_states * n_rois);
        for state in 0..n_states {
            for roi in 0..n_rois {
                let strength = rng.random_range(spec.strength_low..=spec.strength_high);
                let up = match spec.signs {
                    Signs::Positive => true,
                    Signs::Random => rng.random_bool(0.5),
                    Signs::Walsh => (state & (roi % spec.rois_per_network))
                        .count_ones()
                        .is_multiple_of(2),
                };
                values.push(if up { strength } else { -strength });
            }
        }
        let down = -spec.activation / (n_states.max(2) - 1) as f64;
        let mut activations = vec![down; n_states * n_rois];
        for roi in 0..n_rois {
            activations[rng.random_range(0..n_states) * n_rois + roi] = spec.activation;
        }
        Self {
            n_rois,
            values,
            activations,
        }
    }

    /// Gain and activation of each ROI in a state.
    pub fn of_state(&self, state: usize) -> impl Iterator<Item = (&f64, &f64)> {
        let rois = state * self.n_rois..(state + 1) * self.n_rois;
        self.values[rois.clone()]
            .iter()
            .zip(&self.activations[rois])
    }
}

/// One age per subject. Siblings have similar ages, which makes a leak between them visible.
pub(super) fn draw_ages(spec: &PlantedSpec, rng: &mut dyn Rng) -> Vec<f64> {
    let mut family_age = 0.0;
    (0..spec.n_subjects)
        .map(|number| {
            if number % spec.family_size == 0 {
                family_age = rng.random_range(AGES_YEARS);
            }
            family_age + rng.random_range(SIBLINGS_YEARS)
        })
        .collect()
}

/// A scan before cleaning.
pub(super) struct DrawnScan {
    /// `[roi][volume]`.
    pub values: Vec<f64>,
    /// The state of each volume.
    pub states: Vec<usize>,
}

/// Draws a scan with these states, one per volume.
pub(super) fn draw_scan(
    spec: &PlantedSpec,
    gains: &Gains,
    states: Vec<usize>,
    rng: &mut dyn Rng,
) -> DrawnScan {
    let fresh = (1.0 - spec.ar1 * spec.ar1).sqrt();
    let mut courses: Vec<f64> = (0..spec.n_networks)
        .map(|_| rng.sample(StandardNormal))
        .collect();
    let n_volumes = states.len();
    let mut values = vec![0.0; spec.n_rois() * n_volumes];
    for (volume, &state) in states.iter().enumerate() {
        if volume > 0 {
            for course in &mut courses {
                let noise: f64 = rng.sample(StandardNormal);
                *course = spec.ar1 * *course + fresh * noise;
            }
        }
        for (roi, (gain, activation)) in gains.of_state(state).enumerate() {
            let noise: f64 = rng.sample(StandardNormal);
            let course = courses[spec.network_of(roi)];
            values[roi * n_volumes + volume] = gain * course + activation + spec.noise_sd * noise;
        }
    }
    DrawnScan { values, states }
}

/// A Markov chain. Each time that the state may switch, it does so with the probability of the
/// switch interval divided by the mean dwell time; the other states are equally probable.
pub(crate) fn draw_states(
    spec: &PlantedSpec,
    dwells_secs: [f64; 2],
    rng: &mut dyn Rng,
) -> Vec<usize> {
    let mut state = rng.random_range(0..spec.n_states);
    let every = spec.switch_every_volumes();
    (0..spec.n_volumes)
        .map(|volume| {
            let leave = every as f64 * spec.dt_secs / dwells_secs[usize::from(state > 0)];
            let may_switch = volume > 0 && volume % every == 0;
            if may_switch && spec.n_states > 1 && rng.random_bool(leave.min(1.0)) {
                let step = rng.random_range(1..spec.n_states);
                state = (state + step) % spec.n_states;
            }
            state
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(5)
    }

    fn spec() -> PlantedSpec {
        PlantedSpec {
            n_volumes: 40_000,
            dt_secs: 1.0,
            mean_dwell_secs: 20.0,
            ..PlantedSpec::default()
        }
    }

    #[test]
    fn states_last_as_long_as_asked_for() {
        let states = draw_states(&spec(), [40.0, 20.0], &mut rng());
        let stays = |wanted: &dyn Fn(usize) -> bool| {
            let lengths: Vec<usize> = states
                .chunk_by(|a, b| a == b)
                .filter(|stay| wanted(stay[0]))
                .map(<[usize]>::len)
                .collect();
            lengths.iter().sum::<usize>() as f64 / lengths.len() as f64
        };
        // About 500 and 1000 intervals: standard errors of 1.8 and 0.6 s.
        assert!((stays(&|state| state == 0) - 40.0).abs() < 6.0);
        assert!((stays(&|state| state > 0) - 20.0).abs() < 2.5);
        // The expected share is 40 of 40 + 20 + 20 s.
        let in_0 = states.iter().filter(|state| **state == 0).count() as f64 / 40_000.0;
        assert!((in_0 - 0.5).abs() < 0.06, "{in_0}");
    }

    #[test]
    fn without_noise_an_roi_is_its_network_times_its_gain() {
        let spec = PlantedSpec {
            noise_sd: 0.0,
            n_volumes: 500,
            ..spec()
        };
        let gains = Gains::draw(&spec, &mut rng());
        let states = draw_states(&spec, [20.0, 20.0], &mut rng());
        let drawn = draw_scan(&spec, &gains, states, &mut rng());
        for (volume, state) in drawn.states.iter().enumerate() {
            let value = |roi: usize| drawn.values[roi * spec.n_volumes + volume];
            let gain: Vec<&f64> = gains.of_state(*state).map(|(gain, _)| gain).collect();
            for roi in 0..spec.n_rois() {
                let first = spec.network_of(roi) * spec.rois_per_network;
                assert!((value(roi) / gain[roi] - value(first) / gain[first]).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_time_course_has_unit_variance_and_the_correlation_asked_for() {
        let spec = PlantedSpec {
            noise_sd: 0.0,
            n_states: 1,
            n_networks: 1,
            rois_per_network: 1,
            strength_low: 1.0,
            strength_high: 1.0,
            signs: Signs::Positive,
            ..spec()
        };
        let gains = Gains::draw(&spec, &mut rng());
        let x = draw_scan(&spec, &gains, vec![0; spec.n_volumes], &mut rng()).values;
        let n = x.len() as f64;
        let variance = x.iter().map(|value| value * value).sum::<f64>() / n;
        let lagged = x.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n;
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
        assert!((lagged / variance - 0.9).abs() < 0.02);
    }

    #[test]
    fn random_gains_flip_half_of_the_time() {
        let spec = PlantedSpec {
            rois_per_network: 400,
            signs: Signs::Random,
            ..spec()
        };
        let gains = Gains::draw(&spec, &mut rng());
        let flipped = gains.values.iter().filter(|gain| **gain < 0.0).count() as f64;
        assert!((flipped / gains.values.len() as f64 - 0.5).abs() < 0.03);
        let strengths = spec.strength_low..=spec.strength_high;
        let within = |gain: &f64| strengths.contains(&gain.abs());
        assert!(gains.values.iter().all(within));
    }

    #[test]
    fn over_all_states_walsh_patterns_do_not_agree() {
        let spec = PlantedSpec {
            n_states: 4,
            n_networks: 1,
            rois_per_network: 5,
            strength_low: 1.0,
            strength_high: 1.0,
            signs: Signs::Walsh,
            ..spec()
        };
        let gains = Gains::draw(&spec, &mut rng());
        let agree = |a: usize, b: usize| -> f64 {
            gains
                .values
                .chunks(5)
                .map(|state| state[a] * state[b])
                .sum()
        };
        for (a, b) in [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)] {
            assert_eq!(agree(a, b), 0.0);
        }
        // The fifth ROI has the same pattern as the first one.
        assert_eq!(agree(0, 4), 4.0);
    }

    #[test]
    fn every_roi_is_up_in_one_state_and_zero_on_average() {
        let spec = PlantedSpec {
            activation: 0.9,
            n_states: 4,
            ..spec()
        };
        let gains = Gains::draw(&spec, &mut rng());
        for roi in 0..gains.n_rois {
            let states = gains
                .activations
                .chunks(gains.n_rois)
                .map(|state| state[roi]);
            assert!(states.clone().sum::<f64>().abs() < 1e-12);
            assert_eq!(states.filter(|a| *a == 0.9).count(), 1);
        }
    }

    #[test]
    fn states_switch_where_they_may() {
        let spec = PlantedSpec {
            switch_every_secs: 15.0,
            ..spec()
        };
        let states = draw_states(&spec, [20.0, 20.0], &mut rng());
        let switches: Vec<usize> = (1..states.len())
            .filter(|&v| states[v] != states[v - 1])
            .collect();
        assert!(switches.len() > 1000);
        assert!(switches.iter().all(|volume| volume % 15 == 0));
    }

    #[test]
    fn siblings_are_of_about_one_age() {
        let ages = draw_ages(&spec(), &mut rng());
        assert!(ages.chunks(2).all(|pair| (pair[0] - pair[1]).abs() <= 6.0));
        assert!(ages.iter().all(|age| (17.0..=83.0).contains(age)));
    }
}
