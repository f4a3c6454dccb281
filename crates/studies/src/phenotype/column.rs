//! Kinds of columns: numbers, categories or free text.

use std::collections::{BTreeMap, BTreeSet};

use super::header::{AGE_BIN, SEX};
use super::merge::Cell;

/// More different values than this are no categories.
const MOST_VALUES: usize = 32;
/// A longer value, in letters, is no category.
const LONGEST: usize = 40;

/// The kind of a column.
#[derive(Debug, PartialEq)]
pub(super) enum Typed {
    /// Every value is a finite number: by the place of the subject.
    Numbers(Vec<(usize, f64)>),
    Categories,
    FreeText,
}

/// Tells what the column `name` holds, whose missing cells are not there.
pub(super) fn typed(name: &str, cells: &BTreeMap<usize, Cell>) -> Typed {
    if [SEX, AGE_BIN].contains(&name) {
        return Typed::Categories;
    }
    // The numbers of keys, such as those of sites, are no quantities.
    if name != "id" && !name.ends_with("_id") {
        let numbers: Option<Vec<(usize, f64)>> = cells
            .iter()
            .map(|(subject, cell)| Some((*subject, number(&cell.text)?)))
            .collect();
        if let Some(numbers) = numbers {
            return Typed::Numbers(numbers);
        }
    }
    let mut values = BTreeSet::new();
    for cell in cells.values() {
        values.insert(&cell.text);
        if values.len() > MOST_VALUES || cell.text.chars().count() > LONGEST {
            return Typed::FreeText;
        }
    }
    Typed::Categories
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, texts: &[&str]) -> Typed {
        let cells = texts
            .iter()
            .enumerate()
            .map(|(at, text)| (at, Cell::new(*text, 0)));
        typed(name, &cells.collect())
    }

    #[test]
    fn numbers_alone_are_targets() {
        assert_eq!(
            of("a", &["1", "-2.5e1"]),
            Typed::Numbers(vec![(0, 1.0), (1, -25.0)])
        );
        assert_eq!(of("a", &["1", "inf"]), Typed::Categories);
        assert_eq!(of("a", &["true", "false"]), Typed::Categories);
        assert_eq!(of(SEX, &["1", "2"]), Typed::Categories);
        assert_eq!(of("site_id", &["1", "2"]), Typed::Categories);
    }

    #[test]
    fn long_values_and_many_values_are_free_text() {
        let values: Vec<String> = (0..33).map(|n| format!("v{n}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(of("a", &values), Typed::FreeText);
        assert_eq!(of("a", &values[..32]), Typed::Categories);
        assert_eq!(of("a", &["é".repeat(40).as_str()]), Typed::Categories);
        assert_eq!(of("a", &["é".repeat(41).as_str()]), Typed::FreeText);
    }
}
