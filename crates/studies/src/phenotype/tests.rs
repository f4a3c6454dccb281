use brainmae_files::InvalidField;
use proptest::prelude::*;

use super::*;
use crate::error::PhenotypeProblem;

/// Reads tables with these names and texts.
fn read_with(columns: &[&str], files: &[(&str, &str)]) -> Result<Phenotypes, StudyError> {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        paths.push(path);
    }
    let options = PhenotypeOptions {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
    };
    Phenotypes::read(&paths, &options)
}

fn read(files: &[(&str, &str)]) -> Phenotypes {
    read_with(&[], files).unwrap()
}

/// The line and the problem of refused tables.
fn refused(result: Result<Phenotypes, StudyError>) -> (Option<u64>, PhenotypeProblem) {
    match result {
        Err(StudyError::Phenotype { line, problem, .. }) => (line, problem),
        other => panic!("{other:?}"),
    }
}

/// The refused column, and the expected values.
fn refused_column(result: Result<Phenotypes, StudyError>) -> (String, String) {
    match result {
        Err(StudyError::Config(InvalidField {
            field: "phenotype.columns",
            found,
            expected,
        })) => (found, expected),
        other => panic!("{other:?}"),
    }
}

fn record<'a>(phenotypes: &'a Phenotypes, subject: &str) -> &'a SubjectRecord {
    &phenotypes.records[&subject.into()]
}

fn category<'a>(record: &'a SubjectRecord, name: &str) -> Option<&'a str> {
    record.categories.get(name).map(String::as_str)
}

const UNRESTRICTED: &str = "\u{feff}\"Subject\",\"Release\",\"Gender\",\"Age\",\"3T_RS-fMRI_Count\",\
    \"PMAT24_A_CR\",\"QC_Issue\",\"3T_Full_MR_Compl\"\r\n\
    \"999901\",\"S900\",\"F\",\"22-25\",\"4\",\"17\",\"\",\"true\"\r\n\
    \"999902\",\"S1200\",\"M\",\"36+\",\"2\",\"\",\"A\",\"false\"\r\n";

const RESTRICTED: &str = "Subject,Age_in_Yrs,ZygositySR,Family_ID,Mother_ID,Father_ID\n\
    999902,36,NotTwin,90001_90002,90001,90002\n\
    999901,24,MZ,90003_90004,90003,90004\n";

#[test]
fn the_two_tables_of_hcp_become_one() {
    let phenotypes = read(&[("u.csv", UNRESTRICTED), ("r.csv", RESTRICTED)]);
    assert!(phenotypes.family_safe);
    assert_eq!(phenotypes.warnings, Vec::<String>::new());
    let first = record(&phenotypes, "999901");
    assert_eq!(first.family.as_deref(), Some("90003_90004"));
    let targets: Vec<(&str, f64)> = first
        .targets
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    assert_eq!(
        targets,
        [
            ("3t_rs_fmri_count", 4.0),
            ("age_years", 24.0),
            ("pmat24_a_cr", 17.0)
        ]
    );
    for (name, value) in [
        ("sex", Some("F")),
        ("age_bin", Some("22-25")),
        ("3t_full_mr_compl", Some("true")),
        ("qc_issue", None),
        ("zygositysr", Some("MZ")),
        ("father_id", None),
    ] {
        assert_eq!(category(first, name), value, "{name}");
    }
    let second = record(&phenotypes, "999902");
    assert_eq!(second.targets.get("pmat24_a_cr"), None);
    assert_eq!(category(second, "qc_issue"), Some("A"));
}

#[test]
fn without_the_restricted_table_age_and_families_are_unknown() {
    let phenotypes = read(&[("u.csv", UNRESTRICTED)]);
    assert!(!phenotypes.family_safe);
    let [ages] = &phenotypes.warnings[..] else {
        panic!("one warning: {phenotypes:?}");
    };
    assert!(ages.contains("exact age is not known, only age_bin"));
}

#[test]
fn a_family_is_named_by_the_best_column_that_there_is() {
    for (header, expected) in [
        ("Mother_ID,Family_ID,Pedigree_ID", "2"),
        ("Mother_ID,Mother,Pedigree ID", "3"),
        ("rel_family_id,x,Mother_ID", "1"),
        ("a,Mother_ID,b", "2"),
        ("a,b,Father_ID", "3"),
    ] {
        let text = format!("subject,{header}\n999901,1,2,3.0\n");
        let phenotypes = read(&[("r.csv", &text)]);
        let record = record(&phenotypes, "999901");
        assert_eq!(record.family.as_deref(), Some(expected), "{header}");
        assert!(phenotypes.family_safe);
    }
}

#[test]
fn families_known_for_some_are_not_safe() {
    let text = "subject,family_id\n999901,a\n999902,NA\n999903,a\n";
    let phenotypes = read(&[("r.csv", text)]);
    assert!(!phenotypes.family_safe);
    assert_eq!(record(&phenotypes, "999902").family, None);
}

#[test]
fn unknown_families_are_counted_over_the_subjects_that_are_used() {
    let text = "subject,family_id\n1,a\n2,NA\n3,a\n4,\n5,b\n";
    let phenotypes = read(&[("r.csv", text)]);
    let warning = |subjects: &[&str]| {
        let subjects: Vec<SubjectId> = subjects.iter().map(|name| (*name).into()).collect();
        phenotypes.family_warning(&phenotypes.for_subjects(&subjects).0)
    };
    assert_eq!(phenotypes.warnings, Vec::<String>::new());
    assert_eq!(warning(&["1", "3", "5"]), None);
    assert_eq!(warning(&["2"]), None, "a single subject has no relatives");
    assert_eq!(warning(&[]), None);
    let rest = "splits are not family-safe, give the restricted table";
    // The last subject is in no table.
    assert_eq!(
        warning(&["1", "2", "99"]),
        Some(format!(
            "the family of 2 of 3 subjects is not known: {rest}"
        ))
    );
    assert_eq!(
        warning(&["2", "4"]),
        Some(format!("no family is known: {rest}"))
    );
}

/// The families of subjects `1`, `2`, …
fn families(files: &[(&str, &str)]) -> Vec<Option<String>> {
    let phenotypes = read(files);
    let families: Vec<Option<String>> = (1..=phenotypes.records.len())
        .map(|subject| record(&phenotypes, &subject.to_string()).family.clone())
        .collect();
    let all_known = families.iter().all(Option::is_some);
    assert_eq!(phenotypes.family_safe, all_known);
    families
}

#[test]
fn half_siblings_are_one_family() {
    // Subjects 1 and 2 share the mother, 3 and 4 the father. Subject 5 has no relatives: the number
    // of its mother equals that of a father.
    let text = "subject,Family_ID,Mother_ID,Father_ID\n\
        1,51_61,51,61\n2,51_62,51.0,62\n3,52_63,52,63\n4,53_63,53,63\n5,63_64,63,64\n";
    let families = families(&[("r.csv", text)]);
    let expected = ["51_61", "51_61", "52_63", "52_63", "63_64"];
    assert_eq!(families, expected.map(|name| Some(name.to_owned())));
}

#[test]
fn two_tables_with_two_columns_of_families_are_joined() {
    // Subjects 2 and 3 are related by the first table, 3 and 4 by the second. The number of subject
    // 1 equals a pedigree number, which is not a family. Subject 5 has no key.
    let one = "subject,Family_ID\n1,7\n2,8\n3,8\n5,NA\n";
    let two = "subject,Pedigree_ID\n3,6\n4,6\n6,7\n";
    for files in [
        [("one.csv", one), ("two.csv", two)],
        [("two.csv", two), ("one.csv", one)],
    ] {
        let families = families(&files);
        let families: Vec<Option<&str>> = families.iter().map(Option::as_deref).collect();
        let [one, eight] = [Some("7"), Some("8")];
        let six = Some("pedigree_id 7");
        assert_eq!(families, [one, eight, eight, eight, None, six]);
    }
}

#[test]
fn keys_of_relatives_are_nothing_to_predict() {
    let (found, _) = refused_column(read_with(&["Father_ID"], &[("r.csv", RESTRICTED)]));
    assert_eq!(found, "Father_ID");
    let phenotypes = read(&[("r.csv", RESTRICTED)]);
    let first = record(&phenotypes, "999901");
    assert!(!first.targets.keys().any(|name| name.ends_with("_id")));
    assert!(!first.categories.keys().any(|name| name.ends_with("_id")));
}

#[test]
fn an_nda_table_has_a_line_of_descriptions_months_and_visits() {
    let text = "\"subjectkey\"\t\"src_subject_id\"\t\"interview_age\"\t\"sex\"\t\"visit\"\t\"moca\"\n\
        \"The NDAR key\"\t\"Subject ID how it's defined\"\t\"Age in months\"\t\"Sex\"\t\"Visit\"\t\"Score\"\n\
        NDAR_A\tHCA9999901\t510\tF\tV2\t25\n\
        NDAR_A\tHCA9999901\t486\tF\tV1\t28\n\
        NDAR_A\tHCA9999901\t480\tF\tF1\t1\n\
        NDAR_B\tHCA9999902\t1200\tM\tV1\t\n";
    let phenotypes = read(&[("ndar_subject01.txt", text)]);
    assert_eq!(phenotypes.records.len(), 2);
    let first = record(&phenotypes, "HCA9999901");
    assert_eq!(first.targets["age_years"], 40.5);
    assert_eq!(first.targets["moca"], 28.0);
    assert_eq!(category(first, "sex"), Some("F"));
    assert_eq!(category(first, "visit"), None);
    let warnings = phenotypes.warnings.join("\n");
    for part in [
        "ndar_subject01.txt: 1 subjects have several rows: the first visit",
        "the age_years of 1 subjects is 90 or more",
    ] {
        assert!(warnings.contains(part), "{warnings}");
    }
}

#[test]
fn a_visit_in_the_name_of_a_subject_is_no_part_of_it() {
    let text = "Subject;score\nHCA9999901_V2_MR;2\nHCA9999901_V1;1\n100.0;3\n;4\nsub-;5\n";
    let phenotypes = read(&[("a.csv", text)]);
    let subjects: Vec<&str> = phenotypes.records.keys().map(SubjectId::as_str).collect();
    assert_eq!(subjects, ["100", "HCA9999901"]);
    assert_eq!(record(&phenotypes, "HCA9999901").targets["score"], 1.0);
    assert!(phenotypes.warnings[0].contains("2 rows without a subject"));
}

#[test]
fn a_bids_table_has_years_and_open_ranges() {
    let text =
        "participant_id\tage\tSex\thand edness\nsub-01\t33.5\tfemale\tr\nsub-02\t89+\tmale\tn/a\n";
    let phenotypes = read(&[("participants.tsv", text)]);
    let second = record(&phenotypes, "02");
    assert_eq!(second.targets["age_years"], 89.0);
    assert_eq!(category(second, "sex"), Some("M"));
    assert_eq!(category(second, "hand_edness"), None);
    assert!(
        phenotypes
            .warnings
            .join("\n")
            .contains("1 ages are open ranges")
    );
}

#[test]
fn numbers_for_the_sex_are_kept_with_a_warning() {
    let phenotypes = read(&[(
        "a.csv",
        "subject,sex,gender\n999901,1,woman\n999902,2,man\n",
    )]);
    assert_eq!(category(record(&phenotypes, "999902"), "sex"), Some("2"));
    assert_eq!(
        category(record(&phenotypes, "999902"), "gender"),
        Some("man")
    );
    assert!(phenotypes.warnings[0].contains("sex is given in numbers"));
}

#[test]
fn two_ages_keep_two_names() {
    let text = "subject,interview_age,Age_in_Yrs,age\n999901,300,25,24.9\n";
    let phenotypes = read(&[("a.csv", text)]);
    let targets = &record(&phenotypes, "999901").targets;
    assert_eq!(targets["age_years"], 25.0);
    assert_eq!(targets["interview_age_months"], 300.0);
    assert_eq!(targets["age"], 24.9);
}

#[test]
fn columns_are_chosen_by_either_name() {
    let files = [("u.csv", UNRESTRICTED), ("r.csv", RESTRICTED)];
    let phenotypes = read_with(&["PMAT24_A_CR", "zygositysr", "Gender"], &files).unwrap();
    let first = record(&phenotypes, "999901");
    let names: Vec<&String> = first
        .targets
        .keys()
        .chain(first.categories.keys())
        .collect();
    assert_eq!(
        names,
        ["age_years", "pmat24_a_cr", "age_bin", "sex", "zygositysr"]
    );

    let (found, expected) = refused_column(read_with(&["PMAT24_A_CS"], &files));
    assert_eq!(found, "PMAT24_A_CS");
    assert!(expected.contains("pmat24_a_cr"), "{expected}");
    let (found, _) = refused_column(read_with(&["Family_ID"], &files));
    assert_eq!(found, "Family_ID");
}

#[test]
fn free_text_is_left_out_unless_asked_for_which_is_an_error() {
    let long = "x".repeat(41);
    let text = format!("subject,remark,n\n999901,{long},1\n");
    let files = [("a.csv", text.as_str())];
    let phenotypes = read(&files);
    assert_eq!(category(record(&phenotypes, "999901"), "remark"), None);
    assert!(
        phenotypes
            .warnings
            .contains(&"1 columns of free text are left out".into())
    );
    let (found, expected) = refused_column(read_with(&["remark"], &files));
    assert_eq!(found, "remark");
    assert!(!expected.contains(&long), "{expected}");
}

#[test]
fn files_that_differ_are_named_without_subject_or_value() {
    let one = "subject,score\n999901,7071\n999902,1\n";
    for (two, agree) in [
        ("Subject,SCORE\n999901,7071.0\n", true),
        ("Subject,SCORE\n999901,\n", true),
        ("Subject,SCORE\n999901,7072\n", false),
    ] {
        let result = read_with(&[], &[("one.csv", one), ("two.csv", two)]);
        let Err(error) = result else {
            assert!(agree, "{two}");
            continue;
        };
        let StudyError::Phenotype {
            path,
            line: None,
            problem: PhenotypeProblem::Differs { column, other },
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(column, "SCORE");
        assert!(path.ends_with("two.csv") && other.ends_with("one.csv"));
        let error = error.to_string();
        for secret in ["999901", "7071", "7072"] {
            assert!(!error.contains(secret), "{error}");
        }
    }
}

#[test]
fn what_is_no_table_of_subjects_is_refused_without_its_values() {
    use PhenotypeProblem as P;
    let no_column = P::NoSubjectColumn {
        expected: &header::SUBJECT,
    };
    let cells = P::Cells {
        found: 1,
        expected: 2,
    };
    let one_column = P::OneColumn {
        first: "A b".into(),
        second: "a-B".into(),
        name: "a_b".into(),
    };
    for (text, line, expected) in [
        ("", Some(1), no_column.clone()),
        ("a,b\n7071,2\n", Some(1), no_column),
        ("subject,a\n7071,1\n7071\n", Some(3), cells),
        ("subject,A b,a-B\n7071,1,2\n", Some(1), one_column),
        ("subject,a\n", None, P::NoSubject),
        ("subject,a\n,7071\n", None, P::NoSubject),
        ("\u{feff}Subject", None, P::NoSubject),
    ] {
        let error = read_with(&[], &[("a.csv", text)]).unwrap_err();
        let message = error.to_string();
        assert!(
            !message.contains("7071") && message.contains("a.csv"),
            "{message}"
        );
        assert_eq!(refused(Err(error)), (line, expected), "{text:?}");
    }
}

#[test]
fn other_encodings_are_refused_or_read_as_far_as_they_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Phenotypes::read(std::slice::from_ref(&path), &PhenotypeOptions::default())
    };
    let problem = refused(read(b"\xff\xfeS\0"));
    assert_eq!(problem, (None, PhenotypeProblem::Utf16));
    let latin1 = read(b"subject,town,n\n999901,K\xf6ln,3\n").unwrap();
    assert_eq!(record(&latin1, "999901").targets["n"], 3.0);
}

#[test]
fn a_debug_print_shows_no_values() {
    let phenotypes = read(&[("u.csv", UNRESTRICTED), ("r.csv", RESTRICTED)]);
    let shown = format!("{phenotypes:?}");
    assert!(shown.contains("n_subjects: 2"), "{shown}");
    assert!(
        !shown.contains("9999") && !shown.contains("22-25"),
        "{shown}"
    );
}

#[test]
fn subjects_in_no_table_are_counted_and_have_empty_records() {
    let phenotypes = read(&[("r.csv", RESTRICTED)]);
    let wanted = ["999903".into(), "999901".into()];
    let (records, n_without) = phenotypes.for_subjects(&wanted);
    assert_eq!(n_without, 1);
    assert_eq!(records[0], merge::empty_record("999903".into()));
    assert_eq!(&records[1], record(&phenotypes, "999901"));
}

#[test]
fn no_table_is_no_subject() {
    let phenotypes = read(&[]);
    assert!(phenotypes.records.is_empty() && !phenotypes.family_safe);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_a_table_or_an_error(text in any::<Vec<u8>>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut bytes = b"subject,age,sex,Family_ID\n".to_vec();
        bytes.extend(&text);
        for bytes in [&text, &bytes] {
            std::fs::write(&path, bytes).unwrap();
            let _ = Phenotypes::read(std::slice::from_ref(&path), &PhenotypeOptions::default());
        }
    }

    #[test]
    fn every_cell_lands_in_one_place(
        cells in prop::collection::vec("[0-9+.NnaA/-]{0,4}", 1..12),
        name in "(age|sex|x|visit|interview_age)",
    ) {
        let rows: String = cells
            .iter()
            .enumerate()
            .map(|(at, cell)| format!("{at},{cell}\n"))
            .collect();
        let text = format!("subject,{name}\n{rows}");
        let phenotypes = read(&[("a.csv", &text)]);
        prop_assert_eq!(phenotypes.records.len(), cells.len());
        for record in phenotypes.records.values() {
            prop_assert!(record.targets.len() + record.categories.len() <= 1);
            prop_assert!(record.targets.values().all(|value| value.is_finite()));
        }
    }
}
