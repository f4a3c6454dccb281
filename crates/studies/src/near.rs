//! Names similar to a misspelt one.

use strsim::{damerau_levenshtein, levenshtein};

/// Maximum number of names.
const LISTED: usize = 3;
/// Maximum number of changed letters.
const CHANGES: usize = 3;
/// Maximum length of a name, in bytes, for the search of similar ones.
const LONGEST: usize = 100;

/// The names in `known` that differ from `name` by a few letters, or else those that contain it.
pub(crate) fn near_names<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<(usize, &str)> = known
        .filter(|_| name.len() <= LONGEST)
        .filter_map(|other| {
            let changes = Some(levenshtein(name, other)).filter(|changes| *changes <= CHANGES);
            let part_of = (name.len() > CHANGES && other.contains(name)).then_some(CHANGES + 1);
            Some((changes.or(part_of)?, other))
        })
        .collect();
    near.sort_unstable();
    near.into_iter()
        .map(|(_, other)| other)
        .take(LISTED)
        .collect()
}

/// The name in `known` most similar to `name`, if it is similar enough.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .filter(|_| name.len() <= LONGEST)
        .map(|other| (damerau_levenshtein(name, other), other))
        .min()
        .filter(|(changes, other)| *changes <= 1 + other.len() / 3)
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_then_longer_names() {
        let known = ["pmat24_a_cr", "pmat24_a_si", "psqi_score", "age_years"];
        let near = |name| near_names(name, known.into_iter());
        assert_eq!(near("pmat24_a_cr_"), ["pmat24_a_cr", "pmat24_a_si"]);
        assert_eq!(near("psqi"), ["psqi_score"]);
        assert!(near("zygosity").is_empty());
        assert!(near(&"a".repeat(101)).is_empty());
    }

    #[test]
    fn a_name_like_no_other_has_no_nearest() {
        let known = ["hcp", "hcp-7t", "nsd"];
        let near = |name| nearest(name, known.into_iter());
        assert_eq!(near("hpc"), Some("hcp"));
        assert_eq!(near("hcp7t"), Some("hcp-7t"));
        assert_eq!(near("bids"), None);
    }
}
