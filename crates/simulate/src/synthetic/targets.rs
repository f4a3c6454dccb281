//! Targets with known answers: one depends on functional connectivity, one does not, and two depend
//! on no signal.
//!
//! Columns of `subjects.parquet`, `ε` standard normal:
//!
//! ```text
//! fc_score    = √fc_r2 · s(w · z) + √(1 − fc_r2) · ε
//! dwell_score = s(ln stay_secs)
//! null_score  = ε
//! null_class  = heads or tails
//!
//! s: standardised over subjects      z: atanh of all correlations of the subject's scans
//! w: the same for all subjects       stay_secs: how long a state lasts on average in this subject
//! ```
//!
//! The best possible prediction of `fc_score`, with one scan per subject, has R² = `fc_r2`; a
//! linear model of FC can reach it.
//!
//! For `dwell_score`, states follow one another in a fixed cycle, and every scan has equally many
//! volumes of each state. Given the states, volumes are independent (`ar1 = 0`). Without their
//! order, the volumes of a subject who switches fast have the same distribution as those of a
//! subject who switches slowly. So methods that ignore the order (correlations, means, a network of
//! single volumes) cannot predict it.
//!
//! The length of a single stay is random: geometric with the subject's mean, given that all stays
//! in a state together fill its share of the scan. With stays of one length, the signals would be
//! periodic, and the place of a peak of their autocorrelation would be the answer.

use brainmae_files::CommonErrors as _;
use rand::seq::index;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::PlantedSpec;
use crate::error::SimulateError;
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::fc::{exact_fisher_z, standardised};

/// Settings of the targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlantedTargets {
    /// Share of the variance of `fc_score` that is linear in FC, 0..1.
    pub fc_r2: f64,
    /// Minimum of a subject's mean dwell time, seconds; it is log-uniform up to the maximum.
    pub shortest_stay_secs: f64,
    /// Maximum of a subject's mean dwell time, seconds.
    pub longest_stay_secs: f64,
}

impl Default for PlantedTargets {
    fn default() -> Self {
        Self {
            fc_r2: 0.8,
            shortest_stay_secs: 3.0,
            longest_stay_secs: 30.0,
        }
    }
}

impl PlantedTargets {
    /// Checks that the settings are valid, and that `spec` has no other effects that would reveal
    /// the targets.
    pub(super) fn check(&self, spec: &PlantedSpec) -> Result<(), SimulateError> {
        let refuse = |key: &'static str, value: f64, expected: String| {
            Err(SimulateError::config(key, value, expected))
        };
        if !(0.0..=1.0).contains(&self.fc_r2) {
            return refuse("targets.fc_r2", self.fc_r2, "from 0 to 1".into());
        }
        for (key, value) in [
            ("ar1", spec.ar1),
            ("age_effect", spec.age_effect),
            ("switch_every_secs", spec.switch_every_secs),
        ] {
            if value != 0.0 {
                return refuse(
                    key,
                    value,
                    "0 where there are targets: how long states last is to be seen in their order alone".into(),
                );
            }
        }
        if spec.n_states < 2 || !spec.n_volumes.is_multiple_of(spec.n_states) {
            return refuse(
                "n_volumes",
                spec.n_volumes as f64,
                format!(
                    "a multiple of n_states = {}, at least two of them: with targets, all states last equally long",
                    spec.n_states
                ),
            );
        }
        let [fewest, most] = self.rounds(spec);
        let [low, high] = [self.shortest_stay_secs, self.longest_stay_secs];
        if !(low > 0.0 && high.is_finite() && 1 <= fewest && fewest < most) {
            return refuse(
                "targets.longest_stay_secs",
                high,
                format!(
                    "longer than targets.shortest_stay_secs = {low}, and both so that a scan of {} s has at least one round of all states",
                    spec.n_volumes as f64 * spec.dt_secs
                ),
            );
        }
        if most > spec.n_volumes / spec.n_states {
            return refuse(
                "targets.shortest_stay_secs",
                low,
                format!("at least dt_secs = {}", spec.dt_secs),
            );
        }
        Ok(())
    }

    /// Minimum and maximum number of rounds through all states in a scan.
    fn rounds(&self, spec: &PlantedSpec) -> [usize; 2] {
        let of = |stay_secs: f64| {
            spec.n_volumes as f64 * spec.dt_secs / spec.n_states as f64 / stay_secs
        };
        [
            of(self.longest_stay_secs).ceil() as usize,
            of(self.shortest_stay_secs).floor() as usize,
        ]
    }

    /// Number of rounds through all states in a scan, by subject.
    pub(super) fn draw_rounds(&self, spec: &PlantedSpec, rng: &mut dyn Rng) -> Vec<usize> {
        let [fewest, most] = self.rounds(spec);
        // The range is extended by half a round on both sides, so that the first and the last
        // number are as probable as their neighbours.
        let logs = (fewest as f64 - 0.5).ln()..(most as f64 + 0.5).ln();
        (0..spec.n_subjects)
            .map(|_| {
                let drawn = rng.random_range(logs.clone()).exp().round();
                (drawn as usize).clamp(fewest, most)
            })
            .collect()
    }
}

/// The state of every volume: `rounds` cycles through all states, from a random start. Every state
/// has equally many volumes, in `rounds` stays of random lengths.
pub(super) fn states_in_turn(spec: &PlantedSpec, rounds: usize, rng: &mut dyn Rng) -> Vec<usize> {
    let each = spec.n_volumes / spec.n_states;
    let stays: Vec<Vec<usize>> = (0..spec.n_states)
        .map(|_| random_stays(each, rounds, rng))
        .collect();
    let mut states = Vec::with_capacity(spec.n_volumes);
    for round in 0..rounds {
        for (state, stays) in stays.iter().enumerate() {
            states.extend(std::iter::repeat_n(state, stays[round]));
        }
    }
    let first = rng.random_range(0..states.len());
    states.rotate_left(first);
    states
}

/// `n` lengths of at least 1 whose sum is `total`, all such lists with equal probability: that of
/// independent geometric lengths, given their sum.
fn random_stays(total: usize, n: usize, rng: &mut dyn Rng) -> Vec<usize> {
    let mut ends = index::sample(rng, total - 1, n - 1).into_vec();
    ends.sort_unstable();
    let ends = ends.into_iter().map(|end| end + 1).chain([total]);
    let mut start = 0;
    ends.map(|end| end - std::mem::replace(&mut start, end))
        .collect()
}

/// One subject's targets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OwnTargets {
    /// Values by column name.
    pub scores: [(&'static str, f64); 3],
    /// `heads` or `tails`.
    pub null_class: &'static str,
}

/// The targets of all subjects, from the number of rounds and the FC of each subject.
pub(super) fn draw_targets(
    spec: &PlantedSpec,
    targets: &PlantedTargets,
    rounds: &[usize],
    connectivity: &[Vec<f64>],
    stream: &dyn Fn(&str) -> Box<dyn Rng>,
) -> Vec<OwnTargets> {
    let n_pairs = connectivity.first().map_or(0, Vec::len);
    let weights = normals(n_pairs, &mut *stream("planted/fc-weights"));
    let seen = standardised(connectivity.iter().map(|z| dot(z, &weights)).collect());
    let unseen = normals(seen.len(), &mut *stream("planted/fc-noise"));
    let (share, rest) = (targets.fc_r2.sqrt(), (1.0 - targets.fc_r2).sqrt());
    let round_secs = |n: &usize| spec.n_volumes as f64 * spec.dt_secs / *n as f64;
    let stay = |n| (round_secs(n) / spec.n_states as f64).ln();
    let dwell = standardised(rounds.iter().map(stay).collect());
    let null = normals(seen.len(), &mut *stream("planted/null-score"));
    let coin = &mut *stream("planted/null-class");
    (0..seen.len())
        .map(|i| OwnTargets {
            scores: [
                ("fc_score", share * seen[i] + rest * unseen[i]),
                ("dwell_score", dwell[i]),
                ("null_score", null[i]),
            ],
            null_class: if coin.random_bool(0.5) {
                "heads"
            } else {
                "tails"
            },
        })
        .collect()
}

/// Fisher's z of the correlations of all pairs of ROIs, averaged over scans.
pub(super) fn mean_fisher_z(scans: &[BoldSeries]) -> Vec<f64> {
    let mut mean = Vec::new();
    for scan in scans {
        let z = exact_fisher_z(scan);
        mean.resize(z.len(), 0.0);
        for (mean, z) in mean.iter_mut().zip(z) {
            *mean += z / scans.len() as f64;
        }
    }
    mean
}

fn normals(n: usize, rng: &mut dyn Rng) -> Vec<f64> {
    (0..n).map(|_| rng.sample(StandardNormal)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn spec() -> PlantedSpec {
        PlantedSpec {
            n_subjects: 4000,
            n_networks: 1,
            rois_per_network: 3,
            n_states: 2,
            dt_secs: 1.5,
            n_volumes: 120,
            ar1: 0.0,
            age_effect: 0.0,
            targets: Some(PlantedTargets::default()),
            ..PlantedSpec::default()
        }
    }

    fn stream(name: &str) -> Box<dyn Rng> {
        let seed = name.bytes().fold(7, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        });
        Box::new(ChaCha8Rng::seed_from_u64(seed))
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let n = a.len() as f64;
        dot(&standardised(a.to_vec()), &standardised(b.to_vec())) / n
    }

    #[test]
    fn every_state_lasts_equally_long_however_fast_they_switch() {
        let spec = PlantedSpec {
            n_states: 3,
            ..spec()
        };
        for rounds in [1, 3, 7, 19, 40] {
            let states = states_in_turn(&spec, rounds, &mut *stream("states"));
            for state in 0..3 {
                assert_eq!(states.iter().filter(|s| **s == state).count(), 40);
            }
            // From the end back to the start, every state follows the previous one.
            let next = states.iter().cycle().skip(1);
            let switches: Vec<_> = states.iter().zip(next).filter(|(a, b)| a != b).collect();
            assert_eq!(switches.len(), 3 * rounds);
            assert!(switches.iter().all(|(a, b)| (*a + 1) % 3 == **b));
        }
    }

    #[test]
    fn stays_are_geometric() {
        // 4000 stays of 12,000 volumes: geometric with a mean of 3, so a stay is of one volume with
        // a probability of 1/3 and longer than six with (2/3)^6; 4 standard deviations are 3 %.
        let rng = &mut *stream("stays");
        let stays = random_stays(12_000, 4000, rng);
        assert_eq!(stays.iter().sum::<usize>(), 12_000);
        assert_eq!(stays.len(), 4000);
        let share = |of: &dyn Fn(usize) -> bool| {
            stays.iter().filter(|stay| of(**stay)).count() as f64 / 4000.0
        };
        assert!((share(&|stay| stay == 1) - 1.0 / 3.0).abs() < 0.03);
        assert!((share(&|stay| stay > 6) - (2f64 / 3.0).powi(6)).abs() < 0.02);
        assert_eq!(share(&|stay| stay == 0), 0.0);
        assert_eq!(random_stays(5, 5, rng), [1; 5]);
        assert_eq!(random_stays(5, 1, rng), [5]);
    }

    #[test]
    fn stays_are_as_long_as_asked_for_and_short_ones_are_as_many_as_long_ones() {
        let rounds = PlantedTargets::default().draw_rounds(&spec(), &mut *stream("rounds"));
        // 180 s in two states: 90 s / 30 s to 90 s / 3 s.
        assert_eq!(rounds.iter().min(), Some(&3));
        assert_eq!(rounds.iter().max(), Some(&30));
        // Half of the interval ln 2.5 .. ln 30.5 is at ln 8.7; the share of 4000 subjects has a
        // standard deviation of 0.8 %.
        let slow = rounds.iter().filter(|rounds| **rounds <= 8).count() as f64 / 4000.0;
        assert!(
            (slow - (8.5f64 / 2.5).ln() / 12.2f64.ln()).abs() < 0.03,
            "{slow}"
        );
    }

    #[test]
    fn scores_have_as_much_to_do_with_connectivity_as_asked_for() {
        let spec = spec();
        let targets = PlantedTargets::default();
        let rounds = targets.draw_rounds(&spec, &mut *stream("rounds"));
        let z = normals(3 * 4000, &mut *stream("connectivity"));
        let z: Vec<Vec<f64>> = z
            .chunks_exact(3)
            .map(|z| vec![5.0 + z[0], 0.1 * z[1], z[2]])
            .collect();
        let drawn = draw_targets(&spec, &targets, &rounds, &z, &stream);
        let of = |at: usize| -> Vec<f64> { drawn.iter().map(|own| own.scores[at].1).collect() };
        let weights = normals(3, &mut *stream("planted/fc-weights"));
        let seen: Vec<f64> = z.iter().map(|z| dot(z, &weights)).collect();
        // Standard deviation of r² over 4000 subjects: 2 · .2 · √.8 / √4000 = .006; of r without an
        // effect: .016.
        assert!((correlation(&of(0), &seen).powi(2) - 0.8).abs() < 0.025);
        for nothing in [of(1), of(2)] {
            assert!(correlation(&nothing, &seen).abs() < 0.06);
        }
        let heads = drawn
            .iter()
            .map(|own| f64::from(own.null_class == "heads"))
            .collect::<Vec<_>>();
        assert!(correlation(&heads, &seen).abs() < 0.06);
        assert!((heads.iter().sum::<f64>() / 4000.0 - 0.5).abs() < 0.03);
        // Doubling the dwell time always increases the score by the same amount.
        let score = |rounds_of: usize| {
            let at = rounds.iter().position(|rounds| *rounds == rounds_of);
            drawn[at.expect("one of 4000")].scores[1].1
        };
        assert!((score(5) - score(10) - (score(10) - score(20))).abs() < 1e-9);
        assert!(score(5) > score(10));
    }

    #[test]
    fn connectivity_is_the_mean_of_the_scans_and_knows_no_order() {
        let values = normals(3 * 50, &mut *stream("signals"));
        let values: Vec<f32> = values.iter().map(|x| *x as f32).collect();
        let backwards: Vec<f32> = values.chunks_exact(3).rev().flatten().copied().collect();
        let series = |values| BoldSeries::new(values, 3, 1.0).unwrap();
        let (scan, other) = (series(values), series(backwards));
        let (z, of_other) = (exact_fisher_z(&scan), exact_fisher_z(&other));
        assert!(z.iter().zip(&of_other).all(|(a, b)| (a - b).abs() < 1e-12));
        let twice = mean_fisher_z(&[scan, other]);
        assert!(twice.iter().zip(&z).all(|(a, b)| (a - b).abs() < 1e-12));

        // Courses (1, 2, 3, 4), (2, 4, 6, 8) and (1, -1, -1, 1): r is 1, 0 and 0.
        let by_hand = series(vec![1., 2., 1., 2., 4., -1., 3., 6., -1., 4., 8., 1.]);
        let z = exact_fisher_z(&by_hand);
        assert!(
            z[0] > 7.0 && z[1].abs() < 1e-12 && z[2].abs() < 1e-12,
            "{z:?}"
        );
    }

    #[test]
    fn what_would_give_the_answer_away_is_refused() {
        let refused = |spec: PlantedSpec| match spec.check() {
            Err(SimulateError::Config(InvalidField { field, .. })) => field,
            other => panic!("{other:?}"),
        };
        spec().check().unwrap();
        for (wrong, key) in [
            (PlantedSpec { ar1: 0.5, ..spec() }, "ar1"),
            (
                PlantedSpec {
                    age_effect: 0.7,
                    ..spec()
                },
                "age_effect",
            ),
            (
                PlantedSpec {
                    switch_every_secs: 15.0,
                    ..spec()
                },
                "switch_every_secs",
            ),
            (
                PlantedSpec {
                    n_volumes: 121,
                    ..spec()
                },
                "n_volumes",
            ),
        ] {
            assert_eq!(refused(wrong), key);
        }
        let with = |targets| {
            refused(PlantedSpec {
                targets: Some(targets),
                ..spec()
            })
        };
        let default = PlantedTargets::default;
        for (wrong, key) in [
            (
                PlantedTargets {
                    fc_r2: 1.5,
                    ..default()
                },
                "targets.fc_r2",
            ),
            (
                PlantedTargets {
                    longest_stay_secs: 2.0,
                    ..default()
                },
                "targets.longest_stay_secs",
            ),
            (
                PlantedTargets {
                    shortest_stay_secs: 0.1,
                    ..default()
                },
                "targets.shortest_stay_secs",
            ),
        ] {
            assert_eq!(with(wrong), key);
        }
    }

    #[test]
    fn a_plan_without_targets_is_written_as_before_there_were_any() {
        let text = toml::to_string(&PlantedSpec::default()).unwrap();
        assert!(text.ends_with("age_effect = 0.7\n"), "{text}");
    }
}
