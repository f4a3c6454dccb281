//! Thinning of long series for plots.

/// Outline of `points` in `n_buckets` buckets: the lowest and the highest point of each bucket, in
/// order. A short series is returned unchanged.
pub fn envelope(points: &[(f64, f64)], n_buckets: usize) -> Vec<(f64, f64)> {
    if points.len() <= 2 * n_buckets {
        return points.to_vec();
    }
    let mut kept = Vec::with_capacity(2 * n_buckets);
    for bucket in points.chunks(points.len().div_ceil(n_buckets)) {
        let mut lowest = 0;
        let mut highest = 0;
        for (i, point) in bucket.iter().enumerate() {
            if point.1 < bucket[lowest].1 {
                lowest = i;
            }
            if point.1 > bucket[highest].1 {
                highest = i;
            }
        }
        kept.push(bucket[lowest.min(highest)]);
        if lowest != highest {
            kept.push(bucket[lowest.max(highest)]);
        }
    }
    kept
}

/// Median of the `window` points around each of about `n_points` positions.
pub fn running_median(points: &[(f64, f64)], window: usize, n_points: usize) -> Vec<(f64, f64)> {
    let half = window / 2;
    let stride = points.len().div_ceil(n_points.max(1)).max(1);
    let last = points.len().saturating_sub(1);
    (0..points.len())
        .filter(|i| i % stride == 0 || *i == last)
        .map(|i| {
            // A loss falls fast at first: a window with more points after `i` than before it would
            // have a median that is too low.
            let back = half.min(i);
            let ahead = half.min(i).min(last - i);
            let mut around: Vec<f64> = points[i - back..=i + ahead].iter().map(|p| p.1).collect();
            (points[i].0, quantile(&mut around, 0.5))
        })
        .collect()
}

/// Quantile `q` of `values`, which are sorted in place; NaN if there are none.
pub fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let i = (q * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(i).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_keeps_extremes_in_order() {
        let points: Vec<_> = (0..1000)
            .map(|i| (f64::from(i), if i == 371 { 9.0 } else { f64::from(i % 7) }))
            .collect();
        let thin = envelope(&points, 50);
        assert!(thin.len() <= 100);
        assert!(thin.contains(&(371.0, 9.0)));
        assert!(thin.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(envelope(&points[..10], 50), points[..10]);
    }

    #[test]
    fn a_running_median_ignores_a_spike_and_follows_a_slope() {
        let mut points: Vec<_> = (0..9).map(|i| (f64::from(i), f64::from(i))).collect();
        points[4].1 = 100.0;
        let median = running_median(&points, 5, 100);
        assert_eq!(median[0], (0.0, 0.0));
        assert_eq!(median[3].1, 3.0);
        assert_eq!(median[8], (8.0, 7.0));
        assert!(median.iter().all(|p| p.1 < 10.0));
        assert!(running_median(&[], 5, 100).is_empty());
    }
}
