//! Comparison with scikit-learn and neuroCombat (`tests/golden/{linear,combat}.py`).

use nalgebra::DMatrix;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Golden {
    training: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    columns: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    classes: Vec<f64>,
    svc: Vec<Machine>,
    svc_of_two: Vec<Machine>,
    svr: Vec<Machine>,
    kernel_ridge: Vec<KernelRidge>,
}

#[derive(Deserialize)]
struct Machine {
    cost: f64,
    #[serde(default)]
    tube: f64,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct KernelRidge {
    penalty: f64,
    values: Vec<f64>,
}

/// Largest difference of values of about 1. The reference is solved exactly, our machines up to
/// violations of 1e-5 of the margin.
const TOLERANCE: f64 = 1e-4;

/// Training and test rows of each case.
fn cases() -> Vec<(Case, usize, DMatrix<f64>, DMatrix<f64>)> {
    let golden: Golden =
        serde_json::from_str(include_str!("../../tests/golden/linear.json")).expect("as written");
    let n = golden.training;
    let parted = golden.cases.into_iter().map(|case| {
        let x = DMatrix::from_row_slice(case.y.len(), case.columns, &case.x);
        let rest = x.nrows() - n;
        let (training, test) = (x.rows(0, n).into_owned(), x.rows(n, rest).into_owned());
        (case, n, training, test)
    });
    parted.collect()
}

/// Largest difference from values in row-major order.
fn apart(found: &DMatrix<f64>, expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let found = found.transpose();
    let pairs = found.iter().zip(expected);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn machines_are_those_of_scikit_learn() {
    for (case, n, training, test) in cases() {
        let mut path = SvmPath::of_classes(&training, &case.classes[..n], 3);
        for Machine { cost, values, .. } in &case.svc {
            let apart = apart(&path.at(*cost).predict(&test), values);
            assert!(
                apart < TOLERANCE,
                "{} columns, {cost}: {apart}",
                case.columns
            );
        }
        let two: Vec<f64> = case.classes.iter().map(|class| class.min(1.0)).collect();
        let mut path = SvmPath::of_classes(&training, &two[..n], 2);
        for Machine { cost, values, .. } in &case.svc_of_two {
            let found = path.at(*cost).predict(&test).columns(1, 1).into_owned();
            let apart = apart(&found, values);
            assert!(
                apart < TOLERANCE,
                "{} columns, {cost}: {apart}",
                case.columns
            );
        }
        for Machine { cost, tube, values } in &case.svr {
            let mut path = SvmPath::of_numbers(&training, &case.y[..n], *tube);
            let apart = apart(&path.at(*cost).predict(&test), values);
            assert!(
                apart < TOLERANCE,
                "{} columns, {cost}: {apart}",
                case.columns
            );
        }
    }
}

#[test]
fn ridge_of_profiles_is_scikit_learns_ridge_with_the_kernel_of_correlations() {
    for (case, n, training, test) in cases() {
        let (training, test) = (profiles(training), profiles(test));
        let gram = RidgeGram::new(&training);
        let y = DMatrix::from_column_slice(n, 1, &case.y[..n]);
        let path = RidgePath::new(&training, &gram, &y);
        for KernelRidge { penalty, values } in &case.kernel_ridge {
            // Our penalty is per row.
            let fitted = &path.at(&[penalty / n as f64])[0];
            let apart = apart(&fitted.predict(&test), values);
            assert!(apart < 1e-9, "{} columns, {penalty}: {apart}", case.columns);
        }
    }
}

#[derive(Deserialize)]
struct Harmonised {
    sites: Vec<usize>,
    covariates: Vec<f64>,
    x: Vec<f64>,
    plain: Vec<f64>,
    preserving: Vec<f64>,
}

#[test]
fn harmonised_rows_are_those_of_neuro_combat() {
    let golden: Harmonised =
        serde_json::from_str(include_str!("../../tests/golden/combat.json")).expect("as written");
    let n = golden.sites.len();
    let matrix = |values: &[f64]| DMatrix::from_row_slice(n, values.len() / n, values);
    let x = matrix(&golden.x);
    for (covariates, expected) in [
        (DMatrix::zeros(n, 0), &golden.plain),
        (matrix(&golden.covariates), &golden.preserving),
    ] {
        let fitted = Combat::fit(&x, &golden.sites, &covariates);
        let found = fitted.apply(x.clone(), &golden.sites, &covariates);
        // The reference holds values of about 5 in single precision.
        let apart = apart(&found, expected);
        assert!(apart < 2e-6, "{apart}");
    }
}
