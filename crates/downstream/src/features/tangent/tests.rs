use std::sync::Arc;

use brainmae_data::BoldSeries;
use serde::Deserialize;

use super::*;

/// Scans and their tangent vectors by nilearn: see `tests/golden/tangent.py`.
#[derive(Deserialize)]
struct Golden {
    rois: usize,
    training: Vec<Vec<f32>>,
    test: Vec<Vec<f32>>,
    vectors: Vec<Vec<f64>>,
}

fn covariance_of(values: &[f32], n_rois: usize) -> DMatrix<f64> {
    let series = BoldSeries::new(values.to_vec(), n_rois, 1.0).expect("finite");
    let scan = Scan {
        series: Arc::new(series),
        ..crate::testing::scan("subject", 1)
    };
    let whole = Example {
        scan: 0,
        start_volume: 0,
        n_volumes: values.len() / n_rois,
    };
    covariance(&scan, whole)
}

#[test]
fn vectors_are_those_of_nilearn() {
    let golden = include_str!("../../../tests/golden/tangent.json");
    let golden: Golden = serde_json::from_str(golden).expect("as written");
    let covariance = |values: &Vec<f32>| covariance_of(values, golden.rois);
    let training: Vec<_> = golden.training.iter().map(covariance).collect();
    let space = TangentSpace::fit(training.len(), |i| training[i].clone());
    assert!(space.mean.is_found());
    for (values, expected) in golden.test.iter().zip(&golden.vectors) {
        let found = space.features(&covariance(values));
        assert_eq!(found.len(), expected.len());
        for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
            // Elements are up to 1. Correlations have 24 bits, and nilearn stops where the mean
            // square of the gradient is about 1e-7.
            let apart = (f64::from(*found) - SQRT_2 * expected).abs();
            assert!(apart < 2e-6, "{at}: {found}, apart by {apart}");
        }
    }
}

#[test]
fn the_mean_of_one_scan_is_itself() {
    let values: Vec<f32> = (0..60).map(|i| ((i * i * 7) % 23) as f32).collect();
    let covariance = covariance_of(&values, 4);
    let space = TangentSpace::fit(1, |_| covariance.clone());
    let features = space.features(&covariance);
    assert_eq!(features.len(), 10);
    assert!(features.iter().all(|x| x.abs() < 1e-6), "{features:?}");
}

#[test]
fn few_volumes_and_constant_rois_have_finite_vectors() {
    // One volume; two; and a constant ROI beside two that are equal.
    let cases = [
        vec![1.0, 2.0, 3.0],
        vec![1.0, 2.0, 3.0, 4.0, 6.0, 1.0],
        (0..30)
            .map(|i| [5.0, (i / 3) as f32][(i % 3).min(1)])
            .collect(),
    ];
    let covariances = cases.map(|values| covariance_of(&values, 3));
    let space = TangentSpace::fit(3, |i| covariances[i].clone());
    for covariance in &covariances {
        let features = space.features(covariance);
        assert!(features.iter().all(|x| x.is_finite()), "{features:?}");
    }
    assert!(space.mean.is_found(), "{}", space.mean.residual);
}
