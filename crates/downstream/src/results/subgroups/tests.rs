use brainmae_data::SubjectId;

use super::*;
use crate::predictions::tests::{class, number as predicted};

/// People of two sexes at three sites, aged 20 to 79, of whom the sixtieth is the only one at the
/// third site. Predictions of age are right for women and 10 years too high for men; those who move
/// most have an error of 5 years more.
fn people() -> (Predictions, Vec<SubjectRecord>) {
    let name = |i: usize| format!("p{i:02}");
    let records = (0..60).map(|i| {
        let sex = if i % 2 == 0 { "F" } else { "M" };
        let site = match i {
            59 => "Rome",
            _ => ["Leiden", "Oslo"][i / 2 % 2],
        };
        let categories = [(SEX, sex), (SITE, site)];
        let categories = categories.map(|(key, value)| (key.to_string(), value.to_string()));
        SubjectRecord {
            subject: SubjectId::new(name(i)),
            family: None,
            targets: [(AGE.to_string(), 20.0 + i as f64)].into(),
            categories: categories.into(),
        }
    });
    let moves = |i: usize| (i * 7 % 60) as f64 / 100.0;
    let rows = (0..60).map(|i| {
        let age = 20.0 + i as f64;
        let mut said = age + 10.0 * (i % 2) as f64;
        if moves(i) >= 0.4 {
            said += 5.0;
        }
        Prediction {
            blind: vec![50.0],
            confounds: vec![Some(moves(i))],
            model: "BrainMAE".into(),
            ..predicted(i as u32 % 3, &name(i), age, said)
        }
    });
    let records = records.collect();
    let predictions = Predictions::new(vec![MEAN_FD.into()], rows.collect());
    (predictions.expect("consistent"), records)
}

fn subgroups() -> Subgroups {
    let (predictions, records) = people();
    let spec = ResultsSpec {
        resamples: 200,
        ..ResultsSpec::default()
    };
    Subgroups::new(&predictions, &records, &spec, &Seeds::new(1))
}

fn of<'a>(found: &'a Subgroups, by: &str, score: Score) -> Vec<&'a SubgroupRow> {
    let rows = found.rows().iter();
    rows.filter(|row| row.group.by == by && row.score == score)
        .collect()
}

#[test]
fn errors_are_those_of_the_people_of_a_group() {
    let found = subgroups();
    let mae = |by: &str| -> Vec<f64> {
        let rows = of(&found, by, Score::Mae).into_iter();
        rows.map(|row| row.value.expect("defined")).collect()
    };
    // A third of either sex moves most, and 7 i mod 60 is as often odd as even.
    let (women, men) = (mae(SEX)[0], mae(SEX)[1]);
    assert!((men - women - 10.0).abs() < 1e-9, "{women}, {men}");
    let motion = mae(MEAN_FD);
    assert!((motion[2] - motion[0] - 5.0).abs() < 1e-9, "{motion:?}");
    assert_eq!(motion[0], motion[1]);
    for row in found.rows() {
        let interval = row.interval.expect("more than one family");
        let value = row.value.expect("defined");
        assert!(interval.low <= value && value <= interval.high, "{row:?}");
    }
}

#[test]
fn thirds_have_a_third_of_the_people_and_small_groups_are_left_out() {
    let found = subgroups();
    let ages = of(&found, AGE, Score::R2);
    let names: Vec<&str> = ages.iter().map(|row| row.group.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "lowest third: below 40.0",
            "middle third: 40.0 to below 60.0",
            "highest third: 60.0 and above"
        ]
    );
    assert!(ages.iter().all(|row| row.n_people == 20));
    let sites: Vec<&str> = (of(&found, SITE, Score::R2).iter())
        .map(|row| row.group.name.as_str())
        .collect();
    assert_eq!(sites, ["Leiden", "Oslo"]);
    let text = found.to_markdown(&ResultsSpec::default());
    assert!(
        text.contains("Left out, with fewer than 10 people: site Rome (1)."),
        "{text}"
    );
    assert!(text.contains("| sex | F | 30 |"), "{text}");
    let table = found.to_table().expect("a table");
    let read = Subgroups::from_table(&table).expect("as written");
    assert_eq!(read.rows(), found.rows());
}

#[test]
fn people_with_one_value_are_in_one_third() {
    let values = [
        ("a", 1.0),
        ("b", 1.0),
        ("c", 1.0),
        ("d", 2.0),
        ("e", 3.0),
        ("f", 3.0),
    ];
    let found = thirds(AGE, 1, values.to_vec());
    let orders: Vec<usize> = found.iter().map(|(_, group)| group.order).collect();
    assert_eq!(orders, [1, 1, 1, 1, 2, 2]);
    assert!(thirds(AGE, 1, vec![("a", 1.0), ("b", 2.0)]).is_empty());
}

#[test]
fn a_few_people_have_no_table_and_classes_have_their_score() {
    let (_, records) = people();
    let rows = |n: usize| {
        let row = |i: usize| class(i as u32 % 2, &format!("p{i:02}"), i % 3 % 2, &[0.4, 0.6]);
        Predictions::new(vec![], (0..n).map(row).collect()).expect("consistent")
    };
    let spec = ResultsSpec {
        resamples: 100,
        ..ResultsSpec::default()
    };
    let of = |n| Subgroups::new(&rows(n), &records, &spec, &Seeds::new(1));
    assert_eq!(of(9).rows(), []);
    assert_eq!(of(9).to_markdown(&spec), "");
    let found = of(60);
    // Without measured motion there are no thirds of it.
    assert!(found.rows().iter().all(|row| row.group.by != MEAN_FD));
    let scores = found.rows().iter().map(|row| row.score);
    assert!(!found.rows().is_empty() && scores.into_iter().all(|s| s == Score::BalancedAccuracy));
    assert!(found.to_markdown(&spec).contains("m, balanced_accuracy"));
}
