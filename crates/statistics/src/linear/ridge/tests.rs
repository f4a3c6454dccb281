use nalgebra::DVector;
use serde_json::Value;

use super::*;

/// Solution of the normal equations.
fn by_definition(x: &DMatrix<f64>, y: &[f64], alpha: f64) -> DVector<f64> {
    let y = DVector::from_column_slice(y);
    let (n, p) = x.shape();
    let a = x.tr_mul(x) + DMatrix::identity(p, p) * (alpha * n as f64);
    a.lu()
        .solve(&x.tr_mul(&y.add_scalar(-y.mean())))
        .expect("regular")
}

#[test]
fn wide_and_tall_are_what_the_normal_equations_say() {
    let values: Vec<f64> = (0..15).map(|i| f64::from(i * i % 7) - 3.0).collect();
    for (rows, columns) in [(5, 3), (3, 5)] {
        let x = DMatrix::from_row_slice(rows, columns, &values);
        let y = DMatrix::from_fn(rows, 2, |i, j| {
            10.0 + (i as f64).sin() - j as f64 * x[(i, 0)]
        });
        let gram = RidgeGram::new(&x);
        assert_eq!(gram.is_dual, rows < columns);
        let alphas = [0.01, 1.0, 100.0];
        let found = RidgePath::new(&x, &gram, &y).at(&alphas);
        for (ridge, alpha) in found.iter().zip(alphas) {
            for target in 0..2 {
                let expected = by_definition(&x, y.column(target).as_slice(), alpha);
                let apart = ridge.weights.column(target) - expected;
                assert!(apart.amax() < 1e-9, "{rows} x {columns}, target {target}");
            }
        }
    }
}

/// Rows whose columns have the mean 0.
fn centred(mut x: DMatrix<f64>) -> DMatrix<f64> {
    let mean = x.row_mean();
    for mut row in x.row_iter_mut() {
        row -= &mean;
    }
    x
}

#[test]
fn errors_of_leave_one_out_are_those_of_fits_without_the_row() {
    // Wide and tall, with more rows than a block of the factor.
    for (rows, columns) in [(7, 3), (4, 9), (70, 80), (90, 12)] {
        let x = DMatrix::from_fn(rows, columns, |i, j| {
            f64::from(((i * i * 3 + j * 7 + i * j) % 13) as u8) - 4.0
        });
        let x = centred(x);
        let y = DMatrix::from_fn(rows, 2, |i, j| {
            10.0 + (i as f64).sin() - j as f64 * x[(i, 0)]
        });
        let alphas = [0.01, 1.0, 100.0];
        let gram = RidgeGram::new(&x);
        let found = RidgePath::new(&x, &gram, &y).left_out(&alphas);
        for (found, alpha) in found.iter().zip(alphas) {
            for row in [0, 1, rows / 2, rows - 1] {
                // The others, with means of their own and the same penalty in all.
                let (others, truth) = (x.clone().remove_row(row), y.clone().remove_row(row));
                let mean = others.row_mean();
                let others = centred(others);
                let per_row = alpha * rows as f64 / (rows - 1) as f64;
                for target in 0..2 {
                    let truth = truth.column(target);
                    let w = by_definition(&others, truth.into_owned().as_slice(), per_row);
                    let predicted = truth.mean() + ((x.row(row) - &mean) * w)[0];
                    let expected = y[(row, target)] - predicted;
                    let apart = found[(row, target)] - expected;
                    assert!(apart.abs() < 1e-8, "{rows} x {columns}, {row}: {apart}");
                }
            }
        }
    }
}

#[test]
fn an_infinite_penalty_leaves_the_mean() {
    let x = DMatrix::from_row_slice(2, 1, &[-1.0, 1.0]);
    let gram = RidgeGram::new(&x);
    let y = DMatrix::from_column_slice(2, 1, &[1.0, 3.0]);
    let ridge = &RidgePath::new(&x, &gram, &y).at(&[1e12])[0];
    assert!(ridge.predict(&x).iter().all(|y| (y - 2.0).abs() < 1e-9));
}

#[test]
fn errors_of_leave_one_out_are_those_of_scikit_learn() {
    let golden = include_str!("../../../tests/golden/ridge.json");
    let golden: Value = serde_json::from_str(golden).expect("as written");
    let numbers = |value: &Value| -> Vec<f64> {
        let list = value.as_array().expect("a list");
        list.iter().map(|x| x.as_f64().expect("a number")).collect()
    };
    let penalties = numbers(&golden["penalties"]);
    for case in golden["cases"].as_array().expect("a list") {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let x = DMatrix::from_row_slice(y.len(), x.len() / y.len(), &x);
        let y = DMatrix::from_column_slice(y.len(), 1, &y);
        let gram = RidgeGram::new(&x);
        let found = RidgePath::new(&x, &gram, &y).left_out(&penalties);
        for (found, expected) in found
            .iter()
            .zip(case["squared_errors"].as_array().expect("a list"))
        {
            for (found, expected) in found.iter().zip(numbers(expected)) {
                assert!(
                    (found * found - expected).abs() < 1e-9 * expected.max(1.0),
                    "{found}"
                );
            }
        }
        let losses: Vec<f64> = found.iter().map(DMatrix::norm_squared).collect();
        let best = (0..losses.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b]));
        assert_eq!(
            Some(penalties[best.expect("some")]),
            case["chosen"].as_f64()
        );
    }
}
