//! Fictional people of a cohort, in families, with their planted properties.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::spec::{CohortLayout, CohortSpec};

/// Maximum difference of a sibling's age from the age of the family, years; 0 for twins.
const SIBLINGS_YEARS: f64 = 3.0;

/// Share of twins among families of two or more, and of monozygotic pairs among twins.
const TWINS: f64 = 0.6;
const ONE_EGG: f64 = 0.5;

/// Share of the variance of latent values that siblings have in common. It makes a leak of families
/// between the sets of a split visible.
const FAMILY_SHARE: f64 = 0.5;

/// Mean, standard deviation and range of the behaviour score, as of `PMAT24_A_CR` in the HCP.
const SCORE: [f64; 4] = [16.7, 4.8, 4.0, 24.0];

/// Standard deviation over subjects of the logarithm of the usual displacement.
const MOTION_LOG_SD: f64 = 0.3;

/// Sex in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sex {
    Female,
    Male,
}

impl Sex {
    /// `F` or `M`.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Female => "F",
            Self::Male => "M",
        }
    }
}

/// Birth of two siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Birth {
    Single,
    /// Dizygotic twins.
    Dizygotic,
    /// Monozygotic twins.
    Monozygotic,
}

/// One fictional subject.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Person {
    /// Name of the subject in the release, without `sub-`.
    pub id: String,
    /// Number of the family, from 0.
    pub family: usize,
    pub birth: Birth,
    pub sex: Sex,
    pub age_months: u32,
    /// Latent value, standard normal, that determines the dwell time in state 0.
    pub dwell: f64,
    /// Latent value, standard normal, that determines the head movement.
    pub motion: f64,
    /// Behaviour score, which depends on the latent dwell; a whole number.
    pub score: f64,
}

impl Person {
    /// Age in years; whole years except for HCP-Aging.
    pub fn age_years(&self) -> f64 {
        f64::from(self.age_months) / 12.0
    }

    /// Position of the age between the middle (0) and the end (1) of the layout's range.
    pub fn relative_age(&self, layout: CohortLayout) -> f64 {
        let ages = layout.ages_years();
        let middle = (ages.start() + ages.end()) / 2.0;
        (self.age_years() - middle) / (ages.end() - middle)
    }

    /// Usual framewise displacement, as a multiple of the cohort's median.
    pub fn motion_times(&self) -> f64 {
        (MOTION_LOG_SD * self.motion).exp()
    }
}

/// The name of a subject, by index from 0. All names are fictional except those of NSD, which start
/// at `subj01`.
pub(super) fn subject_id(layout: CohortLayout, number: usize) -> String {
    let number = number + 1;
    match layout {
        CohortLayout::Hcp => format!("{}", 990_000 + number),
        CohortLayout::Aging => format!("HCA{}", 9_900_000 + number),
        CohortLayout::Nsd => format!("subj{number:02}"),
        CohortLayout::Xcpd => format!("{number:02}"),
    }
}

/// Draws all people, family by family.
pub(super) fn draw_people(spec: &CohortSpec, rng: &mut dyn Rng) -> Vec<Person> {
    let n_subjects = spec.subjects();
    let has_families = matches!(spec.layout, CohortLayout::Hcp | CohortLayout::Xcpd);
    let ages = spec.layout.ages_years();
    let mut people: Vec<Person> = Vec::with_capacity(n_subjects);
    let mut family = 0;
    while people.len() < n_subjects {
        let drawn = if has_families {
            rng.random_range(1..=4)
        } else {
            1
        };
        let size = drawn.min(n_subjects - people.len());
        let twins = size > 1 && rng.random_bool(TWINS);
        let one_egg = rng.random_bool(ONE_EGG);
        let family_age = rng.random_range(ages.clone());
        let family_latents = [normal(rng), normal(rng)];
        let first = people.len();
        for sibling in 0..size {
            let is_twin = twins && sibling < 2;
            let second_twin = is_twin && sibling == 1;
            let years = family_age + rng.random_range(-SIBLINGS_YEARS..=SIBLINGS_YEARS);
            let years = years.clamp(*ages.start(), *ages.end());
            let months = match spec.layout {
                CohortLayout::Aging => (years * 12.0).round() as u32,
                _ => years.round() as u32 * 12,
            };
            let sex = match rng.random_bool(0.5) {
                true => Sex::Female,
                false => Sex::Male,
            };
            let [dwell, motion] = family_latents.map(|shared| {
                FAMILY_SHARE.sqrt() * shared + (1.0 - FAMILY_SHARE).sqrt() * normal(rng)
            });
            people.push(Person {
                id: subject_id(spec.layout, people.len()),
                family,
                birth: match (is_twin, one_egg) {
                    (false, _) => Birth::Single,
                    (true, false) => Birth::Dizygotic,
                    (true, true) => Birth::Monozygotic,
                },
                sex: if second_twin && one_egg {
                    people[first].sex
                } else {
                    sex
                },
                age_months: if second_twin {
                    people[first].age_months
                } else {
                    months
                },
                dwell,
                motion,
                score: score(spec.effects.behaviour_r, dwell, normal(rng)),
            });
        }
        family += 1;
    }
    people
}

fn score(correlation: f64, dwell: f64, noise: f64) -> f64 {
    let [mean, sd, low, high] = SCORE;
    let latent = correlation * dwell + (1.0 - correlation * correlation).sqrt() * noise;
    (mean + sd * latent).round().clamp(low, high)
}

/// A standard normal number.
pub(super) fn normal(rng: &mut dyn Rng) -> f64 {
    rng.sample(StandardNormal)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn people(layout: CohortLayout) -> Vec<Person> {
        let spec = CohortSpec {
            layout,
            n_subjects: Some(400),
            ..CohortSpec::default()
        };
        draw_people(&spec, &mut ChaCha8Rng::seed_from_u64(3))
    }

    #[test]
    fn families_have_one_to_four_members_of_about_one_age() {
        let people = people(CohortLayout::Hcp);
        let mut sizes = [0; 5];
        for family in people.chunk_by(|a, b| a.family == b.family) {
            sizes[family.len()] += 1;
            let ages = family.iter().map(Person::age_years);
            let (low, high) = ages.fold((99.0_f64, 0.0_f64), |(low, high), age| {
                (low.min(age), high.max(age))
            });
            assert!(high - low <= 7.0);
        }
        assert!(sizes[1..].iter().all(|n| *n > 20), "{sizes:?}");
    }

    #[test]
    fn twins_come_in_pairs_of_one_age_and_those_of_one_egg_of_one_sex() {
        let people = people(CohortLayout::Hcp);
        let mut pairs = 0;
        for family in people.chunk_by(|a, b| a.family == b.family) {
            let twins: Vec<&Person> = family.iter().filter(|p| p.birth != Birth::Single).collect();
            assert!(twins.is_empty() || twins.len() == 2);
            if let [first, second] = twins[..] {
                assert_eq!(first.birth, second.birth);
                assert_eq!(first.age_months, second.age_months);
                assert!(first.birth == Birth::Dizygotic || first.sex == second.sex);
                pairs += 1;
            }
        }
        assert!(pairs > 20);
    }

    #[test]
    fn the_score_follows_the_latent_dwell() {
        let people = people(CohortLayout::Aging);
        let n = people.len() as f64;
        let mean = people.iter().map(|p| p.score).sum::<f64>() / n;
        let slope = people
            .iter()
            .map(|p| p.dwell * (p.score - mean))
            .sum::<f64>()
            / people.iter().map(|p| p.dwell * p.dwell).sum::<f64>();
        // 0.8 · 4.8 = 3.84 before the score is clipped to its range.
        assert!((3.0..3.9).contains(&slope), "{slope}");
        assert!(people.iter().all(|p| (4.0..=24.0).contains(&p.score)));
        assert!(
            people
                .windows(2)
                .all(|pair| pair[0].family < pair[1].family)
        );
    }

    #[test]
    fn names_are_those_of_the_release_and_fictional() {
        assert_eq!(subject_id(CohortLayout::Hcp, 0), "990001");
        assert_eq!(subject_id(CohortLayout::Aging, 0), "HCA9900001");
        assert_eq!(subject_id(CohortLayout::Nsd, 7), "subj08");
        assert_eq!(subject_id(CohortLayout::Xcpd, 11), "12");
    }
}
