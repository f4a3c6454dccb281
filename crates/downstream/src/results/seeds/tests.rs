use super::*;
use crate::Prediction;
use crate::predictions::tests::number;

/// Predictions of twelve people by the model `m` with these errors, and by `FC + ridge`, whose
/// errors are 1.
fn run(error: impl Fn(usize) -> f64) -> Predictions {
    let person = |i: usize, model: &str, error: f64| {
        let truth = 20.0 + (i * i % 13) as f64;
        Prediction {
            model: model.into(),
            blind: vec![26.0],
            ..number(i as u32 / 4, &format!("{i:02}"), truth, truth + error)
        }
    };
    let rows = (0..12).flat_map(|i| [person(i, "m", error(i)), person(i, "FC + ridge", 1.0)]);
    Predictions::new(vec![], rows.collect()).expect("rows that agree")
}

fn three() -> SeedsResults {
    let runs = [
        (4, run(|_| 1.0)),
        (5, run(|_| 2.0)),
        (9, run(|i| if i < 6 { 3.0 } else { -3.0 })),
    ];
    let spec = ResultsSpec {
        resamples: 300,
        ..ResultsSpec::default()
    };
    SeedsResults::new(&runs, &spec, &Seeds::new(1))
}

fn row<'a>(all: &'a SeedsResults, model: &str, score: Score) -> &'a SeedsRow {
    let found = (all.rows().iter()).find(|row| row.model == model && row.score == score);
    found.expect("a row")
}

#[test]
fn a_seed_is_a_value_and_the_seeds_have_mean_and_deviation() {
    let all = three();
    assert_eq!(all.seeds(), [4, 5, 9]);
    let mae = row(&all, "m", Score::Mae);
    let close = |found: &OverSeeds, values: [f64; 3], mean: f64| {
        for (found, expected) in found.values.iter().zip(values) {
            assert!((found.expect("defined") - expected).abs() < 1e-12);
        }
        assert!((found.mean.expect("defined") - mean).abs() < 1e-12);
        assert!((found.std.expect("three seeds") - 1.0).abs() < 1e-12);
    };
    close(&mae.of, [1.0, 2.0, 3.0], 2.0);
    let (name, difference) = mae.linear.as_ref().expect("there is a linear model");
    assert_eq!(name, "FC + ridge");
    close(difference, [0.0, 1.0, 2.0], 1.0);
    // All errors have one size, so other people would change nothing.
    let interval = mae.of.interval.expect("twelve people");
    assert!((interval.low - 2.0).abs() < 1e-12 && (interval.high - 2.0).abs() < 1e-12);
    let r2 = row(&all, "m", Score::R2)
        .of
        .interval
        .expect("twelve people");
    assert!(r2.high - r2.low > 0.01, "{r2:?}");
}

#[test]
fn a_model_without_random_numbers_does_not_differ_between_seeds() {
    let all = three();
    let linear = row(&all, "FC + ridge", Score::R2);
    assert!(linear.of.std.expect("three seeds") < 1e-12);
    assert_eq!(linear.linear, None);
    let slope = row(&all, "m", Score::CalibrationSlope);
    assert_eq!(slope.linear, None);
}

#[test]
fn the_interval_is_that_of_the_mean_over_seeds() {
    let one = run(|i| if i % 2 == 0 { 4.0 } else { 0.0 });
    let other = run(|i| if i % 2 == 0 { 0.0 } else { 4.0 });
    let spec = ResultsSpec::default();
    let width = |runs: &[(u64, Predictions)]| {
        let all = SeedsResults::new(runs, &spec, &Seeds::new(1));
        let interval = row(&all, "m", Score::Mae).of.interval.expect("people");
        interval.high - interval.low
    };
    assert!(width(&[(1, one.clone())]) > 1.0);
    // Where one training errs the other does not, so the mean has no doubt.
    assert!(width(&[(1, one), (2, other)]) < 1e-9);
}

#[test]
fn a_model_that_a_seed_lacks_has_no_row() {
    let (whole, mut rows) = (run(|_| 1.0), run(|_| 1.0).rows().to_vec());
    rows.retain(|row| row.model != "m");
    let less = Predictions::new(vec![], rows).expect("rows that agree");
    let runs = [(1, whole), (2, less)];
    let all = SeedsResults::new(&runs, &ResultsSpec::default(), &Seeds::new(1));
    assert!(all.rows().iter().all(|row| row.model == "FC + ridge"));
}

#[test]
fn tables_are_read_as_they_were_written() {
    let all = three();
    let table = all.to_table().expect("a table");
    assert_eq!(
        SeedsResults::from_table(&table, all.seeds()).expect("read"),
        all
    );
    let text = all.to_markdown();
    assert!(text.contains("### age_years, 3 seeds"), "{text}");
    assert!(text.contains("less that of FC + ridge"), "{text}");
}
