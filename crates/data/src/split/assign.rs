//! Assignment of groups to the sets of a split, with the requested sizes and balanced strata.

use std::cmp::Reverse;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::draw::Group;

/// Minimum expected number of members of a stratum in the smallest set; a smaller stratum is
/// ignored. The smallest set cannot have a member of it, so the stratum would only distort the
/// balance.
const LEAST_EXPECTED: f64 = 0.5;

/// A set with its present and its target sizes.
struct Set {
    goal: f64,
    size: f64,
    /// Target number of members, by stratum.
    goals: Vec<f64>,
    counts: Vec<f64>,
    groups: Vec<Group>,
}

/// Assigns `groups` to sets with these shares of all; a set with share 0 gets none.
///
/// The largest groups come first; groups of equal size have a random order. Each group goes to the
/// set with the largest deficit in the strata of its members, among the sets that it does not make
/// too large. If there is none, it goes to a set that it exceeds by the least. So the size of a set
/// is wrong by at most the largest group. The last groups go to sets that are still empty.
pub(super) fn assign(
    mut groups: Vec<Group>,
    shares: &[f64],
    rng: &mut (impl Rng + ?Sized),
) -> Vec<Vec<Group>> {
    let total: usize = groups.iter().map(|group| group.size).sum();
    let totals = totals(&groups);
    let smallest = shares.iter().copied().filter(|share| *share > 0.0);
    let smallest = smallest.fold(f64::INFINITY, f64::min);
    let mut sets: Vec<Set> = shares
        .iter()
        .map(|share| Set {
            goal: share * total as f64,
            size: 0.0,
            goals: totals.iter().map(|total| share * total).collect(),
            counts: vec![0.0; totals.len()],
            groups: Vec::new(),
        })
        .collect();
    let counted: Vec<bool> = totals
        .iter()
        .map(|total| smallest * total >= LEAST_EXPECTED)
        .collect();

    groups.shuffle(rng);
    groups.sort_by_key(|group| Reverse(group.size));
    let n_groups = groups.len();
    for (dealt, group) in groups.into_iter().enumerate() {
        let candidates = candidates(&sets, group.size as f64, n_groups - dealt);
        let keys: Vec<[f64; 2]> = candidates
            .iter()
            .map(|set| sets[*set].fullness(&group, &counted))
            .collect();
        let least = keys.iter().copied().fold([f64::INFINITY; 2], least);
        let best: Vec<usize> = candidates
            .into_iter()
            .zip(keys)
            .filter(|(_, key)| *key == least)
            .map(|(set, _)| set)
            .collect();
        sets[best[rng.random_range(0..best.len())]].take(group);
    }
    sets.into_iter().map(|set| set.groups).collect()
}

/// Number of members of each stratum.
fn totals(groups: &[Group]) -> Vec<f64> {
    let strata = groups.iter().flat_map(|group| &group.strata);
    let mut totals = Vec::new();
    for &stratum in strata {
        if totals.len() <= stratum {
            totals.resize(stratum + 1, 0.0);
        }
        totals[stratum] += 1.0;
    }
    totals
}

/// The sets that a group of this size may go to, when `n_left` groups are left; at least one if any
/// set has a share.
fn candidates(sets: &[Set], size: f64, n_left: usize) -> Vec<usize> {
    // Sums of shares have rounding errors.
    const ROUNDING: f64 = 1e-9;
    let mut open: Vec<usize> = (0..sets.len()).filter(|s| sets[*s].goal > 0.0).collect();
    let is_empty = |set: &usize| sets[*set].size == 0.0;
    if open.iter().filter(|set| is_empty(set)).count() >= n_left {
        open.retain(is_empty);
    }
    let over = |set: &usize| sets[*set].size + size - sets[*set].goal;
    let least = open.iter().map(over).fold(f64::INFINITY, f64::min);
    open.retain(|set| over(set) <= least.max(0.0) + ROUNDING);
    open
}

fn least(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    if b < a { b } else { a }
}

impl Set {
    /// How full the set is in the strata of the group, then in total. Each value is counted to the
    /// middle of the group: assignment to the least full set gives every set its share of a stratum
    /// (Sainte-Laguë).
    fn fullness(&self, group: &Group, counted: &[bool]) -> [f64; 2] {
        let mut strata: Vec<usize> = group.strata.clone();
        strata.sort_unstable();
        let of_strata = strata
            .chunk_by(|a, b| a == b)
            .filter(|members| counted[members[0]])
            .map(|members| {
                let (stratum, n) = (members[0], members.len() as f64);
                n * (self.counts[stratum] + n / 2.0) / self.goals[stratum]
            })
            .sum();
        [of_strata, (self.size + group.size as f64 / 2.0) / self.goal]
    }

    fn take(&mut self, group: Group) {
        self.size += group.size as f64;
        for &stratum in &group.strata {
            self.counts[stratum] += 1.0;
        }
        self.groups.push(group);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn group(strata: &[usize]) -> Group {
        Group {
            size: strata.len(),
            strata: strata.to_vec(),
            scans: Vec::new(),
        }
    }

    fn deal(groups: Vec<Group>, shares: &[f64], seed: u64) -> Vec<Vec<Group>> {
        assign(groups, shares, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    fn counts(set: &[Group], stratum: usize) -> usize {
        let strata = set.iter().flat_map(|group| &group.strata);
        strata.filter(|other| **other == stratum).count()
    }

    #[test]
    fn every_set_gets_its_share_of_every_stratum() {
        // 40 of stratum 0 and 20 of stratum 1.
        let groups: Vec<Group> = (0..60).map(|i| group(&[usize::from(i >= 40)])).collect();
        for seed in 0..20 {
            let sets = deal(groups.clone(), &[0.1, 0.2, 0.7], seed);
            let found: Vec<[usize; 2]> = sets
                .iter()
                .map(|set| [0, 1].map(|stratum| counts(set, stratum)))
                .collect();
            assert_eq!(found, [[4, 2], [8, 4], [28, 14]]);
        }
    }

    #[test]
    fn strata_of_one_member_do_not_all_go_to_the_largest_set() {
        let rare = (1..21).map(|stratum| group(&[stratum]));
        let groups: Vec<Group> = rare.chain((0..30).map(|_| group(&[0]))).collect();
        let rare_held_out: usize = (0..20)
            .map(|seed| {
                let sets = deal(groups.clone(), &[0.7, 0.3], seed);
                (1..21)
                    .map(|stratum| counts(&sets[1], stratum))
                    .sum::<usize>()
            })
            .sum();
        // 6 of 20 are expected each time.
        assert!((80..160).contains(&rare_held_out), "{rare_held_out}");
    }

    #[test]
    fn a_set_without_a_share_gets_nobody_and_a_small_one_somebody() {
        let groups: Vec<Group> = (0..5).map(|_| group(&[0, 0])).collect();
        let sets = deal(groups, &[0.0, 0.05, 0.95], 1);
        let sizes: Vec<usize> = sets.iter().map(Vec::len).collect();
        assert_eq!(sizes, [0, 1, 4]);
    }

    proptest! {
        #[test]
        fn no_set_misses_its_size_by_the_largest_group(
            groups in prop::collection::vec(prop::collection::vec(0..4_usize, 1..5), 1..60),
            weights in prop::collection::vec(0.05..1.0_f64, 1..7),
            seed in any::<u64>(),
        ) {
            let groups: Vec<Group> = groups.iter().map(|strata| group(strata)).collect();
            let largest = groups.iter().map(|group| group.size).max().unwrap() as f64;
            let total: usize = groups.iter().map(|group| group.size).sum();
            let sum: f64 = weights.iter().sum();
            let shares: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
            // With fewer groups than sets, a set is empty or too large.
            prop_assume!(groups.len() >= 3 * shares.len());
            let sets = deal(groups, &shares, seed);
            for (set, share) in sets.iter().zip(&shares) {
                let size: usize = set.iter().map(|group| group.size).sum();
                let off = size as f64 - share * total as f64;
                prop_assert!(off.abs() <= largest, "{off} of {largest}");
            }
        }
    }
}
