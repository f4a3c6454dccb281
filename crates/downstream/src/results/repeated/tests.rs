use brainmae_run::table::{read_table, write_table};

use super::*;
use crate::Prediction;
use crate::predictions::tests::number as predicted;

/// Predictions of one partition into three folds of two units; in each fold both models have one
/// size of error, in years: that of `m` and that of the linear model.
fn partition(repeat: u32, errors: [(f64, f64); 3]) -> Predictions {
    let mut rows = Vec::new();
    for unit in 0..6u32 {
        // Repeats have other folds.
        let fold = (unit + repeat * (unit / 3)) % 3;
        let (m, linear) = errors[fold as usize];
        let truth = 20.0 + f64::from(unit);
        for (model, error) in [("m", m), ("FC + ridge", linear)] {
            rows.push(Prediction {
                model: model.into(),
                ..predicted(fold, &format!("{unit}"), truth, truth + error)
            });
        }
    }
    Predictions::new(vec![], rows).expect("rows that agree")
}

fn two_repeats() -> Repeated {
    let repeats = [
        partition(0, [(1.0, 2.0), (2.0, 4.0), (3.0, 3.0)]),
        partition(1, [(1.0, 4.0), (2.0, 3.0), (1.5, 3.5)]),
    ];
    Repeated::new(&repeats, &ResultsSpec::default())
}

fn row<'a>(repeated: &'a Repeated, model: &str, score: Score) -> &'a RepeatedRow {
    let mut rows = repeated.rows().iter();
    rows.find(|row| row.model == model && row.score == score)
        .expect("a row")
}

#[test]
fn differences_of_all_repeats_are_tested_together() {
    let repeated = two_repeats();
    let m = row(&repeated, "m", Score::Mae);
    assert_eq!((m.n_repeats, m.n_folds), (2, 3));
    assert_eq!(m.mean, Some(1.75));
    // Of all folds together, 2 and 1.5.
    let sd = m.sd_of_repeats.expect("two repeats");
    assert!((sd - 0.5 / 2f64.sqrt()).abs() < 1e-12, "{sd}");
    // −1 −2 0, −3 −1 −2: t = −1.5 / √((1/6 + 2/4) · 1.1) = −1.751624, 5 degrees of freedom; the
    // integral of the density by Simpson's rule.
    assert_eq!(m.difference, Some(-1.5));
    let p = m.p.expect("folds differ");
    assert!((p - 0.140_228_848).abs() < 1e-7, "{p}");
    let reference = row(&repeated, "FC + ridge", Score::Mae);
    assert_eq!((reference.difference, reference.p), (None, None));
    assert_eq!(reference.reference, None);
    let slope = row(&repeated, "m", Score::CalibrationSlope);
    assert_eq!((slope.difference, slope.p), (None, None));
}

#[test]
fn holm_counts_models_and_targets() {
    let both = |repeat, errors| {
        let one = partition(repeat, errors);
        let mut rows = one.rows().to_vec();
        let height = one.rows().iter().map(|row| Prediction {
            target: "height".into(),
            ..row.clone()
        });
        rows.extend(height);
        Predictions::new(vec![], rows).expect("rows that agree")
    };
    let repeats = [
        both(0, [(1.0, 2.0), (2.0, 4.0), (3.0, 3.0)]),
        both(1, [(1.0, 4.0), (2.0, 3.0), (1.5, 3.5)]),
    ];
    let repeated = Repeated::new(&repeats, &ResultsSpec::default());
    let m = row(&repeated, "m", Score::Mae);
    let (p, adjusted) = (m.p.expect("a test"), m.p_holm.expect("a test"));
    assert!((adjusted - 2.0 * p).abs() < 1e-12, "{adjusted}");
}

#[test]
fn rows_come_back_from_a_run_folder_and_the_best_is_on_top() {
    let repeated = two_repeats();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let table = repeated.to_table().expect("columns of one length");
    write_table(folder.path(), "repeated", &table).expect("writable");
    let read = read_table(folder.path(), "repeated").expect("readable");
    assert_eq!(Repeated::from_table(&read).expect("as written"), repeated);
    let text = repeated.to_markdown();
    assert!(text.contains("on 2 more partitions into 3 folds"), "{text}");
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{text}"));
    assert!(place("| m | r2 |") < place("| FC + ridge | r2 |"));
    assert_eq!(
        Repeated::new(&[], &ResultsSpec::default()).to_markdown(),
        ""
    );
}
