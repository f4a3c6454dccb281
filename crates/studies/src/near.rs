//! Names that a misspelt one may have meant.

/// Names listed at most.
const LISTED: usize = 3;
/// Letters to change at most.
const CHANGES: usize = 3;

/// Names of `known` near to `name`: a few letters apart, else those that contain it.
pub(super) fn near_names<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|other| {
            let changes = changes(name, other).filter(|changes| *changes <= CHANGES);
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

/// Letters to insert, remove or replace (Levenshtein distance); none when the lengths alone are
/// too far apart.
fn changes(one: &str, other: &str) -> Option<usize> {
    if one.len().abs_diff(other.len()) > CHANGES * 4 || one.len() > 100 {
        return None;
    }
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (place, second) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *second);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_to_change_are_counted() {
        for (one, other, expected) in [
            ("kitten", "sitting", 3),
            ("", "ab", 2),
            ("ab", "", 2),
            ("sex", "sex", 0),
        ] {
            assert_eq!(changes(one, other), Some(expected));
        }
        assert_eq!(changes("a", &"a".repeat(50)), None);
    }

    #[test]
    fn the_nearest_come_first_then_longer_names() {
        let known = ["pmat24_a_cr", "pmat24_a_si", "psqi_score", "age_years"];
        let near = |name| near_names(name, known.into_iter());
        assert_eq!(near("pmat24_a_cr_"), ["pmat24_a_cr", "pmat24_a_si"]);
        assert_eq!(near("psqi"), ["psqi_score"]);
        assert!(near("zygosity").is_empty());
    }
}
