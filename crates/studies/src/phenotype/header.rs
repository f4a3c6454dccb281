//! Column names: their normal form, and the names with a known meaning.

/// Exact age in years.
pub(super) const AGE_YEARS: &str = "age_years";
/// Age as a range, such as `22-25`.
pub(super) const AGE_BIN: &str = "age_bin";
/// `F` or `M`, if a table has it.
pub(super) const SEX: &str = "sex";

/// Columns that name the subject, the best first; NDA's own key is not used in image names.
pub(super) static SUBJECT: [&str; 9] = [
    "subject",
    "participant_id",
    "src_subject_id",
    "subject_id",
    "subjectid",
    "sub",
    "sub_id",
    "participant",
    "subjectkey",
];
/// The key column of NDA tables; their second line describes the columns.
pub(super) const NDA_KEY: &str = "subjectkey";
/// Columns that distinguish visits of one subject.
pub(super) const VISIT: [&str; 5] = ["visit", "visit_id", "session", "session_id", "ses"];
/// Columns of keys that relatives share, the best name of a family first; each is a separate kind.
/// All of them are used, because half-siblings share a parent but no family key.
pub(super) const KINSHIP: [&str; 6] = [
    "family_id",
    "pedigree_id",
    "rel_family_id",
    "family",
    "mother_id",
    "father_id",
];
/// Columns of exact age, the best first; the last one is in months.
pub(super) const AGES: [&str; 6] = [
    AGE_YEARS,
    "age_in_yrs",
    "age_in_years",
    "age_yrs",
    "age",
    INTERVIEW_AGE,
];
/// Age in months in NDA tables.
pub(super) const INTERVIEW_AGE: &str = "interview_age";
/// Columns of sex, the best first.
pub(super) const SEXES: [&str; 2] = [SEX, "gender"];

/// A name in lower case, in which every run of other characters than letters and digits is one
/// underscore.
pub(super) fn normalise(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_alphanumeric() {
            normal.extend(
                letter
                    .to_lowercase()
                    .filter(|letter| letter.is_alphanumeric()),
            );
        } else if !normal.is_empty() && !normal.ends_with('_') {
            normal.push('_');
        }
    }
    normal.truncate(normal.trim_end_matches('_').len());
    normal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_and_punctuation_do_not_count() {
        for (name, expected) in [
            ("PMAT24_A_CR", "pmat24_a_cr"),
            ("3T_RS-fMRI_Count", "3t_rs_fmri_count"),
            ("\"Age in Yrs.\"", "age_in_yrs"),
            ("  Family  ID ", "family_id"),
            ("Größe", "größe"),
            ("--", ""),
        ] {
            assert_eq!(normalise(name), expected);
        }
    }

    proptest! {
        #[test]
        fn a_normal_name_stays_as_it_is(name in any::<String>()) {
            let normal = normalise(&name);
            prop_assert!(!normal.starts_with('_') && !normal.ends_with('_'));
            prop_assert_eq!(normalise(&normal), normal);
        }
    }
}
