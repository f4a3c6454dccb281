use super::*;

#[test]
fn loss_and_gradient_are_those_of_the_definition() {
    // One row and one class fill no tile; 109 rows are more tiles than stretches.
    for (n, p, n_classes) in [(1, 1, 2), (37, 13, 3), (109, 60, 9)] {
        let number = |i: usize| ((i * 7919) % 101) as f64 / 50.0 - 1.0;
        let x = DMatrix::from_fn(n, p, |i, j| number(i * p + j));
        let weights: Vec<f64> = (0..n_classes * (p + 1)).map(|i| number(i + 5)).collect();
        let truth: Vec<f64> = (0..n).map(|i| (i * 5 % n_classes) as f64).collect();
        let mut rows = Rows::new(&x, n_classes);
        let loss = |weights: &[f64]| -> f64 {
            let of_row = |i: usize| {
                let logit = |k: usize| {
                    let w = &weights[k * (p + 1)..(k + 1) * (p + 1)];
                    (0..p).map(|j| w[j] * x[(i, j)]).sum::<f64>() + w[p]
                };
                let sum: f64 = (0..n_classes).map(|k| logit(k).exp()).sum();
                sum.ln() - logit(truth[i] as usize)
            };
            (0..n).map(of_row).sum::<f64>() / n as f64
        };
        // The second time, sums of the first time are in memory.
        rows.cross_entropy(&weights, &truth);
        let found = rows.cross_entropy(&weights, &truth);
        assert!((found.loss - loss(&weights)).abs() < 1e-12);
        for at in 0..weights.len() {
            let moved = |by: f64| {
                let mut weights = weights.clone();
                weights[at] += by;
                loss(&weights)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((found.slope[at] - expected).abs() < 1e-8, "{at}");
        }
    }
}
