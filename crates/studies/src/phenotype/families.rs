//! Families: subjects who share a key of any table.

use std::collections::BTreeMap;

use super::header::KINSHIP;

/// A key that a subject shares with relatives.
pub(super) struct KinKey<'a> {
    /// Index of the subject.
    pub subject: usize,
    /// Index in [`KINSHIP`]; keys of two kinds are never equal.
    pub kind: usize,
    pub text: &'a str,
}

/// The family of each subject. Subjects who share a key are one family, together with their
/// relatives by other keys. A subject without any key has `None`.
///
/// A family is named by its smallest key of the best kind that it has. If other families have a
/// better kind, the name also contains the kind, so that a mother is not confused with a family.
pub(super) fn families(n_subjects: usize, keys: &[KinKey<'_>]) -> Vec<Option<String>> {
    let mut relatives = Relatives((0..n_subjects).collect());
    let mut first_of_key = BTreeMap::new();
    for key in keys {
        let first = *first_of_key
            .entry((key.kind, key.text))
            .or_insert(key.subject);
        relatives.join(first, key.subject);
    }
    let mut best: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    for key in keys {
        let name = (key.kind, key.text);
        best.entry(relatives.first(key.subject))
            .and_modify(|best| *best = name.min(*best))
            .or_insert(name);
    }
    let best_kind = best.values().map(|(kind, _)| *kind).min();
    (0..n_subjects)
        .map(|subject| {
            let (kind, text) = best.get(&relatives.first(subject))?;
            Some(if Some(*kind) == best_kind {
                (*text).to_owned()
            } else {
                format!("{} {text}", KINSHIP[*kind])
            })
        })
        .collect()
}

/// By subject: an earlier relative, or the subject itself; a forest of disjoint sets.
struct Relatives(Vec<usize>);

impl Relatives {
    /// The first subject among the relatives; path halving speeds up later calls.
    fn first(&mut self, mut subject: usize) -> usize {
        while self.0[subject] != subject {
            self.0[subject] = self.0[self.0[subject]];
            subject = self.0[subject];
        }
        subject
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Families from keys given as (subject, kind, text).
    fn named(n_subjects: usize, keys: &[(usize, &str, &str)]) -> Vec<Option<String>> {
        let keys: Vec<KinKey<'_>> = keys
            .iter()
            .map(|(subject, kind, text)| KinKey {
                subject: *subject,
                kind: KINSHIP.iter().position(|known| known == kind).unwrap(),
                text,
            })
            .collect();
        families(n_subjects, &keys)
    }

    #[test]
    fn a_chain_of_shared_keys_is_one_family() {
        // 3 and 0 share the mother, 0 and 2 the family, 2 and 1 the father.
        let names = named(
            5,
            &[
                (3, "mother_id", "m"),
                (0, "mother_id", "m"),
                (0, "family_id", "f"),
                (2, "family_id", "f"),
                (2, "father_id", "p"),
                (1, "father_id", "p"),
            ],
        );
        assert_eq!(names[..4], ["f"; 4].map(|name| Some(name.to_owned())));
        assert_eq!(names[4], None);
    }

    #[test]
    fn equal_keys_of_two_kinds_are_two_families_with_two_names() {
        let names = named(2, &[(0, "family_id", "7"), (1, "mother_id", "7")]);
        assert_eq!(names, [Some("7".into()), Some("mother_id 7".into())]);
    }

    #[test]
    fn the_name_is_the_smallest_key_of_the_best_kind() {
        let names = named(
            2,
            &[
                (0, "family_id", "b"),
                (0, "mother_id", "0"),
                (1, "mother_id", "0"),
                (1, "family_id", "a"),
            ],
        );
        assert_eq!(names, [Some("a".into()), Some("a".into())]);
    }

    proptest! {
        #[test]
        fn families_are_all_that_keys_reach_in_any_order(
            keys in prop::collection::vec((0..12_usize, 0..KINSHIP.len(), "[a-e]"), 0..20),
        ) {
            let names_of = |keys: &[(usize, usize, String)]| {
                let keys: Vec<KinKey<'_>> = keys
                    .iter()
                    .map(|(subject, kind, text)| KinKey { subject: *subject, kind: *kind, text })
                    .collect();
                families(12, &keys)
            };
            let names = names_of(&keys);
            let reversed: Vec<_> = keys.iter().rev().cloned().collect();
            prop_assert_eq!(&names, &names_of(&reversed));

            // The subjects that can be reached, by repeated passes over all pairs of keys.
            let mut reached: Vec<Vec<bool>> = (0..12)
                .map(|one| (0..12).map(|other| one == other).collect())
                .collect();
            for _ in 0..12 {
                for one in &keys {
                    for other in keys.iter().filter(|key| (key.1, &key.2) == (one.1, &one.2)) {
                        for from in &mut reached {
                            from[other.0] |= from[one.0];
                        }
                    }
                }
            }
            for one in 0..12 {
                let has_key = keys.iter().any(|key| key.0 == one);
                prop_assert_eq!(names[one].is_some(), has_key);
                for other in 0..12 {
                    let related = names[one].is_some() && names[one] == names[other];
                    prop_assert_eq!(related, has_key && reached[one][other]);
                }
            }
        }
    }
}
