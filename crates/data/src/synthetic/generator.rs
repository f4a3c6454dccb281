//! The draws behind planted data: gains, ages, states and signals.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::PlantedSpec;

/// Ages of families.
const AGES_YEARS: RangeInclusive<f64> = 20.0..=80.0;

/// How far siblings are apart from the age of their family.
const SIBLINGS_YEARS: RangeInclusive<f64> = -3.0..=3.0;

/// How each ROI follows its network in each state, the same for all people.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gains {
    pub n_rois: usize,
    /// `[state][roi]`.
    pub values: Vec<f64>,
}

impl Gains {
    pub fn draw(spec: &PlantedSpec, rng: &mut dyn Rng) -> Self {
        let values = (0..spec.n_states * spec.n_rois())
            .map(|_| {
                let strength = rng.random_range(spec.strength_low..=spec.strength_high);
                if rng.random_bool(spec.flip_probability) {
                    -strength
                } else {
                    strength
                }
            })
            .collect();
        Self {
            n_rois: spec.n_rois(),
            values,
        }
    }

    fn of_state(&self, state: usize) -> &[f64] {
        &self.values[state * self.n_rois..(state + 1) * self.n_rois]
    }
}

/// One age per subject; siblings are of about one age, so that a leak between them would show.
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
    /// `[volume][roi]`.
    pub values: Vec<f64>,
    /// The state of each volume.
    pub states: Vec<usize>,
}

/// Draws a scan; `dwells_secs` are the mean stays in state 0 and in any other.
pub(super) fn draw_scan(
    spec: &PlantedSpec,
    gains: &Gains,
    dwells_secs: [f64; 2],
    rng: &mut dyn Rng,
) -> DrawnScan {
    let states = draw_states(spec, dwells_secs, rng);
    let fresh = (1.0 - spec.ar1 * spec.ar1).sqrt();
    let mut courses: Vec<f64> = (0..spec.n_networks)
        .map(|_| rng.sample(StandardNormal))
        .collect();
    let mut values = Vec::with_capacity(spec.n_volumes * spec.n_rois());
    for (volume, &state) in states.iter().enumerate() {
        if volume > 0 {
            for course in &mut courses {
                let noise: f64 = rng.sample(StandardNormal);
                *course = spec.ar1 * *course + fresh * noise;
            }
        }
        for (roi, gain) in gains.of_state(state).iter().enumerate() {
            let noise: f64 = rng.sample(StandardNormal);
            values.push(gain * courses[spec.network_of(roi)] + spec.noise_sd * noise);
        }
    }
    DrawnScan { values, states }
}

/// A Markov chain: in each volume the state is left with probability `dt_secs / dwell`, for any of
/// the others alike.
fn draw_states(spec: &PlantedSpec, dwells_secs: [f64; 2], rng: &mut dyn Rng) -> Vec<usize> {
    let mut state = rng.random_range(0..spec.n_states);
    (0..spec.n_volumes)
        .map(|volume| {
            let leave = spec.dt_secs / dwells_secs[usize::from(state > 0)];
            if volume > 0 && spec.n_states > 1 && rng.random_bool(leave.min(1.0)) {
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
        // Some 500 and 1000 stays: standard errors of 1.8 and 0.6 s.
        assert!((stays(&|state| state == 0) - 40.0).abs() < 6.0);
        assert!((stays(&|state| state > 0) - 20.0).abs() < 2.5);
        // In the long run 40 of 40 + 20 + 20 s.
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
        let drawn = draw_scan(&spec, &gains, [20.0, 20.0], &mut rng());
        for (volume, state) in drawn.states.iter().enumerate() {
            let row = &drawn.values[volume * spec.n_rois()..][..spec.n_rois()];
            let gain = gains.of_state(*state);
            for roi in 0..spec.n_rois() {
                let first = spec.network_of(roi) * spec.rois_per_network;
                assert!((row[roi] / gain[roi] - row[first] / gain[first]).abs() < 1e-9);
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
            flip_probability: 0.0,
            ..spec()
        };
        let gains = Gains::draw(&spec, &mut rng());
        let x = draw_scan(&spec, &gains, [20.0, 20.0], &mut rng()).values;
        let n = x.len() as f64;
        let variance = x.iter().map(|value| value * value).sum::<f64>() / n;
        let lagged = x.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n;
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
        assert!((lagged / variance - 0.9).abs() < 0.02);
    }

    #[test]
    fn gains_flip_as_often_as_asked_for() {
        let spec = PlantedSpec {
            rois_per_network: 400,
            flip_probability: 0.25,
            ..spec()
        };
        let gains = Gains::draw(&spec, &mut rng());
        let flipped = gains.values.iter().filter(|gain| **gain < 0.0).count() as f64;
        assert!((flipped / gains.values.len() as f64 - 0.25).abs() < 0.03);
        let strengths = spec.strength_low..=spec.strength_high;
        assert!(
            gains
                .values
                .iter()
                .all(|gain| strengths.contains(&gain.abs()))
        );
    }

    #[test]
    fn siblings_are_of_about_one_age() {
        let ages = draw_ages(&spec(), &mut rng());
        assert!(ages.chunks(2).all(|pair| (pair[0] - pair[1]).abs() <= 6.0));
        assert!(ages.iter().all(|age| (17.0..=83.0).contains(age)));
    }
}
