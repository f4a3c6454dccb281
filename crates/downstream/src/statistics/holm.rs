//! Holm's adjustment of p values for multiple tests.

/// Adjusted p values: if all hypotheses are true, the probability that any is below α is at most α.
/// Tests with `None` are not counted.
///
/// ```text
/// p̃(i) = max(j ≤ i) min(1, (m − j + 1) p(j))      p(1) ≤ … ≤ p(m)
/// ```
/// # Source
/// Holm 1979; valid for any dependence between tests.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut tests: Vec<(usize, f64)> = p
        .iter()
        .enumerate()
        .filter_map(|(i, p)| Some((i, (*p)?)))
        .collect();
    tests.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut adjusted = vec![None; p.len()];
    let mut largest = 0.0f64;
    for (rank, (i, p)) in tests.iter().enumerate() {
        largest = largest.max((tests.len() - rank) as f64 * p).min(1.0);
        adjusted[*i] = Some(largest);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_pays_for_all() {
        let found = holm(&[Some(0.25), Some(0.03125), None, Some(0.0625), Some(0.75)]);
        // 4 · 0.03125, 3 · 0.0625, 2 · 0.25, 1 · 0.75
        let expected = [Some(0.5), Some(0.125), None, Some(0.1875), Some(0.75)];
        assert_eq!(found, expected);
    }

    #[test]
    fn order_is_kept_and_one_is_the_most() {
        let found = holm(&[Some(0.25), Some(0.3125), Some(0.9)]);
        assert_eq!(found, [Some(0.75), Some(0.75), Some(0.9)]);
        assert_eq!(holm(&[Some(0.6), Some(0.6)]), [Some(1.0), Some(1.0)]);
    }
}
