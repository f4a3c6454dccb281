//! Kinds of columns: numbers, categories or free text.

use std::collections::{BTreeMap, BTreeSet};

use super::header::{AGE_BIN, SEX};
use super::merge::Cell;

/// Maximum number of different values of a category.
const MOST_VALUES: usize = 32;
/// Maximum length of a category value, in characters.
const LONGEST: usize = 40;

/// The kind of a column.
#[derive(Debug, PartialEq)]
pub(super) enum Typed {
    /// All values are finite numbers; each comes with the index of its subject.
    Numbers(Vec<(usize, f64)>),
    Categories,
    FreeText,
}

/// The kind of the column `name`; `cells` has no missing cells.
pub(super) fn typed(name: &str, cells: &BTreeMap<usize, Cell>) -> Typed {
    if [SEX, AGE_BIN].contains(&name) {
        return Typed::Categories;
    }
    // Numbers that are keys, such as those of sites, are not quantities.
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

/// The finite number in a text.
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
