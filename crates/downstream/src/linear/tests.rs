use brainmae_run::Seeds;
use burn::tensor::Device;
use rand::RngExt;

use super::*;
use crate::testing::{problem, scan};
use crate::{Example, Scan};

const SUBJECTS: usize = 20;
const COLUMNS: usize = 15;

/// Predictions of subjects, each with as many equal scans; the last five are the validation set.
/// Rows and truths are independent noise.
fn predictions(scans_each: usize, of_subjects: bool) -> Vec<f64> {
    let rng = &mut Seeds::new(3).stream("rows");
    let of_subject = DMatrix::from_fn(SUBJECTS, COLUMNS, |_, _| rng.random_range(-1.0..1.0));
    let truths: Vec<f64> = (0..SUBJECTS).map(|_| rng.random_range(-1.0..1.0)).collect();
    let n_scans = SUBJECTS * scans_each;
    let names = (0..n_scans).map(|i| format!("subject-{}", i / scans_each));
    let scans: Vec<Scan> = names.map(|name| scan(&name, 4)).collect();
    let x = DMatrix::from_fn(n_scans, COLUMNS, |i, j| of_subject[(i / scans_each, j)]);
    let labelled = |numbers: std::ops::Range<usize>| {
        let truth = numbers.clone().map(|i| truths[i / scans_each]).collect();
        let list = numbers.map(|scan| Example {
            scan,
            start_volume: 0,
            n_volumes: 4,
        });
        let examples = Examples {
            scans: &scans,
            list: list.collect(),
        };
        Labelled { examples, truth }
    };
    let n = n_scans - 5 * scans_each;
    let (training, validation) = (labelled(0..n), labelled(n..n_scans));
    let problem = problem(of_subjects, Device::flex());
    let sets = [
        (x.rows(0, n).into_owned(), &training),
        (x.rows(n, n_scans - n).into_owned(), &validation),
    ];
    let model = LinearModel::choose(&problem, Scaling::EachColumn, sets);
    let said = model.predict(&problem, &labelled(0..n_scans).examples, x);
    said.rows().step_by(scans_each).map(|row| row[0]).collect()
}

fn spread(values: &[f64]) -> f64 {
    let highest = values.iter().copied().fold(f64::MIN, f64::max);
    highest - values.iter().copied().fold(f64::MAX, f64::min)
}

#[test]
fn leave_one_out_leaves_out_a_subject_with_all_scans() {
    let once = predictions(1, true);
    for (once, twice) in once.iter().zip(predictions(2, true)) {
        assert!((once - twice).abs() < 1e-12, "{once}, {twice}");
    }
    // If the other scan of the subject stays, it tells the truth, and a weak penalty seems right.
    let leaking = predictions(2, false);
    assert!(
        spread(&leaking) > 1.5 * spread(&once),
        "{once:?}, {leaking:?}"
    );
}
