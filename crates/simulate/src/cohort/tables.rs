//! Tables of subjects in the formats of the HCP and the NDA, with fictional values.

use std::fmt::Write as _;
use std::path::Path;

use rand::{Rng, RngExt};

use super::aging;
use super::person::{Birth, Person, normal};
use super::place::write_text;
use super::plan::{Defect, PlannedScan};
use crate::error::SimulateError;

/// Columns of the unrestricted table of the HCP.
const UNRESTRICTED: [&str; 17] = [
    "Subject",
    "Release",
    "Acquisition",
    "Gender",
    "Age",
    "3T_Full_MR_Compl",
    "3T_RS-fMRI_Count",
    "3T_RS-fMRI_PctCompl",
    "QC_Issue",
    "PicSeq_Unadj",
    "PMAT24_A_CR",
    "PMAT24_A_SI",
    "PicVocab_Unadj",
    "IWRD_TOT",
    "ListSort_Unadj",
    "PSQI_Score",
    "CogTotalComp_Unadj",
];

/// Rest scans of a complete subject.
const REST_SCANS: usize = 4;

/// The index of the subject without a behaviour score, if defects are planted, and the interval
/// between subjects without another score.
const WITHOUT_SCORE: usize = 4;
const MISSING_EVERY: usize = 7;

/// First id numbers of mothers and fathers.
const MOTHERS: usize = 50_001;
const FATHERS: usize = 80_001;

/// Writes `unrestricted.csv`: sex, age bins and scores.
pub(super) fn write_hcp_unrestricted(
    path: &Path,
    people: &[Person],
    scans: &[PlannedScan],
    rng: &mut dyn Rng,
) -> Result<(), SimulateError> {
    let has_defects = scans.iter().any(|scan| scan.defect.is_some());
    let mut text = UNRESTRICTED.join(",") + "\n";
    for (number, person) in people.iter().enumerate() {
        let own = || scans.iter().filter(|scan| scan.person == number);
        let is_there = |scan: &&PlannedScan| scan.defect != Some(Defect::Missing);
        let complete = own().all(|scan| is_there(&scan));
        let rest = own().filter(is_there).filter(|s| s.task == "rest").count();
        let mut score = |mean: f64, sd: f64, digits: usize| {
            let value = (mean + sd * normal(rng)).max(0.0);
            let missing = (number + digits).is_multiple_of(MISSING_EVERY) && has_defects;
            if missing {
                String::new()
            } else {
                format!("{value:.digits$}")
            }
        };
        let cells = [
            person.id.clone(),
            "S1200".into(),
            format!("Q{:02}", number % 13 + 1),
            person.sex.letter().into(),
            age_bin(person.age_years()).into(),
            complete.to_string(),
            rest.to_string(),
            (100 * rest / REST_SCANS).to_string(),
            if number % 5 == 2 { "A" } else { "" }.into(),
            score(111.6, 13.0, 2),
            match has_defects && number == WITHOUT_SCORE {
                true => String::new(),
                false => person.score.to_string(),
            },
            score(3.2, 1.0, 0),
            score(116.6, 9.0, 4),
            score(35.5, 2.0, 0),
            score(110.9, 11.0, 2),
            score(4.9, 1.2, 0),
            score(121.3, 14.0, 2),
        ];
        text += &(cells.join(",") + "\n");
    }
    write_text(path, &text)
}

/// Writes `restricted.csv`: exact age, parents and type of birth of siblings.
pub(super) fn write_hcp_restricted(path: &Path, people: &[Person]) -> Result<(), SimulateError> {
    let mut text =
        String::from("Subject,Age_in_Yrs,Family_ID,Mother_ID,Father_ID,ZygositySR,ZygosityGT\n");
    for person in people {
        let (mother, father) = (MOTHERS + person.family, FATHERS + person.family);
        let (reported, genotyped) = match person.birth {
            Birth::Single => ("NotTwin", ""),
            Birth::Dizygotic => ("NotMZ", "DZ"),
            Birth::Monozygotic => ("MZ", "MZ"),
        };
        writeln!(
            text,
            "{},{},{mother}_{father},{mother},{father},{reported},{genotyped}",
            person.id,
            person.age_years()
        )
        .expect("a String takes all text");
    }
    write_text(path, &text)
}

/// Writes `ndar_subject01.txt`: tab-separated quoted cells, a second line of descriptions, one row
/// per visit.
pub(super) fn write_nda(
    path: &Path,
    people: &[Person],
    rng: &mut dyn Rng,
) -> Result<(), SimulateError> {
    let mut text = String::from(concat!(
        "\"subjectkey\"\t\"src_subject_id\"\t\"visit\"\t\"interview_age\"\t\"sex\"\t\"site\"\t\"pmat24_a_cr\"\n",
        "\"The NDAR Global Unique Identifier\"\t\"Subject ID how it's defined in lab/project\"\t",
        "\"Visit name\"\t\"Age in months at the time of the interview\"\t\"Sex of subject at birth\"\t",
        "\"Site\"\t\"Penn matrices, correct responses\"\n",
    ));
    for (number, person) in people.iter().enumerate() {
        let site = ["WU", "UMN", "MGH", "UCLA"][rng.random_range(0..4)];
        for (visit, name) in aging::visits(number).iter().enumerate() {
            let months = person.age_months + visit as u32 * aging::SECOND_VISIT_MONTHS;
            writeln!(
                text,
                "\"NDAR_INVSIM{number:05}\"\t\"{}\"\t\"{name}\"\t\"{months}\"\t\"{}\"\t\"{site}\"\t\"{}\"",
                person.id,
                person.sex.letter(),
                person.score
            )
            .expect("a String takes all text");
        }
    }
    write_text(path, &text)
}

fn age_bin(years: f64) -> &'static str {
    match years {
        y if y <= 25.0 => "22-25",
        y if y <= 30.0 => "26-30",
        y if y <= 35.0 => "31-35",
        _ => "36+",
    }
}
