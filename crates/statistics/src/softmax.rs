//! Softmax of the rows of a matrix.

/// Replaces logits `[rows, n_classes]`, row-major, by probabilities.
pub fn softmax_rows(logits: &mut [f64], n_classes: usize) {
    for row in logits.chunks_exact_mut(n_classes) {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter_mut()
            .for_each(|logit| *logit = (*logit - largest).exp());
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_sum_to_one_and_large_logits_do_not_overflow() {
        let mut rows = [1000.0, 1000.0 + 3f64.ln(), -1000.0, 0.0];
        softmax_rows(&mut rows, 2);
        for (found, expected) in rows.iter().zip([0.25, 0.75, 0.0, 1.0]) {
            assert!((found - expected).abs() < 1e-12, "{rows:?}");
        }
    }
}
