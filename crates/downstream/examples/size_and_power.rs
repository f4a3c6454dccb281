//! Size and power of the tests of predictions, by simulation: how often p is at most .05 and .01,
//! where there is nothing to find and where there is.
//!
//! `cargo run -p brainmae-downstream --example size_and_power -- 1000`
//!
//! The number is that of simulations for each line, of which lines of 1000 families have a tenth;
//! without it there are 20.

use std::error::Error;

use brainmae_downstream::linear::PENALTIES;
use brainmae_downstream::scores::Scorer;
use brainmae_downstream::statistics::{chance, compare};
use brainmae_downstream::{DownstreamError, Prediction, Predictions, Score};
use brainmae_run::Seeds;
use brainmae_statistics::linear::{LogisticPath, RidgeGram, RidgePath, Scaling, Standard};
use nalgebra::{DMatrix, DVector};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// Columns of the features of a model.
const COLUMNS: usize = 20;
/// Permutations of a p value: with the observed one 200, so that p can be exactly .05 and .01.
const PERMUTATIONS: usize = 199;
/// Correlation of siblings in features and in what features do not tell.
const OF_SIBLINGS: f64 = 0.5;
/// Penalty of logistic regression, for each row.
const LOGISTIC_PENALTY: f64 = 0.1;

/// One line of the table.
#[derive(Clone, Copy)]
struct Setup {
    families: usize,
    folds: usize,
    classes: bool,
    /// Correlation of the truth (of classes: of the number above whose median the second class
    /// lies) with what the features of the two models tell at best.
    r: [f64; 2],
}

/// What one simulation gives: scores of the first model, and p values.
struct Found {
    scores: [f64; 2],
    p: [Option<f64>; 4],
}

fn main() -> Result<(), Box<dyn Error>> {
    let n: u64 = std::env::args().nth(1).map_or(Ok(20), |n| n.parse())?;
    println!("Shares of p ≤ .05 / p ≤ .01.\n");
    println!(
        "| target | simulations | families | folds | r | r of the other | primary score | r, AUROC | chance, primary | chance, r, AUROC | sign flips | corrected t |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for r in [[0.0; 2], [0.2, 0.0], [0.4, 0.0], [0.4; 2]] {
        for classes in [false, true] {
            for (families, folds) in [(60, 5), (120, 3), (160, 5), (240, 5), (1000, 5)] {
                let setup = Setup {
                    families,
                    folds,
                    classes,
                    r,
                };
                let n = if families < 1000 { n } else { n.div_ceil(10) };
                let found = (0..n).into_par_iter().map(|i| simulate(setup, i));
                print(setup, &found.collect::<Result<Vec<_>, _>>()?);
            }
        }
    }
    Ok(())
}

fn print(setup: Setup, found: &[Found]) {
    let n = found.len() as f64;
    let mean = |i: usize| found.iter().map(|one| one.scores[i]).sum::<f64>() / n;
    let share = |test: usize, level: f64| {
        let hits = found
            .iter()
            .filter(|one| one.p[test].is_some_and(|p| p <= level));
        hits.count() as f64 / n
    };
    let cell = |test| format!("{:.3} / {:.3}", share(test, 0.05), share(test, 0.01));
    let kind = if setup.classes {
        "two classes"
    } else {
        "number"
    };
    println!(
        "| {kind} | {n} | {} | {} | {} | {} | {:.3} | {:.3} | {} | {} | {} | {} |",
        setup.families,
        setup.folds,
        setup.r[0],
        setup.r[1],
        mean(0),
        mean(1),
        cell(0),
        cell(1),
        cell(2),
        cell(3),
    );
}

/// Draws people, fits both models on every fold, and tests their predictions.
fn simulate(setup: Setup, number: u64) -> Result<Found, Box<DownstreamError>> {
    let seeds = Seeds::new(number);
    let rng = &mut seeds.stream("people");
    let n = 2 * setup.families;
    let features = [(); 2].map(|()| related(n, COLUMNS, rng));
    let rest = related(n, 1, rng);
    let unexplained = (1.0 - setup.r[0].powi(2) - setup.r[1].powi(2)).sqrt();
    let numbers = DVector::from_fn(n, |i, _| {
        let told =
            |model: usize| setup.r[model] * features[model].row(i).sum() / (COLUMNS as f64).sqrt();
        told(0) + told(1) + unexplained * rest[i]
    });
    let truth = match setup.classes {
        true => numbers.map(|y| f64::from(y > 0.0)),
        false => numbers,
    };
    let mut rows = Vec::new();
    for (model, x) in ["one", "other"].into_iter().zip(&features) {
        rows.extend(predictions(setup, model, x, &truth));
    }
    let predictions = Predictions::new(vec![], rows).map_err(Box::new)?;
    let samples = predictions.samples();
    let (one, other) = (&samples[0], &samples[1]);
    let scores = Score::of(one.kind());
    let second = scores
        .iter()
        .position(|s| matches!(s, Score::PearsonR | Score::Auroc));
    let places = [0, second.unwrap_or(0)];
    let (own, chances) = (Scorer::new(one).scores(), chance(one, PERMUTATIONS, &seeds));
    let differences = compare(one, other, 0, PERMUTATIONS, &seeds);
    Ok(Found {
        scores: places.map(|place| own[place].unwrap_or(f64::NAN)),
        p: [
            chances[places[0]].p,
            chances[places[1]].p,
            differences[0].p_units,
            differences[0].p_folds,
        ],
    })
}

/// Standard normal columns of people, of whom two neighbours are siblings.
fn related(n: usize, columns: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    let mut normal = |rows| -> DMatrix<f64> {
        DMatrix::from_fn(rows, columns, |_, _| StandardNormal.sample(rng))
    };
    let (families, own) = (normal(n / 2), normal(n));
    DMatrix::from_fn(n, columns, |i, j| {
        OF_SIBLINGS.sqrt() * families[(i / 2, j)] + (1.0 - OF_SIBLINGS).sqrt() * own[(i, j)]
    })
}

/// Predictions of ridge or logistic regression, fitted on each fold without its families.
fn predictions(
    setup: Setup,
    model: &str,
    x: &DMatrix<f64>,
    truth: &DVector<f64>,
) -> Vec<Prediction> {
    let n = truth.len();
    let fold_of = |i: usize| i / 2 % setup.folds;
    let mut rows = Vec::new();
    for fold in 0..setup.folds {
        let (test, training): (Vec<usize>, Vec<usize>) = (0..n).partition(|i| fold_of(*i) == fold);
        let (x_train, y) = (x.select_rows(&training), truth.select_rows(&training));
        let standard = Standard::fit(&x_train, Scaling::EachColumn);
        let x_train = standard.apply(x_train);
        let x_test = standard.apply(x.select_rows(&test));
        let mean = y.mean();
        let (outputs, blind): (Vec<Vec<f64>>, Vec<f64>) = match setup.classes {
            true => {
                let logistic = LogisticPath::new(&x_train, y.as_slice(), 2).at(LOGISTIC_PENALTY);
                let said = logistic.predict(&x_test);
                let said = said.chunks_exact(2).map(<[f64]>::to_vec);
                (said.collect(), vec![1.0 - mean, mean])
            }
            false => {
                let said = ridge(&x_train, &y, &x_test);
                (said.iter().map(|value| vec![*value]).collect(), vec![mean])
            }
        };
        rows.extend(test.into_iter().zip(outputs).map(|(i, output)| Prediction {
            target: "simulated".into(),
            model: model.into(),
            train_share: 1.0,
            fold: fold as u32,
            scan: None,
            subject: i.to_string(),
            unit: (i / 2).to_string(),
            start_secs: None,
            truth: truth[i],
            output,
            blind: blind.clone(),
            n_train_units: (training.len() / 2) as u32,
            confounds: vec![],
        }));
    }
    rows
}

/// Ridge regression whose penalty is the best one by leave-one-out, as in use.
fn ridge(x: &DMatrix<f64>, y: &DVector<f64>, x_test: &DMatrix<f64>) -> Vec<f64> {
    let gram = RidgeGram::new(x);
    let targets = DMatrix::from_column_slice(y.len(), 1, y.as_slice());
    let path = RidgePath::new(x, &gram, &targets);
    let errors = path.left_out(&PENALTIES);
    let errors = errors.iter().map(|errors| errors.norm_squared());
    let best = errors.zip(PENALTIES).min_by(|a, b| a.0.total_cmp(&b.0));
    let alpha = best.map_or(PENALTIES[0], |(_, alpha)| alpha);
    let fitted = path.at(&[alpha]);
    fitted
        .iter()
        .flat_map(|one| one.predict(x_test).as_slice().to_vec())
        .collect()
}
