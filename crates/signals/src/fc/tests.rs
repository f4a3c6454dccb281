use super::*;

#[test]
fn correlations_are_pearsons() {
    // ROI 1 is twice ROI 0 plus 5, ROI 2 is its negative, ROI 3 is (1, -1, -1, 1) plus a mean, ROI
    // 4 is constant.
    let roi0 = [1.0, 2.0, 3.0, 4.0];
    let roi3 = [3.0, 1.0, 1.0, 3.0];
    let signals: Vec<f32> = (0..4)
        .flat_map(|t| [roi0[t], 2.0 * roi0[t] + 5.0, -roi0[t], roi3[t], 7.0])
        .collect();
    let r = correlations(signals.chunks_exact(5), 5);
    let expected = [
        [1.0, 1.0, -1.0, 0.0, 0.0],
        [1.0, 1.0, -1.0, 0.0, 0.0],
        [-1.0, -1.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0; 5],
    ];
    for (i, row) in expected.iter().enumerate() {
        for (j, expected) in row.iter().enumerate() {
            assert!(
                (r[(i, j)] - expected).abs() < 1e-6,
                "{i}, {j}: {}",
                r[(i, j)]
            );
        }
    }
    let z = fisher_z(&r);
    assert_eq!(z.len(), 10);
    assert!(z.iter().all(|z| z.is_finite()));
    assert!((z[2] - 0.0).abs() < 1e-6 && z[0] > 7.0);
}

#[test]
fn large_means_and_long_scans_cost_no_accuracy() {
    // Waves of amplitude 0.5 around means up to a million, with more volumes than a block and more
    // ROIs than a register.
    let (n_rois, n_volumes) = (37, 333);
    let value = |t: usize, roi: usize| {
        let wave = (t as f64 * (0.1 + roi as f64 / 90.0)).sin() + (t as f64 * 0.7).cos();
        (1e6 / (1 + roi * roi) as f64 + 0.5 * wave) as f32
    };
    let signals: Vec<f32> = (0..n_volumes)
        .flat_map(|t| (0..n_rois).map(move |roi| value(t, roi)))
        .collect();
    let found = correlations(signals.chunks_exact(n_rois), n_rois);
    let centred: Vec<Vec<f64>> = (0..n_rois)
        .map(|roi| {
            let signal = signals.iter().skip(roi).step_by(n_rois);
            let signal: Vec<f64> = signal.map(|x| f64::from(*x)).collect();
            let mean = signal.iter().sum::<f64>() / n_volumes as f64;
            signal.iter().map(|x| x - mean).collect()
        })
        .collect();
    let product = |i: usize, j: usize| -> f64 {
        centred[i].iter().zip(&centred[j]).map(|(a, b)| a * b).sum()
    };
    for i in 0..n_rois {
        for j in 0..n_rois {
            let expected = product(i, j) / (product(i, i) * product(j, j)).sqrt();
            let apart = (f64::from(found[(i, j)]) - expected).abs();
            assert!(apart < 1e-6, "{i}, {j}: {apart} from {expected}");
            assert_eq!(found[(i, j)], found[(j, i)]);
        }
    }
}

#[test]
fn a_large_constant_is_no_signal() {
    let r = correlations([1e6, 1.0, 1e6, 2.0, 1e6, 3.0].chunks_exact(2), 2);
    assert_eq!((r[(0, 0)], r[(0, 1)], r[(1, 1)]), (0.0, 0.0, 1.0));
}

#[test]
fn the_exact_version_agrees() {
    let (n_rois, n_volumes) = (5, 90);
    let value = |t: usize, roi: usize| (t as f32 * (0.1 + roi as f32 / 90.0)).sin() + roi as f32;
    let values = (0..n_volumes)
        .flat_map(|t| (0..n_rois).map(move |roi| value(t, roi)))
        .collect();
    let series = BoldSeries::new(values, n_rois, 1.0).unwrap();
    let z = fisher_z(&of_series(&series));
    let exact = exact_fisher_z(&series);
    assert_eq!((z.len(), exact.len()), (10, 10));
    for (z, exact) in z.iter().zip(exact) {
        assert!((f64::from(*z) - exact).abs() < 1e-5, "{z} {exact}");
    }
}

#[test]
fn censored_volumes_do_not_count() {
    let values = vec![1.0, 2.0, 2.0, 4.0, 9.0, -9.0, 4.0, 8.0];
    let series = BoldSeries::new(values, 2, 1.0).unwrap();
    let kept = series.clone().with_kept(vec![true, true, false, true]);
    assert_eq!(of_series(&kept.unwrap())[(0, 1)], 1.0);
    assert!(of_series(&series)[(0, 1)] < 0.0);
}
