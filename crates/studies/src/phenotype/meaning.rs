//! Meaning of columns and their cells: ages in years or months, codes of sex.

use super::column::number;
use super::header::{AGE_BIN, AGE_YEARS, AGES, INTERVIEW_AGE, KINSHIP, SEX, SEXES};

/// The meaning of the cells of a column.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    AsItIs,
    /// A key: `12.0` is read as `12`, because some tools convert keys to numbers.
    Key,
    Years,
    Months,
    Sex,
}

/// The name here and the meaning of each column; `None` for a column without a name.
///
/// `values` returns the values of a column that are not missing.
pub(super) fn meanings<Values: Iterator<Item = String>>(
    names: &[String],
    values: impl Fn(usize) -> Values,
    warnings: &mut Vec<String>,
) -> Vec<(String, Meaning)> {
    let mut meanings: Vec<(String, Meaning)> = names
        .iter()
        .map(|name| {
            let is_key = KINSHIP.contains(&name.as_str());
            let meaning = if is_key {
                Meaning::Key
            } else {
                Meaning::AsItIs
            };
            (name.clone(), meaning)
        })
        .collect();
    let place = |wanted: &str| names.iter().position(|name| name == wanted);

    // If several columns have exact ages, the best one becomes the target; the others keep their
    // names.
    let mut is_found = false;
    for name in AGES {
        let Some(at) = place(name) else { continue };
        let unit = match name {
            INTERVIEW_AGE => Meaning::Months,
            _ => Meaning::Years,
        };
        let is_exact = values(at).all(|text| age(&text).is_some())
            && values(at).any(|text| number(&text).is_some());
        match (is_exact, is_found) {
            (true, false) => {
                is_found = true;
                meanings[at] = (AGE_YEARS.into(), unit);
                let n_open = values(at).filter(|text| text.ends_with('+')).count();
                if n_open > 0 {
                    warnings.push(format!(
                        "{n_open} ages are open ranges: their lower end is used"
                    ));
                }
            }
            (true, true) if unit == Meaning::Months => {
                meanings[at].0 = format!("{INTERVIEW_AGE}_months");
            }
            (false, _) if name == "age" && place(AGE_BIN).is_none() => {
                let is_binned = values(at).next().is_some() && values(at).all(|text| is_bin(&text));
                if is_binned {
                    meanings[at].0 = AGE_BIN.into();
                }
            }
            _ => {}
        }
    }

    if let Some(at) = SEXES.iter().find_map(|name| place(name)) {
        meanings[at] = (SEX.into(), Meaning::Sex);
        if values(at).any(|text| number(&text).is_some()) {
            warnings.push(
                "the sex is given in numbers whose meaning the table does not tell: they are kept"
                    .into(),
            );
        }
    }
    meanings
}

/// An age, or the lower end of an open range such as `89+`.
fn age(text: &str) -> Option<f64> {
    number(text.strip_suffix('+').unwrap_or(text))
}

/// Whether a text is a range of ages, such as `22-25` or `36+`.
fn is_bin(text: &str) -> bool {
    match (text.split_once('-'), text.strip_suffix('+')) {
        (Some((low, high)), _) => is_digits(low.trim()) && is_digits(high.trim()),
        (None, Some(low)) => is_digits(low),
        (None, None) => false,
    }
}

impl Meaning {
    /// A value in the form used here.
    pub fn read(self, text: &str) -> String {
        match self {
            Self::AsItIs => text.to_owned(),
            Self::Key => key(text).to_owned(),
            Self::Years => text.strip_suffix('+').unwrap_or(text).to_owned(),
            Self::Months => {
                age(text).map_or_else(|| text.to_owned(), |age| (age / 12.0).to_string())
            }
            Self::Sex => match text.to_ascii_lowercase().as_str() {
                "f" | "female" => "F".to_owned(),
                "m" | "male" => "M".to_owned(),
                _ => text.to_owned(),
            },
        }
    }
}

/// A key without the `.0` of tools that converted it to a number.
pub(super) fn key(text: &str) -> &str {
    match text.strip_suffix(".0") {
        Some(digits) if is_digits(digits) => digits,
        _ => text,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
